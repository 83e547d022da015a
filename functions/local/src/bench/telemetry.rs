//! What measuring and tracing add to a question: the same questions, in turn with everything on (metrics for Prometheus, each span
//! of a sampled trace, JSON lines that go nowhere) and with nothing.
//!
//! Questions run on one thread, whose processor time is read; what the index does on threads of its own is not counted, so that
//! the share is more than it really is.

use std::time::Instant;

use axum::{Router, body::Body};
use http::{Request, header};
use http_body_util::BodyExt as _;
use lectern_core::metrics::share::percentile;
use lectern_runtime::{metrics::prometheus, telemetry};
use serde_json::json;
use tower::ServiceExt as _;
use tracing::{dispatcher, subscriber::NoSubscriber};

use super::{Finding, decimal, ingest};
use crate::{compose::Local, failure::Failure, output::Output, text_table::Align};

const QUESTIONS: usize = 600;
const WARM_UP: usize = 60;
/// Megabytes that are asked.
const MEGABYTES: u32 = 1;

/// Times of one way, in milliseconds.
#[derive(Default)]
struct Measured {
    wall: Vec<f64>,
    processor: Vec<f64>,
}

pub(super) async fn run(output: &Output) -> Result<Finding, Failure> {
    let directory = ingest::run(MEGABYTES, output).await?.1;
    let local = Local::open(directory.path(), &ingest::settings()?).await?;
    let routes = local.router(Some(local.tenant.clone()));
    let asked = tokio::task::spawn_blocking(move || ask_all(&routes));
    let (with, without) = asked.await.map_err(|panic| Failure::Failed(panic.to_string()))??;
    local.close().await?;
    Ok(finding(&with, &without))
}

fn ask_all(routes: &Router) -> Result<(Measured, Measured), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let recorder = prometheus::recorder();
    let handle = recorder.handle();
    let (chatty, silent) = (
        dispatcher::Dispatch::new(telemetry::rehearsal()),
        dispatcher::Dispatch::new(NoSubscriber::default()),
    );
    let (mut with, mut without) = (Measured::default(), Measured::default());
    for number in 0..QUESTIONS {
        // Each question once, so that no cache answers it; which way goes first alternates.
        for is_on in [number % 2 == 0, number % 2 == 1] {
            let question = format!("What does chapter {number} say of part {}?", u8::from(is_on));
            let one = || runtime.block_on(ask(routes, &question));
            let (dispatch, into) =
                if is_on { (&chatty, &mut with) } else { (&silent, &mut without) };
            let (began, processor) = (Instant::now(), processor_millis()?);
            dispatcher::with_default(dispatch, || {
                if is_on {
                    metrics::with_local_recorder(&recorder, one)
                } else {
                    metrics::with_local_recorder(&metrics::NoopRecorder, one)
                }
            })?;
            if number >= WARM_UP {
                into.processor.push(processor_millis()? - processor);
                into.wall.push(began.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        if number % 50 == 0 {
            handle.run_upkeep();
        }
    }
    Ok((with, without))
}

async fn ask(routes: &Router, question: &str) -> Result<(), Failure> {
    let body = json!({ "question": question }).to_string();
    let request = Request::post("/v1/query")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "localhost")
        .body(Body::from(body))
        .map_err(std::io::Error::other)?;
    let response = routes.clone().oneshot(request).await.map_err(std::io::Error::other)?;
    let status = response.status();
    // To its end: what is noted of a request is noted then.
    response.into_body().collect().await.map_err(std::io::Error::other)?;
    if status.is_success() {
        Ok(())
    } else {
        Err(Failure::Failed(format!("a question was answered {status}")))
    }
}

/// Returns the processor time of this thread (`proc(5)`, `/proc/pid/schedstat`).
fn processor_millis() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split(' ').next().and_then(|first| first.parse::<u64>().ok());
    let nanos =
        nanos.ok_or_else(|| Failure::Failed("the system tells no processor time".into()))?;
    #[expect(clippy::cast_precision_loss, reason = "threads of a bench live for minutes")]
    let millis = nanos as f64 / 1_000_000.0;
    Ok(millis)
}

fn finding(with: &Measured, without: &Measured) -> Finding {
    let median = |millis: &[f64]| percentile(millis, 0.5);
    let mean = |millis: &[f64]| millis.iter().sum::<f64>() / millis.len().max(1) as f64;
    let added_wall = (median(&with.wall) - median(&without.wall)) * 1_000.0;
    let added_processor = (mean(&with.processor) - mean(&without.processor)) * 1_000.0;
    let share = mean(&with.processor) / mean(&without.processor) - 1.0;
    let row = |what: &str, measured: &Measured| {
        vec![
            what.to_owned(),
            decimal(median(&measured.wall), 3),
            decimal(percentile(&measured.wall, 0.95), 3),
            decimal(mean(&measured.processor), 3),
        ]
    };
    let rows = vec![
        row("with telemetry", with),
        row("without", without),
        vec![
            "added".to_owned(),
            format!("{} µs", decimal(added_wall, 1)),
            String::new(),
            format!("{} µs, {} %", decimal(added_processor, 1), decimal(share * 100.0, 2)),
        ],
    ];
    let columns = vec![
        ("A QUESTION", Align::Left),
        ("p50 ms", Align::Right),
        ("p95 ms", Align::Right),
        ("PROCESSOR ms", Align::Right),
    ];
    let value = json!({
        "questions": with.wall.len(), "added_p50_us": added_wall,
        "added_processor_us": added_processor, "added_processor_share": share,
    });
    Finding { name: "telemetry", value, columns, rows }
}
