//! What the function reads from its environment.

use lectern_core::{
    env::{Settings as ReadSettings, SettingsReader},
    secret::SecretSetting,
};
use lectern_runtime::origins::Origins;
use lectern_stack::settings::{self, Budget, Process, Table};

/// Settings of `admin`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment, which logs.
    pub process: Process,
    /// The table.
    pub table: Table,
    /// `LECTERN_KEY_PEPPER`: under which API keys are hashed.
    pub key_pepper: SecretSetting,
    /// `LECTERN_ALLOWED_ORIGINS`: whose pages may call.
    pub origins: Origins,
    /// What may be spent where an account has no limits of its own.
    pub budget: Budget,
}

impl ReadSettings for Settings {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let process = Process::read(reader);
        let table = Table::read(reader);
        let key_pepper = settings::key_pepper(reader);
        let origins = Origins::read(reader);
        let budget = Budget::read(reader);
        Some(Self {
            process: process?,
            table: table?,
            key_pepper: key_pepper?,
            origins: origins?,
            budget: budget?,
        })
    }
}
