//! What the function reads from its environment.

use lectern_core::env::{Settings as ReadSettings, SettingsReader};
use lectern_stack::{
    callers::Callers,
    settings::{self, ChatConfig, Index, ModelApi, Process, Table},
};

/// Settings of `health`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment, which logs.
    pub process: Process,
    /// The table.
    pub table: Table,
    /// The index.
    pub index: Index,
    /// Who may read what is measured.
    pub callers: Callers,
    /// `LECTERN_BLOBS_URL`: the files.
    pub blobs_url: String,
    /// `LECTERN_QUEUE_URL`: the queue of ingestion jobs.
    pub queue_url: String,
    /// `LECTERN_CHAT`: what writes answers.
    pub chat: ChatConfig,
    /// The API models are behind.
    pub model_api: ModelApi,
}

impl ReadSettings for Settings {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let process = Process::read(reader);
        let table = Table::read(reader);
        let index = Index::read(reader);
        let callers = Callers::read(reader);
        let blobs_url = settings::blobs_url(reader);
        let queue_url = settings::queue_url(reader);
        let chat = settings::chat(reader);
        let model_api = ModelApi::read(reader);
        Some(Self {
            process: process?,
            table: table?,
            index: index?,
            callers: callers?,
            blobs_url: blobs_url?,
            queue_url: queue_url?,
            chat: chat?,
            model_api: model_api?,
        })
    }
}
