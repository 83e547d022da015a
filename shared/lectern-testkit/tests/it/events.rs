//! The files under `events/` and the events that tests build.

use std::collections::BTreeSet;

use lambda_http::request::LambdaRequest;
use lectern_testkit::lambda::{
    RestEvent, SqsMessage, events, s3_event, s3_test_event, schedule_event, sqs_event,
};
use serde_json::Value;

/// Every placeholder there is.
const VALUES: [(&str, &str); 11] = [
    ("BACKUP_ID", "01K9Z0000000000000000BACKP"),
    ("BUCKET", "documents"),
    ("DOCUMENT_ID", "01K9Z000000000000000000001"),
    ("KEY", "lk_test"),
    ("OTHER_DOCUMENT_ID", "01K9Z000000000000000000002"),
    ("QUERY_ID", "01K9Z000000000000000000003"),
    ("RESTORATION_ID", "01K9Z0000000000000000REST0"),
    ("SESSION_ID", "01K9Z000000000000000000004"),
    ("SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("TENANT", "acme"),
    ("UPLOAD_ID", "01K9Z000000000000000000005"),
];

fn is_rest(event: &Value) -> bool {
    event.get("httpMethod").is_some()
}

/// The names of an object's fields, and of those in its objects.
fn shape(value: &Value, prefix: &str) -> BTreeSet<String> {
    let fields = value.as_object().into_iter().flatten();
    let named = fields.flat_map(|(name, field)| {
        let name = format!("{prefix}/{name}");
        let mut names = shape(field, &name);
        names.insert(name);
        names
    });
    named.filter(|name| !varies(name)).collect()
}

/// Whether a field is named by the request, not by AWS.
fn varies(name: &str) -> bool {
    ["/headers/", "/multiValueHeaders/", "ueryStringParameters/", "/pathParameters/"]
        .iter()
        .any(|part| name.contains(part))
}

#[test]
fn every_request_has_the_shape_of_a_built_one_and_is_understood() {
    let built = shape(&RestEvent::get("/health").build(), "");
    let mut requests = 0;
    for name in events::names() {
        let event = events::load(&name, &VALUES);
        if !is_rest(&event) {
            continue;
        }
        requests += 1;
        assert_eq!(shape(&event, ""), built, "{name}");
        let understood: Result<LambdaRequest, _> = serde_json::from_value(event);
        assert!(matches!(understood, Ok(LambdaRequest::ApiGatewayV1(_))), "{name}: {understood:?}");
    }
    assert!(requests > 40, "{requests}");
}

#[test]
fn every_batch_has_the_shape_of_a_built_one() {
    let built = sqs_event("jobs", &[SqsMessage::new("m1", "{}")]);
    let built = shape(&built["Records"][0], "");
    for name in events::names() {
        let event = events::load(&name, &VALUES);
        for record in event["Records"].as_array().into_iter().flatten() {
            assert_eq!(shape(record, ""), built, "{name}");
        }
    }
}

#[test]
fn notifications_have_the_shape_of_built_ones() {
    let notification = |name| -> Value {
        let event = events::load(name, &VALUES);
        serde_json::from_str(event["Records"][0]["body"].as_str().unwrap()).unwrap()
    };
    let built = s3_event("documents", "uploads/acme/annual report+2026 (final).pdf", 1024);
    assert_eq!(
        shape(&notification("ingest_s3_event")["Records"][1], ""),
        shape(&built["Records"][0], "")
    );
    assert_eq!(notification("ingest_s3_odd_key"), built);
    assert_eq!(
        shape(&notification("ingest_s3_test_event"), ""),
        shape(&s3_test_event("documents"), "")
    );
    assert_eq!(events::load("sweep_schedule", &[]), schedule_event("sweep"));
}

#[test]
fn no_event_names_an_account_but_the_one_of_examples() {
    for name in events::names() {
        let text = events::load(&name, &VALUES).to_string();
        let digits = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        let numbers = digits
            .filter(|word| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit()));
        let is_example = |number: &&str| *number == "123456789012" || number.starts_with("0000000");
        let others: Vec<_> = numbers.filter(|number| !is_example(number)).collect();
        assert!(others.is_empty(), "{name}: {others:?}");
    }
}

#[test]
fn placeholders_are_filled_everywhere() {
    let event = events::load("session_read", &[("KEY", "lk_1"), ("SESSION_ID", "s1")]);
    assert_eq!(event["path"], "/v1/sessions/s1");
    assert_eq!(event["pathParameters"]["id"], "s1");
    assert_eq!(event["headers"]["Authorization"], "Bearer lk_1");
}

#[test]
#[should_panic(expected = "event `query` has a placeholder without a value: Bearer ${KEY}")]
fn a_placeholder_without_a_value_is_an_error() {
    let _ = events::load("query", &[]);
}

#[test]
#[should_panic(expected = "the value of `${KEY}` cannot stand in JSON as it is")]
fn a_value_that_needs_escaping_is_an_error() {
    let _ = events::load("query", &[("KEY", "a\"b")]);
}

#[test]
#[should_panic(expected = "events/nothing.json")]
fn an_event_that_is_not_there_is_an_error() {
    let _ = events::load("nothing", &[]);
}
