//! Two things at a time.

use lectern_testkit::wire::Fault::{Failing, Gone, Silent};

use serde_json::json;

use super::{
    Day, SLOW,
    drill::{Drill, carry_out},
};

const MODELS: &[(&str, &str)] = &[
    ("LECTERN_CHAT", "openai:gpt-4o-mini"),
    ("LECTERN_EMBEDDER", "openai:text-embedding-3-small@64"),
    ("LECTERN_RERANKER", "cohere:rerank-v3.5"),
];

#[tokio::test]
async fn whatever_fails_with_it_the_worst_says_what_is_answered() {
    let day = Day::begin(MODELS).await;
    day.settings(json!({"retrieval": {"rerank": {"candidates": 8, "budget_ms": 400}}})).await;
    for (broken, status) in [
        (vec![("table", Gone), ("index", Gone)], 503),
        (vec![("table", Failing), ("models", Gone)], 503),
        (vec![("table", SLOW), ("index", Gone)], 503),
        (vec![("index", Gone), ("models", Gone)], 503),
        (vec![("index", SLOW), ("models", Failing)], 503),
        (vec![("index", Failing), ("models", SLOW)], 503),
        (vec![("index", SLOW), ("models", Silent)], 504),
        (vec![("table", SLOW), ("models", Silent)], 504),
        (vec![("table", Gone), ("reranker", Silent)], 503),
        (vec![("index", Failing), ("reranker", Gone)], 503),
        (vec![("models", Gone), ("reranker", Failing)], 503),
    ] {
        let drill = Drill {
            broken,
            status,
            without: &[],
            log: "a dependency failed",
            measured: None,
            alarms: &["AvailabilityBurnsPage"],
        };
        carry_out(&day, &drill).await;
    }
}

/// Two things that answers can do without are done without.
#[tokio::test]
async fn what_answers_can_do_without_they_do_without_together() {
    let day = Day::begin(MODELS).await;
    let settings = json!({
        "retrieval": {"rerank": {"candidates": 8, "budget_ms": 400}},
        "answers": {"fallback": "extractive"},
    });
    day.settings(settings).await;
    for (first, second) in [(Failing, Failing), (Gone, Silent), (Silent, Gone)] {
        let drill = Drill {
            broken: vec![("models", first), ("reranker", second)],
            status: 200,
            without: &["embed", "rerank", "generate"],
            log: "the chat model failed: the answer is extractive",
            measured: None,
            alarms: &["AnswersDoWithout"],
        };
        carry_out(&day, &drill).await;
    }
}
