//! What is noted of a call of a model, by the OpenTelemetry semantic conventions for generative AI ("Semantic conventions for
//! generative client AI spans" and "… metrics"). Prompts, replies and texts are opt-in there and are never noted here.

use std::time::Instant;

use lectern_core::{errors::PortError, ports::TokenCount};
use tracing::{Span, debug, debug_span, field::Empty};

use crate::{
    call::{CANCELLED, OK, word_of},
    circuit::{Admitted, Circuit},
    instruments::{MODEL_CALL, MODEL_FIRST_TOKEN, MODEL_TOKENS, Pair},
};

/// Which model, of whom, does what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    /// `chat`, `embeddings` or `rerank`.
    pub(super) operation: &'static str,
    /// `gen_ai.provider.name`.
    pub(super) provider: &'static str,
    /// `gen_ai.request.model`.
    pub(super) model: &'static str,
}

impl Named {
    fn labels(self) -> [Pair; 3] {
        [
            ("gen_ai_operation_name", self.operation),
            ("gen_ai_provider_name", self.provider),
            ("gen_ai_request_model", self.model),
        ]
    }
}

/// A call of a model; noted when it is dropped.
#[derive(Debug)]
pub(super) struct Seen {
    named: Named,
    pub(super) span: Span,
    since: Instant,
    outcome: &'static str,
    has_begun: bool,
    admitted: Option<Admitted>,
}

impl Seen {
    pub(super) fn new(named: Named) -> Self {
        let span = debug_span!(
            "model",
            otel.name = format_args!("{} {}", named.operation, named.model),
            otel.kind = "client",
            gen_ai.operation.name = named.operation,
            gen_ai.provider.name = named.provider,
            gen_ai.request.model = named.model,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            error.type = Empty,
        );
        Self {
            named,
            span,
            since: Instant::now(),
            outcome: CANCELLED,
            has_begun: false,
            admitted: None,
        }
    }

    /// Asks whether the call is worth making.
    pub(super) fn admit(&mut self, circuit: &Circuit) -> Result<(), PortError> {
        let admitted = circuit.admit(self.named.operation);
        self.outcome = admitted.as_ref().map_or_else(|error| word_of(error.kind), |_| CANCELLED);
        self.admitted = Some(admitted?);
        Ok(())
    }

    /// Notes that the first piece of a reply is here.
    pub(super) fn begun(&mut self) {
        if !self.has_begun {
            self.has_begun = true;
            if let Some(admitted) = &mut self.admitted {
                admitted.began();
            }
            MODEL_FIRST_TOKEN.record(self.since.elapsed().as_secs_f64(), &self.named.labels());
        }
    }

    /// Notes what the provider counted.
    pub(super) fn used(&self, tokens: TokenCount) {
        self.span.record("gen_ai.usage.input_tokens", tokens.prompt);
        self.span.record("gen_ai.usage.output_tokens", tokens.completion);
        self.counted("input", f64::from(tokens.prompt));
        self.counted("output", f64::from(tokens.completion));
    }

    /// Notes how many tokens were read, or written.
    pub(super) fn counted(&self, kind: &'static str, tokens: f64) {
        let [operation, provider, model] = self.named.labels();
        MODEL_TOKENS.record(tokens, &[operation, provider, model, ("gen_ai_token_type", kind)]);
    }

    /// Notes how it ended.
    pub(super) fn ended<T>(&mut self, result: &Result<T, PortError>) {
        self.outcome = result.as_ref().map_or_else(|error| word_of(error.kind), |_| OK);
        if let Some(admitted) = &mut self.admitted {
            admitted.ended(result);
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if self.outcome != OK {
            self.span.record("error.type", self.outcome);
        }
        let took = self.since.elapsed().as_secs_f64();
        let Named { operation, model, .. } = self.named;
        let (outcome, duration_ms) = (self.outcome, took * 1_000.0);
        debug!(operation, model, outcome, duration_ms, "called a model");
        let [operation, provider, model] = self.named.labels();
        MODEL_CALL.record(took, &[operation, provider, model, ("error_type", outcome)]);
    }
}
