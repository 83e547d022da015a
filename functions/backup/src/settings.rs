//! What the function reads from its environment.

use lectern_core::{
    env::{Settings as ReadSettings, SettingsReader},
    secret::SecretSetting,
};
use lectern_stack::{
    callers::Callers,
    settings::{self, Index, Process, Table},
};

/// Settings of `backup`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment, which logs.
    pub process: Process,
    /// The table.
    pub table: Table,
    /// The index, and whose vectors it keeps.
    pub index: Index,
    /// `LECTERN_BLOBS_URL`: the files.
    pub blobs_url: String,
    /// `LECTERN_BACKUPS_URL`: where backups are kept.
    pub backups_url: String,
    /// `LECTERN_BACKUP_DAYS`: of how many days a backup is kept.
    pub retention_days: usize,
    /// `LECTERN_BACKUP_IDENTITY`: lines of `age-keygen`. The first encrypts backups, each decrypts them; without it they are not
    /// encrypted but by the bucket.
    pub backup_identity: Option<SecretSetting>,
    /// Who may call.
    pub callers: Callers,
}

impl Settings {
    /// Returns all secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretSetting> {
        let optional = self.index.api_key.iter().chain(&self.backup_identity);
        optional.chain([&self.callers.key_pepper])
    }
}

impl ReadSettings for Settings {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let process = Process::read(reader);
        let table = Table::read(reader);
        let index = Index::read(reader);
        let blobs_url = settings::blobs_url(reader);
        let backups_url = settings::backups_url(reader);
        let retention_days = settings::backup_days(reader);
        let backup_identity = reader.optional_secret("LECTERN_BACKUP_IDENTITY");
        let callers = Callers::read(reader);
        Some(Self {
            process: process?,
            table: table?,
            index: index?,
            blobs_url: blobs_url?,
            backups_url: backups_url?,
            retention_days: retention_days?,
            backup_identity: backup_identity?,
            callers: callers?,
        })
    }
}
