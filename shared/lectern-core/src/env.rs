//! Settings as a value. Only [`Env::from_process`] reads the process's environment.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use secrecy::SecretString;
use thiserror::Error;

/// Why a setting cannot be used. Names the variable.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EnvError {
    /// A required variable is absent or empty.
    #[error("environment variable `{0}` is not set")]
    Missing(String),
    /// A variable holds something else than expected; the value itself is not repeated.
    #[error("environment variable `{name}` is invalid: {reason}")]
    Invalid {
        /// The variable.
        name: String,
        /// What is expected.
        reason: String,
    },
}

/// The variables a process was started with.
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<String, String>,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Env {
    /// Returns the process's environment. Call it once, in `main`.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process() -> Self {
        std::env::vars().filter(|(name, _)| name.starts_with("LECTERN_")).collect()
    }

    /// Returns the value of `name`; an empty one counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the value of `name`.
    ///
    /// # Errors
    /// When it is absent or empty.
    pub fn required(&self, name: &str) -> Result<&str, EnvError> {
        self.get(name).ok_or_else(|| EnvError::Missing(name.to_owned()))
    }

    /// Returns the parsed value of `name`, `None` when absent.
    ///
    /// # Errors
    /// When it is present and does not parse.
    pub fn parsed<T>(&self, name: &str) -> Result<Option<T>, EnvError>
    where
        T: FromStr<Err: Display>,
    {
        let Some(raw) = self.get(name) else { return Ok(None) };
        let invalid =
            |error: T::Err| EnvError::Invalid { name: name.to_owned(), reason: error.to_string() };
        raw.parse().map(Some).map_err(invalid)
    }

    /// Returns the secret in `name`, `None` when absent.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.get(name).map(|value| value.to_owned().into())
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_variable_that_is_missing_or_wrong() {
        let env: Env = [("LECTERN_PORT".to_owned(), "many".to_owned())].into_iter().collect();
        assert_eq!(
            env.required("LECTERN_X").unwrap_err().to_string(),
            "environment variable `LECTERN_X` is not set"
        );
        let error = env.parsed::<u16>("LECTERN_PORT").unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable `LECTERN_PORT` is invalid: invalid digit found in string"
        );
        assert!(!format!("{env:?}").contains("many"));
    }
}
