//! What the function reads from its environment.

use lectern_core::{
    env::{Settings as ReadSettings, SettingsReader},
    web::Hosts,
};
use lectern_stack::{
    callers::Callers,
    settings::{self, Files, Index, Process, Table},
};

/// Settings of `upload`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment, which logs.
    pub process: Process,
    /// The table.
    pub table: Table,
    /// The index, from which a deletion removes passages.
    pub index: Index,
    /// `LECTERN_FETCH_HOSTS`: from which hosts documents are read by their address.
    pub fetch_hosts: Hosts,
    /// The files.
    pub files: Files,
    /// `LECTERN_QUEUE_URL`: where ingestion is rung for.
    pub queue_url: String,
    /// `LECTERN_BACKUP_DAYS`: of how many days a backup is kept; a deletion's receipt says when those expire that have the document.
    pub backup_days: usize,
    /// Who may call.
    pub callers: Callers,
}

impl ReadSettings for Settings {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let process = Process::read(reader);
        let table = Table::read(reader);
        let index = Index::read(reader);
        let fetch_hosts = settings::fetch_hosts(reader);
        let files = Files::read(reader);
        let queue_url = settings::queue_url(reader);
        let backup_days = settings::backup_days(reader);
        let callers = Callers::read(reader);
        Some(Self {
            process: process?,
            table: table?,
            index: index?,
            fetch_hosts: fetch_hosts?,
            files: files?,
            queue_url: queue_url?,
            backup_days: backup_days?,
            callers: callers?,
        })
    }
}
