//! Against replies in CloudWatch's own wire form (Smithy RPC v2 CBOR): the emulator the other adapters are tested with does not
//! speak it.

use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_cbor::Encoder;
use lectern_telemetry::levels::{ANSWER, AVAILABILITY};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::path_regex};

use super::*;

/// Series of a reply: id, label, values.
type Told = Vec<(String, String, Vec<f64>)>;

fn reply(told: &Told) -> ResponseTemplate {
    let mut encoder = Encoder::new(Vec::new());
    encoder.begin_map();
    encoder.str("MetricDataResults").array(told.len());
    for (id, label, values) in told {
        encoder.begin_map().str("Id").str(id).str("Label").str(label).str("Values");
        encoder.array(values.len());
        for value in values {
            encoder.double(*value);
        }
        encoder.end();
    }
    encoder.end();
    ResponseTemplate::new(200)
        .insert_header("smithy-protocol", "rpc-v2-cbor")
        .set_body_raw(encoder.into_writer(), "application/cbor")
}

async fn cloudwatch(
    respond: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static,
) -> (MockServer, CloudWatch) {
    let server = MockServer::start().await;
    let matched =
        Mock::given(path_regex("/service/GraniteServiceVersion20100801/operation/GetMetricData"));
    matched.respond_with(respond).mount(&server).await;
    let config = aws_sdk_cloudwatch::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .endpoint_url(server.uri())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    (server, CloudWatch::with(Client::from_conf(config), "lectern-prod"))
}

fn says(request: &Request, text: &str) -> bool {
    request.body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_report_is_summed_from_series_and_read_once() {
    let (server, cloudwatch) = cloudwatch(|request| {
        let is_fine = says(request, ", 300)");
        let values = |day: f64, hour: f64| {
            let mut values = vec![0.0; 288];
            (values[0], values[287]) = (day, hour);
            if is_fine { values } else { vec![1_000.0, day + hour] }
        };
        reply(&vec![
            ("total_answer".into(), "a".into(), values(90.0, 10.0)),
            ("part_answer".into(), "a".into(), values(81.0, 8.0)),
            ("total_availability".into(), "b".into(), values(400.0, 100.0)),
            ("part_availability".into(), "b".into(), values(2.0, 1.0)),
        ])
    })
    .await;
    let now = Timestamp::from_millis(1_800_000_000_000);
    let report = cloudwatch.report(now).await.unwrap();
    let of = |level| levels::ALL.iter().position(|one| *one == level).unwrap();
    let (answer, availability) = (of(&ANSWER), of(&AVAILABILITY));
    assert_eq!(report.windows[0][answer], Tally { total: 10.0, good: 8.0 });
    assert_eq!(report.windows[1][answer], Tally { total: 100.0, good: 89.0 });
    // What is named there is bad.
    assert_eq!(report.windows[0][availability], Tally { total: 100.0, good: 99.0 });
    assert_eq!(report.windows[1][availability], Tally { total: 500.0, good: 497.0 });
    assert_eq!(report.windows[2][answer], Tally { total: 1_100.0, good: 1_089.0 });
    let nothing = of(&levels::COST_LEVEL);
    assert_eq!(report.windows[0][nothing], Tally::default());

    assert_eq!(cloudwatch.report(now).await.unwrap(), report);
    assert_eq!(server.received_requests().await.unwrap().len(), 2, "the day and the month, once");
}

#[tokio::test]
async fn series_become_text_with_their_dimensions() {
    let (_server, cloudwatch) = cloudwatch(|_| {
        let at = |name| {
            lectern_telemetry::instruments::ALL.iter().position(|one| one.name == name).unwrap()
        };
        let errors = format!("i{}_sum", at("rag_query_errors_total"));
        let first = format!("i{}_p95", at("rag_first_token_seconds"));
        reply(&vec![
            (errors, "query|timeout".into(), vec![1.0, 3.0]),
            (first.clone(), "query".into(), vec![0.25]),
            (first, "quiet".into(), vec![]),
        ])
    })
    .await;
    let text = cloudwatch.exposition(Timestamp::from_millis(1_800_000_000_000)).await.unwrap();
    assert_eq!(
        text,
        "# HELP rag_first_token_seconds_p95 Time from a question to the first piece of its answer (CloudWatch, p95 of 5 min)\n\
         # TYPE rag_first_token_seconds_p95 gauge\n\
         rag_first_token_seconds_p95{function=\"query\"} 0.25\n\
         # HELP rag_query_errors_total_sum Questions that ended in an error, by its kind (CloudWatch, sum of 5 min)\n\
         # TYPE rag_query_errors_total_sum gauge\n\
         rag_query_errors_total_sum{function=\"query\",kind=\"timeout\"} 3\n"
    );
}

#[tokio::test]
async fn a_refusal_is_an_error_and_not_an_empty_report() {
    let (_server, cloudwatch) = cloudwatch(|_| {
        let mut encoder = Encoder::new(Vec::new());
        encoder.begin_map().str("__type").str("com.amazonaws.cloudwatch#AccessDenied").end();
        ResponseTemplate::new(403)
            .insert_header("smithy-protocol", "rpc-v2-cbor")
            .set_body_raw(encoder.into_writer(), "application/cbor")
    })
    .await;
    let refused = cloudwatch.report(Timestamp::from_millis(1_800_000_000_000)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unauthenticated, "{refused:?}");
}
