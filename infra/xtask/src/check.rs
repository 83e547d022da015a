//! `cargo xtask check`: what must hold before tests are worth running.

use std::path::Path;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::{boundaries, secrets, sizes, steps, supply, tools};

/// One thing to check. Cheap ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// rustfmt changes nothing
    Fmt,
    /// every package uses only what it may
    Boundaries,
    /// every source file keeps to its limit
    Sizes,
    /// every dependency has a licence, a source and a name that may come in
    Licences,
    /// no commit holds a secret
    Secrets,
    /// clippy finds nothing in any target
    Clippy,
    /// rustdoc finds nothing
    Doc,
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Check only these, separated by commas; a part whose tool is missing fails instead of being left out
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
}

/// Runs every chosen part, also after a failure, and fails when one did.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let parts = if options.only.is_empty() { Part::value_variants() } else { &options.only };
    let mut failed = Vec::new();
    for &part in parts {
        let name =
            part.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let required = !options.only.is_empty();
        if let Err(error) = steps::step(&name, || check(root, part, required)) {
            println!("{error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("{} did not pass", failed.join(", "));
    }
    Ok(())
}

fn check(root: &Path, part: Part, required: bool) -> Result<()> {
    let mut cargo = steps::cargo(root);
    match part {
        Part::Fmt => steps::run(cargo.args(["fmt", "--all", "--check"])),
        Part::Boundaries => boundaries::run(root),
        Part::Sizes => sizes::run(root),
        Part::Licences => with_tools(root, required, || supply::licences(root)),
        Part::Secrets => with_tools(root, required, || secrets::run(root)),
        Part::Clippy => {
            let arguments = ["clippy", "--workspace", "--all-targets", "--locked"];
            steps::run(cargo.args(arguments).args(["--", "-D", "warnings"]))
        }
        Part::Doc => {
            let arguments = ["doc", "--workspace", "--no-deps", "--locked"];
            steps::run(cargo.args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
        }
    }
}

/// Runs `part`. A check installs nothing: without its tools a part is left out, and says so.
fn with_tools(root: &Path, required: bool, part: impl FnOnce() -> Result<()>) -> Result<()> {
    match tools::SUPPLY.require(root, false) {
        Ok(()) => part(),
        Err(missing) if required => Err(missing),
        Err(missing) => {
            println!("not checked: {missing:#}");
            Ok(())
        }
    }
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
    fn parts_are_chosen_by_name() {
        let parsed = CommandLine::try_parse_from(["check", "--only", "fmt,sizes"]).unwrap();
        assert_eq!(parsed.options.only, [Part::Fmt, Part::Sizes]);
        assert!(CommandLine::try_parse_from(["check", "--only", "everything"]).is_err());
    }
}
