//! Programs from PyPI that check the stack, the API and the dependencies and stand in for AWS, in virtual environments of the
//! workspace's own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::steps;

/// Holds the requirements that were installed.
const INSTALLED: &str = "installed.txt";

/// Builds, checks and tests the stack.
pub(crate) const STACK: Environment =
    Environment { folder: "target/tools", requirements: "infra/requirements.txt" };
/// Holds the API to its description. It wants other versions than the stack's tools do.
pub(crate) const CONFORMANCE: Environment = Environment {
    folder: "target/conformance",
    requirements: "infra/conformance/requirements.txt",
};

/// Looks at dependencies and for secrets.
pub(crate) const SUPPLY: Environment =
    Environment { folder: "target/supply", requirements: "infra/xtask/supply/requirements.txt" };

/// A virtual environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment {
    /// Where it is, relative to the root.
    folder: &'static str,
    /// What is in it, with versions.
    requirements: &'static str,
}

impl Environment {
    /// Makes sure that the tools are there, in the versions wanted.
    pub(crate) fn require(self, root: &Path, install: bool) -> Result<()> {
        let Self { folder, requirements } = self;
        let wanted = fs::read_to_string(root.join(requirements))
            .with_context(|| format!("{requirements} is gone"))?;
        let stamp = root.join(folder).join(INSTALLED);
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        if !install {
            bail!("the tools of {requirements} are not installed: cargo xtask test --install");
        }
        steps::step(&format!("install {requirements} from PyPI"), || {
            steps::run(Command::new("python3").args(["-m", "venv"]).arg(root.join(folder)))?;
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            steps::run(
                self.python(root).args(pip).arg("--requirement").arg(root.join(requirements)),
            )?;
            fs::write(&stamp, &wanted).context("the tools' folder cannot be written")
        })
    }

    /// Returns the environment's Python, to be run in `root`.
    pub(crate) fn python(self, root: &Path) -> Command {
        self.tool(root, "python")
    }

    /// Returns one of the programs, to be run in `root`. It finds the others, and sends nobody what it is used for.
    pub(crate) fn tool(self, root: &Path, name: &str) -> Command {
        let folder = self.folder(root);
        let mut command = Command::new(folder.join(name));
        command.current_dir(root).env("SAM_CLI_TELEMETRY", "0");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let joined =
            std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path)));
        if let Ok(joined) = joined {
            command.env("PATH", joined);
        }
        command
    }

    /// Returns the folder of the programs.
    pub(crate) fn folder(self, root: &Path) -> PathBuf {
        root.join(self.folder).join("bin")
    }
}
