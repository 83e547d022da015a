//! What answering depends on, one thing at a time.

use lectern_testkit::wire::Fault::{self, Failing, Flapping, Gone, Silent, Wrong};
use serde_json::json;

use super::{
    Day, SLOW,
    drill::{Drill, carry_out},
};

const CHAT: &[(&str, &str)] =
    &[("LECTERN_CHAT", "openai:gpt-4o-mini"), ("LECTERN_EMBEDDER", "none")];
const EMBEDDER: &[(&str, &str)] = &[("LECTERN_EMBEDDER", "openai:text-embedding-3-small@64")];

/// What follows from a fault of a wire.
fn drill(wire: &'static str, fault: Fault, status: u16) -> Drill {
    Drill {
        broken: vec![(wire, fault)],
        status,
        without: &[],
        log: "",
        measured: None,
        alarms: &[],
    }
}

#[tokio::test]
async fn the_table() {
    let day = Day::begin(&[]).await;
    let failing = |fault, status, outcome| Drill {
        log: "a dependency failed",
        measured: Some(("table", outcome)),
        alarms: &["AvailabilityBurnsPage", "DependencyFails"],
        ..drill("table", fault, status)
    };
    carry_out(&day, &drill("table", SLOW, 200)).await;
    carry_out(&day, &drill("table", Flapping, 200)).await;
    carry_out(&day, &failing(Failing, 503, "unavailable")).await;
    carry_out(&day, &failing(Wrong, 500, "internal")).await;
    carry_out(&day, &failing(Gone, 503, "unavailable")).await;
}

#[tokio::test]
async fn the_table_that_is_silent() {
    let day = Day::begin(&[]).await;
    let silent = Drill {
        log: "a dependency failed",
        measured: Some(("table", "timeout")),
        alarms: &["AvailabilityBurnsPage", "DependencyFails"],
        ..drill("table", Silent, 504)
    };
    carry_out(&day, &silent).await;
}

#[tokio::test]
async fn the_index() {
    let day = Day::begin(&[]).await;
    let failing = |fault, status, outcome| Drill {
        log: "a dependency failed",
        measured: Some(("index", outcome)),
        alarms: &["AvailabilityBurnsPage", "DependencyFails"],
        ..drill("index", fault, status)
    };
    carry_out(&day, &drill("index", SLOW, 200)).await;
    carry_out(&day, &failing(Failing, 503, "unavailable")).await;
    carry_out(&day, &failing(Wrong, 503, "unavailable")).await;
    carry_out(&day, &failing(Silent, 504, "timeout")).await;
    carry_out(&day, &failing(Gone, 503, "unavailable")).await;
}

#[tokio::test]
async fn the_chat_model() {
    let day = Day::begin(CHAT).await;
    let failing = |fault, status, outcome| Drill {
        log: "a dependency failed",
        measured: Some(("chat", outcome)),
        alarms: &["AvailabilityBurnsPage", "ModelFails"],
        ..drill("models", fault, status)
    };
    carry_out(&day, &drill("models", SLOW, 200)).await;
    carry_out(&day, &failing(Failing, 503, "unavailable")).await;
    carry_out(&day, &failing(Wrong, 503, "unavailable")).await;
    carry_out(&day, &failing(Silent, 504, "timeout")).await;
    carry_out(&day, &failing(Gone, 503, "unavailable")).await;
}

#[tokio::test]
async fn the_chat_model_where_sentences_stand_for_it() {
    let day = Day::begin(CHAT).await;
    day.settings(json!({"answers": {"fallback": "extractive"}})).await;
    for (fault, outcome) in [
        (Failing, "unavailable"),
        (Wrong, "unavailable"),
        (Silent, "timeout"),
        (Gone, "unavailable"),
    ] {
        let degraded = Drill {
            without: &["generate"],
            log: "the chat model failed: the answer is extractive",
            measured: Some(("chat", outcome)),
            alarms: &["AnswersDoWithout", "ModelFails"],
            ..drill("models", fault, 200)
        };
        carry_out(&day, &degraded).await;
    }
}

#[tokio::test]
async fn the_embedder() {
    let day = Day::begin(EMBEDDER).await;
    carry_out(&day, &drill("models", SLOW, 200)).await;
    // One that is silent is not waited for; that is no failed call.
    let both: &[&str] = &["AnswersDoWithout", "ModelFails"];
    for (fault, outcome, alarms) in [
        (Failing, "unavailable", both),
        (Wrong, "internal", both),
        (Silent, "cancelled", &["AnswersDoWithout"]),
        (Gone, "unavailable", both),
    ] {
        let degraded = Drill {
            without: &["embed"],
            measured: Some(("embeddings", outcome)),
            alarms,
            ..drill("models", fault, 200)
        };
        carry_out(&day, &degraded).await;
    }
}

#[tokio::test]
async fn the_reranker() {
    let day = Day::begin(&[("LECTERN_RERANKER", "cohere:rerank-v3.5")]).await;
    day.settings(json!({"retrieval": {"rerank": {"candidates": 8, "budget_ms": 400}}})).await;
    carry_out(&day, &drill("reranker", SLOW, 200)).await;
    for (fault, outcome) in
        [(Failing, "unavailable"), (Wrong, "internal"), (Silent, "timeout"), (Gone, "unavailable")]
    {
        let degraded = Drill {
            without: &["rerank"],
            log: "failed to rerank; the order without it stands",
            measured: Some(("rerank", outcome)),
            alarms: &["AnswersDoWithout", "ModelFails"],
            ..drill("reranker", fault, 200)
        };
        carry_out(&day, &degraded).await;
    }
}
