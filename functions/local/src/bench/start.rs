//! From the start of `lectern serve` on an existing index to its first answer to a search.

use std::{
    net::TcpListener,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::process::Command;

use super::{Finding, decimal};
use crate::{
    api::{Api, Remote},
    failure::Failure,
    output::Output,
    text_table::Align,
};
use lectern_core::metrics::share::percentile;

/// Starts that are measured.
const STARTS: usize = 5;
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(2);
/// How long a start may take.
const LIMIT: Duration = Duration::from_secs(60);
const STARTING: &str = "starting the server {wide_bar} {pos}/{len}";

pub(super) async fn run(data: &Path, output: &Output) -> Result<Finding, Failure> {
    let bar = output.progress(STARTS as u64, STARTING);
    let mut millis = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        millis.push(first_answer(data).await?.as_secs_f64() * 1_000.0);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (median, worst) = (percentile(&millis, 0.5), percentile(&millis, 1.0));
    let columns = vec![
        ("STARTS", Align::Right),
        ("p50 ms TO FIRST ANSWER", Align::Right),
        ("WORST ms", Align::Right),
    ];
    let rows = vec![vec![STARTS.to_string(), decimal(median, 0), decimal(worst, 0)]];
    let value = json!({ "starts": STARTS, "p50_ms": median, "worst_ms": worst });
    Ok(Finding { name: "start", value, columns, rows })
}

async fn first_answer(data: &Path) -> Result<Duration, Failure> {
    // Free a moment ago; should somebody take it meanwhile, the server says so and this fails.
    let addr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let api = Api::Remote(Remote::new(&format!("http://{addr}"), None).map_err(Failure::Failed)?);
    let question = json!({ "question": "bada", "limit": 1 });
    let started = Instant::now();
    let mut server = Command::new(std::env::current_exe()?)
        .args(["serve", "--open", "--addr", &addr.to_string(), "--data"])
        .arg(data)
        .env("LECTERN_EMBEDDER", "none")
        .env("LECTERN_LOG", "error")
        .env_remove("LECTERN_API_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let elapsed = loop {
        if api.post_json::<Value>("/v1/search", &question).await.is_ok() {
            break started.elapsed();
        }
        if let Some(status) = server.try_wait()? {
            return Err(Failure::Failed(format!("the server ended early: {status}")));
        }
        if started.elapsed() > LIMIT {
            return Err(Failure::Failed(format!(
                "no answer within {} s of the start",
                LIMIT.as_secs()
            )));
        }
        tokio::time::sleep(PAUSE).await;
    };
    // Nothing was written, so nothing can be lost.
    server.kill().await?;
    Ok(elapsed)
}
