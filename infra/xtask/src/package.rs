//! `cargo xtask package`: release binaries, one package at a time.
//!
//! Never the whole workspace at once: Cargo would build each dependency with the features that all
//! packages together ask for, and a function would link what only the local process uses.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use cargo_metadata::Metadata;
use clap::Args;

use crate::{steps, workspace};

/// Bytes in a megabyte, as sizes are printed.
const MEGABYTE: f64 = 1_000_000.0;

/// What to build.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Packages to build [default: every function that has a main]
    packages: Vec<String>,
    /// Build with cargo-lambda, for the Lambda platform; leaves out `local`
    #[arg(long)]
    lambda: bool,
}

/// A binary and the package that makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) package: String,
    pub(crate) name: String,
}

/// Builds each chosen package alone and prints the size of every binary.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let metadata = workspace::members(root)?;
    let binaries = choose(function_binaries(&metadata)?, options)?;
    if options.lambda && !steps::answers(steps::cargo(root).args(["lambda", "--version"])) {
        bail!("cargo-lambda is not installed: pip install cargo-lambda");
    }
    for binary in &binaries {
        let build: &[&str] = if options.lambda { &["lambda", "build"] } else { &["build"] };
        let mut cargo = steps::cargo(root);
        let cargo = cargo.args(build).args(["--release", "--locked", "--package", &binary.package]);
        steps::step(&format!("build {}", binary.package), || steps::run(cargo))?;
    }
    for binary in &binaries {
        let folder = metadata.target_directory.as_std_path();
        let file = match options.lambda {
            true => folder.join("lambda").join(&binary.name).join("bootstrap"),
            false => folder
                .join("release")
                .join(&binary.name)
                .with_extension(std::env::consts::EXE_EXTENSION),
        };
        let bytes =
            fs::metadata(&file).with_context(|| format!("{} was not built", file.display()))?.len();
        println!("{:>8.1} MB  {}  {}", bytes as f64 / MEGABYTE, binary.package, file.display());
    }
    Ok(())
}

/// Returns every binary that a function's package makes, `local` among them.
pub(crate) fn function_binaries(metadata: &Metadata) -> Result<Vec<Binary>> {
    let mut binaries = Vec::new();
    for package in metadata.workspace_packages() {
        if !workspace::folder(metadata, package)?.starts_with("functions/") {
            continue;
        }
        for target in package.targets.iter().filter(|target| target.is_bin()) {
            binaries.push(Binary { package: package.name.to_string(), name: target.name.clone() });
        }
    }
    Ok(binaries)
}

fn choose(all: Vec<Binary>, options: &Options) -> Result<Vec<Binary>> {
    for wanted in &options.packages {
        if !all.iter().any(|binary| binary.package == *wanted) {
            bail!("no function `{wanted}` has a main");
        }
    }
    let chosen = |binary: &Binary| match options.packages.is_empty() {
        true => !(options.lambda && binary.package == "local"),
        false => options.packages.contains(&binary.package),
    };
    Ok(all.into_iter().filter(chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Binary> {
        let binary = |package: &str, name: &str| Binary {
            package: package.to_owned(),
            name: name.to_owned(),
        };
        vec![binary("query", "query"), binary("local", "lectern")]
    }

    fn chosen(packages: &[&str], lambda: bool) -> Result<Vec<String>> {
        let packages = packages.iter().map(|&name| name.to_owned()).collect();
        let chosen = choose(all(), &Options { packages, lambda })?;
        Ok(chosen.into_iter().map(|binary| binary.name).collect())
    }

    #[test]
    fn everything_is_built_unless_packages_are_named() {
        assert_eq!(chosen(&[], false).unwrap(), ["query", "lectern"]);
        assert_eq!(chosen(&["local"], false).unwrap(), ["lectern"]);
    }

    #[test]
    fn the_local_process_is_no_lambda() {
        assert_eq!(chosen(&[], true).unwrap(), ["query"]);
    }

    #[test]
    fn an_unknown_package_is_refused() {
        assert_eq!(
            chosen(&["quarry"], false).err().unwrap().to_string(),
            "no function `quarry` has a main"
        );
    }
}
