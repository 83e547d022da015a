//! What the function reads from its environment.

use std::time::Duration;

use lectern_core::{
    env::{Settings as ReadSettings, SettingsReader},
    pricing::Function,
};
use lectern_stack::{
    callers::Callers,
    settings::{self, Budget, ChatConfig, Guardrail, Index, ModelApi, Process, Reranking, Table},
};

/// Settings of `query`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment, which logs.
    pub process: Process,
    /// The table.
    pub table: Table,
    /// The index.
    pub index: Index,
    /// Who may call.
    pub callers: Callers,
    /// `LECTERN_CHAT`: what writes answers.
    pub chat: ChatConfig,
    /// `LECTERN_CHAT_ALTERNATIVES`: what collections may name instead.
    pub chat_alternatives: Vec<ChatConfig>,
    /// `LECTERN_GUARDRAIL`: what Bedrock puts before them.
    pub guardrail: Option<Guardrail>,
    /// The API models are behind.
    pub model_api: ModelApi,
    /// The reranker.
    pub reranking: Reranking,
    /// What models cost, and what may be spent.
    pub budget: Budget,
    /// The function this is, as AWS Lambda says.
    pub function: Option<Function>,
    /// `LECTERN_ANSWER_TIMEOUT_MS`: how long a whole answer may take.
    pub answer_timeout: Duration,
}

impl ReadSettings for Settings {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let process = Process::read(reader);
        let table = Table::read(reader);
        let index = Index::read(reader);
        let callers = Callers::read(reader);
        let chat = settings::chat(reader);
        let chat_alternatives = settings::chat_alternatives(reader);
        let guardrail = settings::guardrail(reader, chat.as_ref(), chat_alternatives.as_deref());
        let model_api = ModelApi::read(reader);
        let reranking = Reranking::read(reader);
        let budget = Budget::read(reader);
        let function = settings::function(reader);
        let answer_timeout = settings::answer_timeout(reader);
        Some(Self {
            process: process?,
            table: table?,
            index: index?,
            callers: callers?,
            chat: chat?,
            chat_alternatives: chat_alternatives?,
            guardrail: guardrail?,
            model_api: model_api?,
            reranking: reranking?,
            budget: budget?,
            function,
            answer_timeout: answer_timeout?,
        })
    }
}
