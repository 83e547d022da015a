//! `cargo xtask stack`: the functions as `sam build` makes them, then driven through the Lambda Runtime API.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::{steps, test, tools};

/// Where SAM puts what it builds.
pub(crate) const BUILT: &str = ".aws-sam/build";
/// The tests that start built functions.
const DRIVEN: &str = "test(stack::)";

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Install what is missing: SAM, cargo-lambda and moto from PyPI, cargo-nextest
    #[arg(long)]
    install: bool,
    /// Build only
    #[arg(long)]
    no_drive: bool,
}

/// Builds every function for this machine's processor and runs the tests of the stack on the result.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    tools::STACK.require(root, options.install)?;
    build(root)?;
    if options.no_drive {
        return Ok(());
    }
    let arguments = ["-p", "local", "--test", "it", "-E", DRIVEN, "--locked"];
    let arguments: Vec<String> = arguments.map(str::to_owned).into();
    test::driving(root, options.install, &arguments, &root.join(BUILT))
}

/// Runs `sam build`. Its parallel builds would wait for one another's lock on Cargo's folder.
pub(crate) fn build(root: &Path) -> Result<()> {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let mut sam = tools::STACK.tool(root, "sam");
    sam.args(["build", "--build-dir", BUILT, "--parameter-overrides"]);
    sam.arg(format!("Architecture={architecture}"));
    // One folder for all functions: what they share is compiled once.
    sam.env("CARGO_TARGET_DIR", root.join("target"));
    steps::step("sam build", || steps::run(&mut sam))
}
