//! Whom a command talks to: a server, or the engines of a data directory opened for as long as it runs.

use std::path::{Path, PathBuf};

use lectern_core::env::Env;

use crate::{
    api::{Api, Remote},
    compose::Local,
    failure::Failure,
    main_arguments::{DEFAULT_DATA, Global},
    output::Output,
    settings::Settings,
};

/// What a command works with.
pub(crate) struct Session {
    /// Lectern's API, wherever it is.
    pub(crate) api: Api,
    /// The engines in this process, when there is no server.
    pub(crate) local: Option<Local>,
}

/// Whether a data directory may be made by opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Make one: the command fills it.
    Create,
    /// Make one around backups that are there: the command looks at them before anything is restored.
    AroundBackups,
    /// Say so: there is nothing the command could read.
    Refuse,
}

/// Where the table of a data directory is; a directory without is none.
const TABLE: &str = "table.db";

impl Session {
    /// Connects to the server that was named, or opens the data directory.
    ///
    /// # Errors
    /// When settings are wrong, the directory is missing (with [`Missing::Refuse`]) or in use.
    pub(crate) async fn open(
        global: &Global,
        env: &Env,
        missing: Missing,
    ) -> Result<Self, Failure> {
        if let Some(remote) = remote(global, env)? {
            return Ok(Self { api: Api::Remote(remote), local: None });
        }
        let data = data_directory(global, env);
        let settings = Settings::from_env(env).map_err(Failure::Settings)?;
        let backups = settings.backups_directory.clone().unwrap_or_else(|| data.join("backups"));
        let is_there = match missing {
            Missing::Create => true,
            Missing::AroundBackups => is_data(&data) || backups.is_dir(),
            Missing::Refuse => is_data(&data),
        };
        if !is_there {
            return Err(no_data(&data));
        }
        let local = Local::open(&data, &settings).await?;
        let api = Api::InProcess(local.router(Some(local.tenant.clone())));
        Ok(Self { api, local: Some(local) })
    }

    /// Runs `future`, and beside it the ingestion worker where that is this process's.
    pub(crate) async fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.local {
            Some(local) => local.drive(future).await,
            None => future.await,
        }
    }

    /// Tells the operator what there is to know about the data directory.
    pub(crate) fn tell_notices(&self, output: &Output) {
        for notice in self.local.iter().flat_map(|local| &local.notices) {
            output.note(format_args!("note: {notice}"));
        }
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match self.local {
            Some(local) => Ok(local.close().await?),
            None => Ok(()),
        }
    }
}

/// Returns the server that was named, if one was.
///
/// # Errors
/// When its address or key cannot be used.
pub(crate) fn remote(global: &Global, env: &Env) -> Result<Option<Remote>, Failure> {
    let Some(base_url) = global.api.as_deref().or_else(|| env.get("LECTERN_API_URL")) else {
        return Ok(None);
    };
    let key = global.key.clone().map(Into::into).or_else(|| env.secret("LECTERN_API_KEY"));
    Remote::new(base_url, key).map(Some).map_err(Failure::Usage)
}

/// Returns the data directory that was named, or the default one.
pub(crate) fn data_directory(global: &Global, env: &Env) -> PathBuf {
    let named = global.data.clone().or_else(|| env.get("LECTERN_DATA").map(PathBuf::from));
    named.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA))
}

/// Whether somebody has put data into this directory: a mistyped name, and a folder of something else, is none.
pub(crate) fn is_data(data: &Path) -> bool {
    data.join(TABLE).is_file()
}

/// Returns what is said where there is no data directory.
pub(crate) fn no_data(data: &Path) -> Failure {
    Failure::Failed(format!(
        "there is no data directory {}; make one with `lectern ingest`, name another with --data, or a server with --api",
        data.display()
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::main_arguments::Arguments;

    fn global(line: &str) -> Global {
        Arguments::try_parse_from(line.split(' ')).unwrap().global
    }

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_option_goes_before_the_environment() {
        let env = env(&[("LECTERN_DATA", "from-env")]);
        let named = global("lectern doctor --data named");
        assert_eq!(data_directory(&named, &env), Path::new("named"));
        assert_eq!(data_directory(&global("lectern doctor"), &env), Path::new("from-env"));
        let nothing = data_directory(&global("lectern doctor"), &Env::default());
        assert_eq!(nothing, Path::new(DEFAULT_DATA));
    }

    #[test]
    fn a_wrong_address_is_wrong_usage() {
        let env = env(&[("LECTERN_API_URL", "not a url")]);
        let refused = remote(&global("lectern doctor"), &env).unwrap_err();
        assert_eq!(refused.exit_code(), crate::failure::USAGE);
        assert!(remote(&global("lectern doctor"), &Env::default()).unwrap().is_none());
    }

    #[tokio::test]
    async fn reading_commands_make_no_directory_and_put_nothing_into_another() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("documents");
        std::fs::create_dir(&other).unwrap();
        let mut named = global("lectern doctor");
        for data in [folder.path().join("none"), other.clone()] {
            named.data = Some(data);
            for missing in [Missing::Refuse, Missing::AroundBackups] {
                let refused = Session::open(&named, &Env::default(), missing).await;
                let message = refused.err().unwrap().message().unwrap();
                assert!(message.contains("lectern ingest"), "{message}");
            }
        }
        assert!(!folder.path().join("none").exists());
        assert_eq!(std::fs::read_dir(&other).unwrap().count(), 0);
    }
}
