//! Every file of `events/`, given to the function it is for: whatever comes, a function answers and goes on.

use lectern_testkit::lambda::{Driver, Outcome, events};

use super::Stack;

/// Which function an event is for, by the beginning of its name.
fn function(name: &str) -> &'static str {
    match name.split('_').next().unwrap_or_default() {
        "query" | "search" | "session" | "feedback" => "query",
        "upload" | "documents" | "document" | "presigned" | "collections" => "upload",
        "ingest" | "sweep" | "schedule" => "ingest",
        "health" | "ready" => "health",
        "admin" => "admin",
        "site" | "unknown" | "wrong" => "site",
        "backup" | "backups" | "drill" | "restoration" => "backup",
        "not" => "query",
        other => panic!("`{other}` is for no function"),
    }
}

fn placeholders(key: &str) -> Vec<(&'static str, String)> {
    let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned();
    let other = "01BX5ZZKBKACTAV9WEVGEMMVRZ".to_owned();
    vec![
        ("KEY", key.to_owned()),
        ("TENANT", "acme".to_owned()),
        ("BUCKET", super::BUCKET.to_owned()),
        ("DOCUMENT_ID", id.clone()),
        ("OTHER_DOCUMENT_ID", other),
        ("UPLOAD_ID", id.clone()),
        ("SESSION_ID", id.clone()),
        ("QUERY_ID", id.clone()),
        ("BACKUP_ID", id.clone()),
        ("RESTORATION_ID", id),
    ]
}

/// An answer without a failure of ours: a reply that is no 5xx, or, for what is no request, an error the platform is told.
fn assert_answered(name: &str, driver: &Driver, outcome: &Outcome) {
    let status = match outcome {
        Outcome::Buffered(reply) => reply["statusCode"].as_u64(),
        Outcome::Streaming(reply) => Some(u64::from(reply.status)),
        Outcome::Error(_) => {
            // The last one is no base64 where the gateway says base64, which it never does.
            let is_no_request = name.starts_with("not_")
                || name == "query_base64_broken"
                || name.starts_with("schedule_")
                || name == "admin_set_log_levels_of_others"
                || name.starts_with("admin_create_key_incomplete");
            assert!(is_no_request, "{name}: {outcome:?} {:#?}", driver.log());
            None
        }
        other => panic!("{name}: {other:?} {:#?}", driver.log()),
    };
    assert!(status.is_none_or(|status| status < 500), "{name}: {outcome:?} {:#?}", driver.log());
}

#[tokio::test]
async fn every_event_is_answered_and_the_function_goes_on() {
    let stack = Stack::start().await;
    let key = stack.key("acme").await;
    let values = placeholders(&key);
    let values: Vec<(&str, &str)> =
        values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let names = events::names();
    for function_name in ["query", "upload", "ingest", "health", "backup", "admin", "site"] {
        let driver = stack.function(function_name).await;
        for name in names.iter().filter(|name| function(name) == function_name) {
            let event = events::load(name, &values);
            let invocation = driver.invoke(&event).await;
            assert_answered(name, &driver, &invocation.outcome);
            assert!(driver.is_alive(), "{name}");
        }
    }
}
