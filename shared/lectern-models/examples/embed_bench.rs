//! Prints what all-MiniLM-L6-v2 costs on this machine: CPU milliseconds per query, chunks per CPU-second.
//!
//! `cargo run --release -p lectern-models --example embed_bench -- MODEL_DIRECTORY`

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::{env, error::Error, fs, path::Path, time::Instant};

use lectern_core::ports::Embedder;
use lectern_models::minilm::MiniLm;

/// Twelve tokens with the two special ones.
const QUERY: &str = "how often does the nightly backup run on sunday?";
const QUERIES: u32 = 200;
const CHUNKS: u32 = 64;

/// Returns the seconds of CPU all threads of this process have used (Linux).
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let mut nanoseconds = 0.0;
    for thread in fs::read_dir("/proc/self/task")? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        let first = times.split(' ').next().ok_or("schedstat is empty")?;
        nanoseconds += first.parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

fn resident() -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).ok_or("no VmRSS")?;
    Ok(line.replace(['\t', ' '], ""))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args().nth(1).ok_or("give the directory of the installed model")?;
    let (wall, cpu) = (Instant::now(), cpu_seconds()?);
    let model = MiniLm::open(Path::new(&directory))?;
    let loaded = (cpu_seconds()? - cpu) * 1e3;
    println!("open: {loaded:.0} ms CPU, {} ms wall, {}", wall.elapsed().as_millis(), resident()?);

    model.embed(&[QUERY.to_owned()]).await?;
    let (wall, cpu) = (Instant::now(), cpu_seconds()?);
    for _ in 0..QUERIES {
        model.embed(&[QUERY.to_owned()]).await?;
    }
    let each = (cpu_seconds()? - cpu) * 1e3 / f64::from(QUERIES);
    let each_wall = wall.elapsed().as_secs_f64() * 1e3 / f64::from(QUERIES);
    println!("query of 12 tokens: {each:.1} ms CPU, {each_wall:.1} ms wall (reference 10 ms CPU)");

    let chunk = "the nightly backup runs on every sunday and is kept for thirty days ".repeat(30);
    let chunks: Vec<String> = (0..CHUNKS).map(|number| format!("{number} {chunk}")).collect();
    let (wall, cpu) = (Instant::now(), cpu_seconds()?);
    model.embed(&chunks).await?;
    let rate = f64::from(CHUNKS) / (cpu_seconds()? - cpu);
    let rate_wall = f64::from(CHUNKS) / wall.elapsed().as_secs_f64();
    println!(
        "chunks of 256 tokens: {rate:.1} per CPU-second, {rate_wall:.1} per second (reference 11)"
    );
    println!("afterwards: {}", resident()?);
    Ok(())
}
