//! `cargo xtask`: everything a developer or CI does to this workspace, as one command.
//!
//! It refuses to know what Lectern does: it depends on no crate of the product, only on what Cargo and
//! git say about the tree.
//!
//! | module | what it holds |
//! |---|---|
//! | `steps` | named, timed steps and the processes they start |
//! | `check` | formatting, lints, documentation, licences, secrets, boundaries, sizes |
//! | `test` | the whole test suite, and what it needs installed |
//! | `conformance` | the API asked whatever its description allows |
//! | `bench` | benchmarks that need more than one program |
//! | `supply` | what comes in from outside: licences, sources, advisories |
//! | `secrets` | what must not go out: secrets in any commit |
//! | `sbom` | what each binary is made of: a bill of materials |
//! | `linked` | what `sbom` writes down: packages, from Cargo's tree and lock file |
//! | `reproduce` | whether a build elsewhere is the same bytes |
//! | `tools` | programs from PyPI, in an environment of the workspace's own |
//! | `stack` | the functions as SAM builds them, driven |
//! | `package` | release binaries, one package at a time |
//! | `boundaries` | which packages may come in, and where: the rules |
//! | `layers` | which package of the workspace may use which other: the rules |
//! | `graph` | what `boundaries` judges: members, declarations, closures |
//! | `workspace` | reads that graph from Cargo and the source tree |
//! | `sizes` | lines per file |
#![allow(clippy::print_stdout, reason = "a command line tool reports on its standard output")]

mod bench;
mod boundaries;
mod check;
mod conformance;
mod graph;
mod layers;
mod linked;
mod package;
mod reproduce;
mod sbom;
mod secrets;
mod server;
mod sizes;
mod stack;
mod steps;
mod supply;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds, checks and tests the Lectern workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check formatting, boundaries, sizes, licences, secrets, lints and documentation; all, even when one fails
    Check(check::Options),
    /// Run every test: documentation examples, the pages in a browser, then the whole workspace
    Test(test::Options),
    /// Ask a running server whatever its description allows, and what it does not
    Conformance(conformance::Options),
    /// Show whether every package uses only what it may; print each breach with its path
    Boundaries,
    /// Show the largest source files; fail when one is over its limit
    Sizes,
    /// Build every function with SAM and drive the result through the Lambda Runtime API
    Stack(stack::Options),
    /// Measure; prints ratios against a peer in the same run
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Build release binaries of the functions, one package at a time, and print their sizes
    Package(package::Options),
    /// Look at all that comes in from outside and at what must not go out; before every release
    Supply(supply::Options),
    /// Build a function twice, in different folders, and compare the bytes
    Reproduce(reproduce::Options),
}

fn main() -> ExitCode {
    match run(CommandLine::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let root = workspace::root()?;
    match task {
        Task::Check(options) => check::run(&root, &options),
        Task::Test(options) => test::run(&root, &options),
        Task::Conformance(options) => conformance::run(&root, &options),
        Task::Boundaries => boundaries::run(&root),
        Task::Sizes => sizes::run(&root),
        Task::Stack(options) => stack::run(&root, &options),
        Task::Bench(bench) => bench::run(&root, &bench),
        Task::Package(options) => package::run(&root, &options),
        Task::Supply(options) => supply::run(&root, &options),
        Task::Reproduce(options) => reproduce::run(&root, &options),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        super::CommandLine::command().debug_assert();
    }

    #[test]
    fn every_task_and_option_is_described() {
        fn undescribed(command: &clap::Command) -> Vec<String> {
            let mut names: Vec<String> = command
                .get_arguments()
                .filter(|argument| argument.get_help().is_none())
                .map(|argument| format!("{} {}", command.get_name(), argument.get_id()))
                .collect();
            if command.get_about().is_none() {
                names.push(command.get_name().to_owned());
            }
            names.extend(command.get_subcommands().flat_map(undescribed));
            names
        }
        assert_eq!(undescribed(&super::CommandLine::command()), Vec::<String>::new());
    }
}
