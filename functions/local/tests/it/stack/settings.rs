//! A function whose settings are wrong does not start, and names every one.

use lectern_testkit::lambda::{Bootstrap, Driver, Outcome, binary};
use serde_json::json;

#[tokio::test]
async fn a_function_without_settings_names_them_all_and_ends() {
    for (name, missing) in [
        ("query", vec!["LECTERN_TABLE_URL", "LECTERN_INDEX_URL", "LECTERN_KEY_PEPPER"]),
        ("upload", vec!["LECTERN_TABLE_URL", "LECTERN_BLOBS_URL", "LECTERN_QUEUE_URL"]),
        ("ingest", vec!["LECTERN_DEAD_LETTER_QUEUE_URL", "LECTERN_INDEX_URL"]),
        ("health", vec!["LECTERN_TABLE_URL", "LECTERN_QUEUE_URL"]),
        ("backup", vec!["LECTERN_BACKUPS_URL", "LECTERN_BLOBS_URL", "LECTERN_KEY_PEPPER"]),
        ("admin", vec!["LECTERN_TABLE_URL", "LECTERN_KEY_PEPPER"]),
        ("site", vec!["LECTERN_ENVIRONMENT"]),
    ] {
        let driver = Driver::start(&Bootstrap::new(name, binary(name)));
        let ended = driver.invoke(&json!({})).await;
        let ended_at_start = matches!(ended.outcome, Outcome::Exited(_) | Outcome::InitError(_));
        assert!(ended_at_start, "{name}: {ended:?}");
        let log = driver.log().join("\n");
        for variable in missing {
            let problem = format!("environment variable `{variable}` is not set");
            assert!(log.contains(&problem), "{name} {variable}: {log}");
        }
    }
}
