//! Where the doctor stands: what is opened or reached, and what else can be read from there.

use std::path::PathBuf;

use lectern_app::clock::Clock;
use lectern_core::{env::Env, errors::chain, time::Timestamp};
use lectern_runtime::telemetry::{DEFAULT_LEVELS, Telemetry};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Finding, facts::asked};
use crate::{
    api::{Api, ApiError, Remote},
    compose::Local,
    failure::{FAILED, Failure, UNREACHABLE},
    main_arguments::{DoctorArguments, Global},
    output::harmless,
    session::{data_directory, is_data, no_data, remote},
    settings::{Settings, telemetry},
};

/// Where the doctor stands.
pub(super) struct Place {
    /// Lectern's API, wherever it is; why not, where nothing could be opened.
    pub(super) api: Result<Api, Shut>,
    /// The server, where there is one.
    pub(super) remote: Option<Remote>,
    /// The engines, where there is none.
    pub(super) local: Option<Local>,
    /// The data directory, where its files can be read.
    pub(super) data: Option<PathBuf>,
    /// The settings a process with that directory has, by the environment of this one.
    pub(super) settings: Option<Settings>,
    /// What it writes and sends.
    pub(super) telemetry: Option<Telemetry>,
    /// A key with the permission `monitor`.
    pub(super) monitor_key: Option<SecretString>,
    /// The address of the Prometheus that watches it.
    pub(super) prometheus: Option<String>,
    /// When the doctor came.
    pub(super) now: Timestamp,
}

/// Why nothing could be opened.
pub(super) struct Shut {
    /// What is said of it.
    pub(super) finding: Finding,
    /// The exit code.
    pub(super) code: u8,
}

#[derive(Deserialize)]
struct Alive {
    version: String,
}

impl Place {
    /// Reaches the server that was named, or opens the data directory. With a server, the files of a data directory that was
    /// named too are read beside it.
    pub(super) async fn open(
        options: &DoctorArguments,
        global: &Global,
        env: &Env,
    ) -> Result<Self, Failure> {
        let remote = remote(global, env)?;
        // A directory that the environment names may be another's than the server's, whose records would not fit.
        let is_named = remote.is_none() || global.data.is_some();
        let data = is_named.then(|| data_directory(global, env));
        if let Some(missing) = data.as_deref().filter(|data| !is_data(data)) {
            return Err(no_data(missing));
        }
        let settings = match &data {
            Some(_) => Some(Settings::from_env(env).map_err(Failure::Settings)?),
            None => None,
        };
        let telemetry = match &data {
            Some(_) => Some(
                telemetry(env, DEFAULT_LEVELS).map_err(|error| Failure::Settings(vec![error]))?,
            ),
            None => None,
        };
        let mut place = Self {
            api: Err(Shut { finding: Finding::skipped("nothing was opened"), code: FAILED }),
            remote,
            local: None,
            data,
            settings,
            telemetry,
            monitor_key: env.secret("LECTERN_MONITOR_KEY"),
            prometheus: options.prometheus.clone(),
            now: Clock::system().now(),
        };
        place.api = match &place.remote {
            Some(remote) => reached(Api::Remote(remote.clone())).await,
            None => place.opened().await,
        };
        Ok(place)
    }

    async fn opened(&mut self) -> Result<Api, Shut> {
        let (Some(data), Some(settings)) = (&self.data, &self.settings) else {
            unreachable!("without a server there is a data directory")
        };
        match Local::open(data, settings).await {
            Ok(local) => {
                let api = Api::InProcess(local.router(Some(local.tenant.clone())));
                self.local = Some(local);
                Ok(api)
            }
            Err(error) => {
                let next = "name the process that has it with --api, or restore the directory: docs/runbooks/data-loss.md";
                Err(Shut { finding: Finding::failed(chain(&error), next), code: FAILED })
            }
        }
    }

    /// Says what was opened.
    pub(super) async fn opens(&self, api: &Api) -> Finding {
        let version = match asked(api.get_json::<Alive>("/health", &[])).await {
            Ok(Alive { version }) => harmless(&version),
            Err(finding) => return finding,
        };
        let ours = env!("CARGO_PKG_VERSION");
        let place = match (&self.remote, &self.data) {
            (Some(remote), _) => remote.base_url().to_owned(),
            (None, data) => {
                data.as_deref().unwrap_or(std::path::Path::new("")).display().to_string()
            }
        };
        if version == ours {
            return Finding::ok(format!("{place}, version {version}"));
        }
        let found = format!("{place} runs version {version}, this is {ours}");
        Finding::attention(
            found,
            "use the command of the same release: lines may mean something else",
        )
    }

    /// Brings everything to the disk.
    pub(super) async fn close(self) -> Result<(), Failure> {
        match self.local {
            Some(local) => Ok(local.close().await?),
            None => Ok(()),
        }
    }
}

/// Returns the API of a server that answers.
async fn reached(api: Api) -> Result<Api, Shut> {
    let alive: Result<Alive, ApiError> = api.get_json("/health", &[]).await;
    match alive {
        Ok(_) => Ok(api),
        Err(error) => {
            let code = if error.is_unreachable() { UNREACHABLE } else { FAILED };
            let next =
                "start it, or correct --api or LECTERN_API_URL: docs/runbooks/service-down.md";
            Err(Shut { finding: Finding::failed(error.to_string(), next), code })
        }
    }
}

#[cfg(test)]
impl Place {
    /// Returns a place with nothing but an API.
    pub(super) fn for_tests(api: Api) -> Self {
        Self {
            api: Ok(api),
            remote: None,
            local: None,
            data: None,
            settings: None,
            telemetry: None,
            monitor_key: None,
            prometheus: None,
            now: Timestamp::from_millis(1_795_230_000_000),
        }
    }
}
