//! `cargo xtask reproduce`: whether somebody else's build of the same commit is the same bytes.
//!
//! SAM dates everything in a zip 1980 and names it after its content, so a zip differs only when its binary does. Binaries
//! differ by where they were built; `.cargo/rustc-wrapper` takes those paths out, and this shows that it does.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use sha2::{Digest, Sha256};

use crate::{steps, tools};

/// Where the commit is checked out twice: at different depths, under names of different lengths.
const FOLDERS: [&str; 2] = ["target/reproduce/a", "target/reproduce/elsewhere/and/deeper/b"];

/// What to build twice.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The function's package; small ones say as much as large ones
    #[arg(default_value = "health")]
    package: String,
    /// Install cargo-lambda from PyPI where it is missing
    #[arg(long)]
    install: bool,
}

/// Builds the last commit in two folders, with Cargo's home under two names, and compares the binaries.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    tools::STACK.require(root, options.install)?;
    let mut digests = Vec::new();
    for folder in FOLDERS {
        let folder = root.join(folder);
        let mut digest = String::new();
        steps::step(&format!("build {} in {}", options.package, folder.display()), || {
            check_out(root, &folder)?;
            let home = name_cargo_home(&folder)?;
            let binary = build(root, &folder, &home, &options.package)?;
            let bytes =
                fs::read(&binary).with_context(|| format!("{} was not built", binary.display()))?;
            digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            println!("{} bytes, SHA-256 {digest}", bytes.len());
            Ok(())
        })?;
        digests.push(digest);
    }
    if digests.windows(2).any(|pair| pair[0] != pair[1]) {
        bail!("the builds differ: `diffoscope`, or `strings` of both, says in what");
    }
    println!("both builds of `{}` are the same bytes", options.package);
    Ok(())
}

/// Clones the last commit into an empty folder.
fn check_out(root: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("{} stays", folder.display()))?;
    }
    steps::run(
        Command::new("git").args(["clone", "--quiet", "--depth", "1"]).arg(url(root)).arg(folder),
    )
}

/// `--depth` wants an address, not a path.
fn url(root: &Path) -> String {
    format!("file://{}", root.display())
}

/// Gives Cargo's home another name: everybody's registry lies somewhere else, and need not be fetched again to show it.
fn name_cargo_home(folder: &Path) -> Result<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let name = folder.join("target/cargo-home");
    fs::create_dir_all(folder.join("target")).context("the clone cannot be written")?;
    steps::run(Command::new("ln").arg("-s").arg(home.context("Cargo has no home")?).arg(&name))?;
    Ok(name)
}

fn build(root: &Path, folder: &Path, home: &Path, package: &str) -> Result<PathBuf> {
    let target = folder.join("target");
    let mut lambda = tools::STACK.tool(root, "cargo-lambda");
    lambda.current_dir(folder).args(["lambda", "build", "--release", "--locked"]);
    lambda.args(["--package", package]).env("CARGO_TARGET_DIR", &target).env("CARGO_HOME", home);
    steps::run(&mut lambda)?;
    Ok(target.join("lambda").join(package).join("bootstrap"))
}
