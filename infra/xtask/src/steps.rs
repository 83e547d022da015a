//! Named, timed steps and the processes they start.

use std::{env, ffi::OsString, path::Path, process::Command, process::Stdio, time::Instant};

use anyhow::{Context, Result, bail};

/// Runs `work` under `name`: prints the name first, then the outcome and how long it took.
pub(crate) fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("==> {name}");
    let started = Instant::now();
    let outcome = work();
    let seconds = started.elapsed().as_secs_f64();
    let word = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!("<== {name}: {word} in {seconds:.1} s");
    outcome.with_context(|| format!("step `{name}` failed"))
}

/// Runs a process to its end with this process's output. An exit code other than 0 is an error that
/// shows the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs a process to its end and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` did not print UTF-8"))
}

/// Returns the Cargo that started this process, to be run in `root`.
///
/// What `cargo run` tells this program about the package `xtask` is withheld: build scripts watch
/// those variables, and would run again after every change between `cargo` and `cargo xtask`.
pub(crate) fn cargo(root: &Path) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        let about_xtask = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if about_xtask {
            command.env_remove(name);
        }
    }
    command
}

/// Returns whether `program arguments…` starts and ends well; its output is dropped.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_process_is_an_error_that_shows_the_command() {
        let error = run(Command::new("git").args(["no-such-command-here"])).err().unwrap();
        assert!(error.to_string().starts_with("`git no-such-command-here` ended with"), "{error}");
    }

    #[test]
    fn a_missing_program_is_an_error_that_shows_the_command() {
        let error = output(&mut Command::new("no-such-program-here")).err().unwrap();
        assert_eq!(error.to_string(), "could not start `no-such-program-here`");
        assert!(!answers(&mut Command::new("no-such-program-here")));
    }

    #[test]
    fn a_failed_step_names_itself_and_keeps_the_cause() {
        let error = step("sizes", || bail!("one file is too long")).err().unwrap();
        assert_eq!(format!("{error:#}"), "step `sizes` failed: one file is too long");
    }

    #[test]
    fn cargo_is_not_told_about_this_package() {
        let command = cargo(Path::new("."));
        let removed: Vec<_> =
            command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert!(removed.contains(&OsString::from("CARGO_PKG_NAME").as_os_str()), "{removed:?}");
    }
}
