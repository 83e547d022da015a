//! Two things at a time.

use lectern_testkit::wire::Fault::{Failing, Gone, Silent};

use super::{
    Day, SLOW,
    drill::{Drill, carry_out},
};

const BOTH_MODELS: &[(&str, &str)] = &[
    ("LECTERN_CHAT", "openai:gpt-4o-mini"),
    ("LECTERN_EMBEDDER", "openai:text-embedding-3-small@64"),
];

#[tokio::test]
async fn whatever_fails_with_it_the_worst_says_what_is_answered() {
    let day = Day::begin(BOTH_MODELS).await;
    for (broken, status) in [
        (vec![("table", Gone), ("index", Gone)], 503),
        (vec![("table", Failing), ("models", Gone)], 503),
        (vec![("table", SLOW), ("index", Gone)], 503),
        (vec![("index", Gone), ("models", Gone)], 503),
        (vec![("index", SLOW), ("models", Failing)], 503),
        (vec![("index", Failing), ("models", SLOW)], 503),
        (vec![("index", SLOW), ("models", Silent)], 504),
        (vec![("table", SLOW), ("models", Silent)], 504),
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
