//! `cargo xtask conformance`: Schemathesis asks a running server whatever its description allows, and what it does not.
//!
//! No 5xx, no status, header or media type that is not described, no body of another form, nothing wrong accepted, nothing
//! right refused. What is asked differs from run to run; a failure prints its seed and the request.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{server::Server, steps, test, tools};

/// How long every test run asks.
pub(crate) const DEFAULT_SECONDS: u32 = 120;
/// With it a test run does not fail by chance; releases are asked at random.
pub(crate) const TEST_SEED: u32 = 1;
/// Its settings, and those of Schemathesis.
const FOLDER: &str = "infra/conformance";

/// What to ask.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long to ask; before a release 900
    #[arg(long, default_value_t = DEFAULT_SECONDS, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Install Schemathesis from PyPI where it is missing
    #[arg(long)]
    install: bool,
}

/// Builds the local binary and asks it.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    steps::step("build", || {
        steps::run(steps::cargo(root).args(["build", "--package", "local", "--locked"]))
    })?;
    ask(root, options.install, options.seconds, None)
}

/// Asks the binary that was built, for so many seconds; with a seed about the same as the last time.
pub(crate) fn ask(root: &Path, install: bool, seconds: u32, seed: Option<u32>) -> Result<()> {
    tools::CONFORMANCE.require(root, install)?;
    steps::step("conformance", || {
        let data = std::env::temp_dir().join(format!("lectern-conformance-{}", std::process::id()));
        let key = key(root, &data)?;
        let id = key.split('_').nth(1).context("a key has an id")?.to_owned();
        let mut lectern = lectern(root, &data)?;
        // Most of what is asked comes without a key, or with a wrong one.
        lectern.env("LECTERN_WRONG_KEYS_PER_MINUTE", "1000000000").env("LECTERN_LOG", "error");
        let server = Server::start(&mut lectern, &[], data)?;
        let mut schemathesis = tools::CONFORMANCE.tool(root, "schemathesis");
        schemathesis
            .current_dir(root.join(FOLDER))
            .args(["--no-color", "--config-file", "schemathesis.toml", "run"])
            .arg(format!("{}/openapi.json", server.url))
            // All checks are made without saying so; named here, they would win over what the settings except.
            .arg("--max-time")
            .arg(seconds.to_string())
            .args(seed.map(|seed| format!("--seed={seed}")))
            .env("LECTERN_API_KEY", key)
            .env("LECTERN_CONFORMANCE_KEY_ID", id);
        steps::run(&mut schemathesis)
    })
}

/// Makes a data directory with a key that may do everything, often.
fn key(root: &Path, data: &PathBuf) -> Result<String> {
    let mut create = lectern(root, data)?;
    create.args(["keys", "create", "conformance", "--permission", "query,upload,admin,backup"]);
    let key = steps::output(create.args(["--rate", "60000"]).env("LECTERN_EMBEDDER", "none"))?;
    Ok(key.trim().to_owned())
}

fn lectern(root: &Path, data: &PathBuf) -> Result<Command> {
    let mut command = test::local_binary(root)?;
    command.arg("--data").arg(data);
    Ok(command)
}
