//! What the function reads from its environment.

use std::time::Duration;

use lectern_core::{
    chunking::ChunkSettings,
    env::{Settings as ReadSettings, SettingsReader},
};
use lectern_stack::settings::{self, Budget, Files, Index, ModelApi, Process, Table};

/// Settings of `ingest`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment, which logs.
    pub process: Process,
    /// The table.
    pub table: Table,
    /// The index.
    pub index: Index,
    /// The files.
    pub files: Files,
    /// `LECTERN_QUEUE_URL`: the queue of jobs.
    pub queue_url: String,
    /// `LECTERN_DEAD_LETTER_QUEUE_URL`: where jobs end that nobody can do.
    pub dead_letter_queue_url: String,
    /// The API models are behind.
    pub model_api: ModelApi,
    /// What models cost, and when people are told of what is spent.
    pub budget: Budget,
    /// `LECTERN_CHUNK_TOKENS`: size of chunks.
    pub chunking: ChunkSettings,
    /// `LECTERN_INGEST_LEASE_MS`: how long a worker alone may write a version.
    pub lease: Duration,
    /// `LECTERN_CANARY`: whether somebody asks the canary's question, so that its document must be there.
    pub has_canary: bool,
}

impl ReadSettings for Settings {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let process = Process::read(reader);
        let table = Table::read(reader);
        let index = Index::read(reader);
        let files = Files::read(reader);
        let queue_url = settings::queue_url(reader);
        let dead_letter_queue_url = settings::dead_letter_queue_url(reader);
        let model_api = ModelApi::read(reader);
        let budget = Budget::read(reader);
        let chunking = settings::chunking(reader);
        let lease = settings::ingest_lease(reader);
        let has_canary = reader.or("LECTERN_CANARY", "false", str::parse::<bool>);
        Some(Self {
            process: process?,
            table: table?,
            index: index?,
            files: files?,
            queue_url: queue_url?,
            dead_letter_queue_url: dead_letter_queue_url?,
            model_api: model_api?,
            budget: budget?,
            chunking: chunking?,
            lease: lease?,
            has_canary: has_canary?,
        })
    }
}
