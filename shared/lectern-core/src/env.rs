//! Settings as a value. Only [`Env::from_process`] reads the process's environment.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    str::FromStr,
};

use secrecy::SecretString;
use thiserror::Error;

use crate::secret::SecretSetting;

/// What the platform says that a program runs on, not its operator.
const OF_PLATFORM: [&str; 1] = ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"];

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
    undecided: BTreeSet<String>,
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
        let is_ours = |name: &str| name.starts_with("LECTERN_") || OF_PLATFORM.contains(&name);
        std::env::vars().filter(|(name, _)| is_ours(name)).collect()
    }

    /// Returns the same variables, and others that will have values nobody knows yet: addresses that a deployment decides.
    #[must_use]
    pub fn with_undecided(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { undecided: names.into_iter().collect(), ..self }
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
        Self { variables: variables.into_iter().collect(), undecided: BTreeSet::new() }
    }
}

/// A variable that settings ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Whether there is no going on without it.
    pub is_required: bool,
    /// Whether it holds a secret, or says where one is kept.
    pub is_secret: bool,
}

/// Reads settings one by one and remembers every problem, so that all are named at once. It also remembers what was asked
/// for: the schema of some settings is what reading them asks for.
#[derive(Debug)]
pub struct SettingsReader<'a> {
    env: &'a Env,
    errors: Vec<EnvError>,
    asked: Vec<Variable>,
}

impl<'a> SettingsReader<'a> {
    /// Returns a reader of `env`.
    #[must_use]
    pub fn new(env: &'a Env) -> Self {
        Self { env, errors: Vec::new(), asked: Vec::new() }
    }

    /// Returns a variable there is no going on without; `None` when it is missing or wrong, which is remembered.
    pub fn required<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.asked.push(Variable { name, is_required: true, is_secret: false });
        match self.env.required(name) {
            Err(_) if self.env.undecided.contains(name) => None,
            Ok(raw) => self.parsed(name, raw, parse),
            Err(missing) => {
                self.errors.push(missing);
                None
            }
        }
    }

    /// Returns a variable, parsed from `default` when it is absent; `None` when it is wrong, which is remembered.
    pub fn or<T, E: Display>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.asked.push(Variable { name, is_required: false, is_secret: false });
        if self.env.undecided.contains(name) {
            return None;
        }
        let raw = self.env.get(name).unwrap_or(default);
        self.parsed(name, raw, parse)
    }

    /// Returns a variable or `None` inside when it is absent; `None` outside when it is wrong, which is remembered.
    pub fn optional<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        self.asked.push(Variable { name, is_required: false, is_secret: false });
        match self.env.get(name) {
            Some(raw) => self.parsed(name, raw, parse).map(Some),
            None if self.env.undecided.contains(name) => None,
            None => Some(None),
        }
    }

    /// Returns a secret there is no going on without; `None` when it is missing or wrong, which is remembered.
    pub fn required_secret(&mut self, name: &'static str) -> Option<SecretSetting> {
        let secret = self.required(name, str::parse::<SecretSetting>);
        self.mark_secret();
        secret
    }

    /// Returns a secret; as [`Self::optional`].
    pub fn optional_secret(&mut self, name: &'static str) -> Option<Option<SecretSetting>> {
        let secret = self.optional(name, str::parse::<SecretSetting>);
        self.mark_secret();
        secret
    }

    /// Returns what the platform says, `None` when it says nothing of the kind. No setting: nobody is asked for it, and what
    /// is wrong stops nothing.
    #[must_use]
    pub fn of_platform<T: FromStr>(&self, name: &str) -> Option<T> {
        self.env.get(name)?.parse().ok()
    }

    /// Remembers a problem of several variables together, under the name of one.
    pub fn refuse(&mut self, name: &str, reason: impl Into<String>) {
        self.errors.push(EnvError::Invalid { name: name.to_owned(), reason: reason.into() });
    }

    /// Returns the problems so far.
    #[must_use]
    pub fn errors(&self) -> &[EnvError] {
        &self.errors
    }

    fn mark_secret(&mut self) {
        if let Some(last) = self.asked.last_mut() {
            last.is_secret = true;
        }
    }

    fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        raw: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse(raw).map_err(|error| self.refuse(name, error.to_string())).ok()
    }
}

/// Settings that can be read from variables.
pub trait Settings: Sized {
    /// Reads them all, in any case to the end: what is asked for must not depend on what was found. `None` when
    /// something was wrong, which the reader remembers.
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self>;

    /// Reads them.
    ///
    /// # Errors
    /// Every variable that is missing or wrong.
    fn from_env(env: &Env) -> Result<Self, Vec<EnvError>> {
        let mut reader = SettingsReader::new(env);
        let settings = Self::read(&mut reader);
        match settings {
            Some(settings) if reader.errors.is_empty() => Ok(settings),
            _ => Err(reader.errors),
        }
    }

    /// Returns what is wrong with those whose values are known.
    #[must_use]
    fn problems(env: &Env) -> Vec<EnvError> {
        Self::from_env(env).err().unwrap_or_default()
    }

    /// Returns the variables they are read from, by name.
    #[must_use]
    fn variables() -> Vec<Variable> {
        let env = Env::default();
        let mut reader = SettingsReader::new(&env);
        drop(Self::read(&mut reader));
        reader.asked.sort_unstable();
        reader.asked.dedup();
        reader.asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Two {
        port: u16,
        size: usize,
        key: Option<SecretSetting>,
    }

    impl Settings for Two {
        fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
            let port = reader.required("LECTERN_PORT", str::parse);
            let size = reader.or("LECTERN_SIZE", "7", str::parse);
            let key = reader.optional_secret("LECTERN_KEY");
            Some(Self { port: port?, size: size?, key: key? })
        }
    }

    #[test]
    fn settings_name_every_problem_and_their_own_schema() {
        let env: Env = [("LECTERN_SIZE".to_owned(), "many".to_owned())].into_iter().collect();
        let errors = Two::from_env(&env).unwrap_err();
        assert_eq!(errors.len(), 2, "{errors:?}");
        let env: Env = [("LECTERN_PORT".to_owned(), "80".to_owned())].into_iter().collect();
        let two = Two::from_env(&env).unwrap();
        assert_eq!((two.port, two.size, two.key.is_none()), (80, 7, true));
        let undecided = Env::default().with_undecided(["LECTERN_PORT".to_owned()]);
        assert!(Two::from_env(&undecided).is_err(), "there are no settings yet");
        assert_eq!(Two::problems(&undecided), [], "and nothing is wrong with them");
        let variable = |name, is_required, is_secret| Variable { name, is_required, is_secret };
        let expected = [
            variable("LECTERN_KEY", false, true),
            variable("LECTERN_PORT", true, false),
            variable("LECTERN_SIZE", false, false),
        ];
        assert_eq!(Two::variables(), expected);
    }

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
