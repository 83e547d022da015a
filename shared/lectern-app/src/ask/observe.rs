//! What is noted of each question: one log line, and its metrics. No text.

use lectern_core::{answer::Refusal, pricing::MicroDollars};
use lectern_telemetry::instruments::{
    COST, DEGRADED, FIRST_TOKEN, GENERATION, QUERY_DURATION, QUERY_ERRORS, REFUSALS, SUPPORTED,
    TOKENS_USED, VECTOR_SEARCH,
};
use tracing::info;

use super::{Asked, Turn};
use crate::{errors::FlowError, search::millis};

/// Notes how a question ended.
pub(super) fn ended(turn: &Turn<'_>, answered: &Result<Asked, FlowError>) {
    let seconds = turn.started.elapsed().as_secs_f64();
    match answered {
        Ok(asked) => {
            let outcome = if asked.answer.is_refused() { "refused" } else { "answered" };
            QUERY_DURATION
                .record(seconds, &[("outcome", outcome), ("cache", asked.cache.as_str())]);
            FIRST_TOKEN
                .record(turn.first_token().map_or(seconds, |first| first.as_secs_f64()), &[]);
            measure(asked);
            log(asked, turn);
        }
        // What failed at once is no quick answer: it would count as a promise that was kept.
        Err(error) => QUERY_ERRORS.add(1, &[("kind", error.kind())]),
    }
}

fn measure(asked: &Asked) {
    let reason = asked.answer.refused_for().map(|refusal| match refusal {
        Refusal::Unsupported => "unsupported",
        Refusal::Guardrail => "guardrail",
    });
    match reason {
        Some(reason) => REFUSALS.add(1, &[("reason", reason)]),
        None => SUPPORTED.record(asked.answer.supported_ratio(), &[]),
    }
    for stage in &asked.degraded {
        DEGRADED.add(1, &[("stage", stage)]);
    }
    let spent = &asked.spent;
    for (kind, tokens) in [
        ("prompt", u64::from(spent.tokens.prompt)),
        ("completion", u64::from(spent.tokens.completion)),
        ("embedding", spent.embedding_tokens),
    ] {
        if tokens > 0 {
            TOKENS_USED.add(tokens, &[("kind", kind)]);
        }
    }
    COST.record(dollars(spent.cost), &[]);
    // An answer that was kept searched for nothing and generated nothing.
    if asked.timings.retrieve > 0.0 {
        VECTOR_SEARCH.record(asked.timings.retrieve, &[]);
    }
    if asked.timings.generate > 0.0 {
        GENERATION.record(asked.timings.generate, &[]);
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody spends 2^52 millionths on a question")]
fn dollars(cost: MicroDollars) -> f64 {
    cost.0 as f64 / 1_000_000.0
}

fn log(asked: &Asked, turn: &Turn<'_>) {
    info!(
        query.id = %asked.query_id,
        cache = asked.cache.as_str(),
        cache.matched = asked.cache.matched(),
        refused = asked.answer.is_refused(),
        degraded = asked.degraded.join(","),
        citations = asked.answer.citations().len(),
        supported_ratio = asked.answer.supported_ratio(),
        prompt_tokens = asked.spent.tokens.prompt,
        completion_tokens = asked.spent.tokens.completion,
        embedding_tokens = asked.spent.embedding_tokens,
        micro_usd = asked.spent.cost.0,
        embed_ms = asked.timings.embed,
        retrieve_ms = asked.timings.retrieve,
        rerank_ms = asked.timings.rerank,
        generate_ms = asked.timings.generate,
        verify_ms = asked.timings.verify,
        first_token_ms = turn.first_token().map(millis),
        duration_ms = asked.timings.total,
        "answered a question"
    );
}
