//! `cargo xtask bench`: benchmarks that need more than one program.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::{stack, steps, tools};

/// Where the peer's environment is, relative to the root.
const PEER: &str = "target/bench";
/// What it has.
const PEER_REQUIREMENTS: &str = "infra/bench/requirements.txt";

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// The built functions: size, start, memory, warm invocations, beside a Python function
    Lambda(Lambda),
}

/// Options of `bench lambda`.
#[derive(Debug, Args)]
pub(crate) struct Lambda {
    /// Measure what `cargo xtask stack` built before, instead of building it now
    #[arg(long)]
    no_build: bool,
    /// Leave the Python function out
    #[arg(long)]
    no_peer: bool,
}

/// Runs a benchmark.
pub(crate) fn run(root: &Path, bench: &Bench) -> Result<()> {
    let Bench::Lambda(options) = bench;
    tools::STACK.require(root, true)?;
    if !options.no_build {
        stack::build(root)?;
    }
    let mut cargo = steps::cargo(root);
    cargo.args(["bench", "--package", "local", "--bench", "lambda", "--locked"]);
    cargo.env("LECTERN_BOOTSTRAPS", root.join(stack::BUILT));
    if !options.no_peer {
        install_peer(root)?;
        cargo.env("LECTERN_PEER_PYTHON", root.join(PEER).join("bin/python"));
    }
    steps::step("bench lambda", || steps::run(&mut cargo))
}

/// Installs the peer's environment unless it is there.
fn install_peer(root: &Path) -> Result<()> {
    let folder = root.join(PEER);
    let stamp = folder.join("installed.txt");
    let wanted = fs::read_to_string(root.join(PEER_REQUIREMENTS))
        .with_context(|| format!("{PEER_REQUIREMENTS} is gone"))?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    steps::step("install the Python peer", || {
        steps::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let mut python = Command::new(folder.join("bin/python"));
        steps::run(python.args(pip).arg("--requirement").arg(root.join(PEER_REQUIREMENTS)))?;
        fs::write(&stamp, &wanted).context("the peer's folder cannot be written")
    })
}
