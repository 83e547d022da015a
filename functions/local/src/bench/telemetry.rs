//! What measuring and tracing add to a question: the same questions, in turn with nothing, with metrics for Prometheus, with these
//! and JSON lines that go nowhere, in a trace that is not sampled and in one that is.
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
use tracing::{
    dispatcher::{self, Dispatch},
    subscriber::NoSubscriber,
};

use super::{Finding, decimal, ingest};
use crate::{compose::Local, failure::Failure, output::Output, text_table::Align};

const QUESTIONS: usize = 600;
const WARM_UP: usize = 60;
/// Megabytes that are asked.
const MEGABYTES: u32 = 1;

/// In which order the ways take turns: each follows each of the others as often, for what runs first leaves its things in the
/// processor's caches (E. J. Williams, "Experimental Designs Balanced for the Estimation of Residual Effects of Treatments", 1949).
const ORDERS: [[usize; 4]; 4] = [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]];

/// Times of one [`Way`], in milliseconds.
#[derive(Default)]
struct Measured {
    wall: Vec<f64>,
    processor: Vec<f64>,
}

/// What is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Nothing,
    Metrics,
    Unsampled,
    Sampled,
}

impl Way {
    const ALL: [Self; 4] = [Self::Nothing, Self::Metrics, Self::Unsampled, Self::Sampled];

    fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Metrics => "metrics",
            Self::Unsampled => "metrics, lines, trace not sampled",
            Self::Sampled => "metrics, lines, trace sampled",
        }
    }

    fn dispatch(self) -> Dispatch {
        match self {
            Self::Nothing | Self::Metrics => Dispatch::new(NoSubscriber::default()),
            Self::Unsampled => Dispatch::new(telemetry::rehearsal(false)),
            Self::Sampled => Dispatch::new(telemetry::rehearsal(true)),
        }
    }
}

pub(super) async fn run(output: &Output) -> Result<Finding, Failure> {
    let directory = ingest::run(MEGABYTES, output).await?.1;
    let local = Local::open(directory.path(), &ingest::settings()?).await?;
    let routes = local.router(Some(local.tenant.clone()));
    let asked = tokio::task::spawn_blocking(move || ask_all(&routes));
    let measured = asked.await.map_err(|panic| Failure::Failed(panic.to_string()))??;
    local.close().await?;
    Ok(finding(&measured))
}

fn ask_all(routes: &Router) -> Result<[Measured; 4], Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let recorder = prometheus::recorder();
    let handle = recorder.handle();
    let dispatches = Way::ALL.map(Way::dispatch);
    let mut measured: [Measured; 4] = Default::default();
    for number in 0..QUESTIONS {
        // Each question once, so that no cache answers it.
        for at in ORDERS[number % ORDERS.len()] {
            let question = format!("What does chapter {number} say of part {at}?");
            let one = || runtime.block_on(ask(routes, &question));
            let (began, processor) = (Instant::now(), processor_millis()?);
            dispatcher::with_default(&dispatches[at], || match Way::ALL[at] {
                Way::Nothing => metrics::with_local_recorder(&metrics::NoopRecorder, one),
                _ => metrics::with_local_recorder(&recorder, one),
            })?;
            if number >= WARM_UP {
                measured[at].processor.push(processor_millis()? - processor);
                measured[at].wall.push(began.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        if number % 50 == 0 {
            handle.run_upkeep();
        }
    }
    Ok(measured)
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

fn finding(measured: &[Measured; 4]) -> Finding {
    let median = |millis: &[f64]| percentile(millis, 0.5);
    let [nothing, ..] = measured;
    let (mut value, mut rows) = (serde_json::Map::new(), Vec::new());
    for (way, of) in Way::ALL.into_iter().zip(measured) {
        let (wall, processor) = (median(&of.wall), median(&of.processor));
        let added_wall = (wall - median(&nothing.wall)) * 1_000.0;
        let added_processor = (processor - median(&nothing.processor)) * 1_000.0;
        let share = processor / median(&nothing.processor) - 1.0;
        rows.push(vec![
            way.as_str().to_owned(),
            decimal(wall, 3),
            decimal(percentile(&of.wall, 0.95), 3),
            decimal(processor, 3),
            format!("{} µs", decimal(added_wall, 1)),
            format!("{} µs, {} %", decimal(added_processor, 1), decimal(share * 100.0, 2)),
        ]);
        let of = json!({
            "questions": of.wall.len(), "p50_ms": wall, "added_p50_us": added_wall,
            "added_processor_us": added_processor, "added_processor_share": share,
        });
        value.insert(way.as_str().to_owned(), of);
    }
    let columns = vec![
        ("WITH", Align::Left),
        ("p50 ms", Align::Right),
        ("p95 ms", Align::Right),
        ("PROCESSOR p50 ms", Align::Right),
        ("ADDED p50", Align::Right),
        ("ADDED PROCESSOR", Align::Right),
    ];
    Finding { name: "telemetry", value: value.into(), columns, rows }
}
