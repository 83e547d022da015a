//! Why a command did not do what was asked, and the exit code that says so.

use std::io;

use lectern_app::errors::FlowError;
use lectern_core::{
    env::EnvError,
    errors::{PortError, chain},
};
use thiserror::Error;

use crate::{api::ApiError, compose::OpenError};

/// Exit code of a command that failed.
pub(crate) const FAILED: u8 = 1;
/// Exit code of wrong usage or settings; clap's own.
pub(crate) const USAGE: u8 = 2;
/// Exit code of a question that nothing answers.
pub(crate) const NO_ANSWER: u8 = 3;
/// Exit code of a server that cannot be reached.
pub(crate) const UNREACHABLE: u8 = 4;
/// Exit code after Ctrl-C: 128 + SIGINT, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command stopped.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The command cannot be meant like this.
    #[error("{0}")]
    Usage(String),
    /// Settings are missing or wrong.
    #[error("{}", lines(.0))]
    Settings(Vec<EnvError>),
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The API said no, or nothing.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A flow said no.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// Something behind a port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Standard output or a file refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Something else, in a sentence for people.
    #[error("{0}")]
    Failed(String),
    /// Everything was said already; only the exit code is left.
    #[error("exit code {0}")]
    Said(u8),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// Returns the process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            // `lectern … | head` is done when head has seen enough.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Usage(_) | Self::Settings(_) => USAGE,
            Self::Api(error) if error.is_unreachable() => UNREACHABLE,
            Self::Said(code) => *code,
            Self::Interrupted => INTERRUPTED,
            _ => FAILED,
        }
    }

    /// Returns what is printed to people, `None` when nothing is left to say.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::Said(_) | Self::Interrupted => None,
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Flow(FlowError::Invalid(fields)) => {
                let field = |field: &lectern_app::errors::FieldError| {
                    format!("{}: {}", field.pointer, field.detail)
                };
                Some(fields.iter().map(field).collect::<Vec<_>>().join("\n"))
            }
            other => Some(chain(other)),
        }
    }
}

fn lines(errors: &[EnvError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let left = Failure::Io(io::ErrorKind::BrokenPipe.into());
        assert_eq!((left.exit_code(), left.message()), (0, None));
        let full = Failure::Io(io::ErrorKind::StorageFull.into());
        assert_eq!(full.exit_code(), FAILED);
        assert!(full.message().is_some());
    }

    #[test]
    fn every_wrong_setting_has_its_line() {
        let missing = |name: &str| EnvError::Missing(name.to_owned());
        let failure = Failure::Settings(vec![missing("LECTERN_A"), missing("LECTERN_B")]);
        assert_eq!(failure.exit_code(), USAGE);
        assert_eq!(failure.message().unwrap().lines().count(), 2);
    }

    #[test]
    fn wrong_fields_are_named() {
        let failure = Failure::from(FlowError::field("/name", "must have 1 to 128 bytes"));
        assert_eq!(failure.message().unwrap(), "/name: must have 1 to 128 bytes");
    }
}
