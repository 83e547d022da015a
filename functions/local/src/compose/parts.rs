//! The engines of a data directory, opened.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use lectern_app::{
    ask::ChatModels,
    back_up::BackupStore,
    blobs::{Blobs, Bulk},
    cache::{CachedEmbedder, Caches},
    errors::FlowError,
};
use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::TenantId,
    ports::{ChatModel, Embedder, EmbeddingModel, Reranker},
};
use lectern_index::{Edge, IndexSettings};
use lectern_models::{
    config::{ChatConfig, ConfigError, EmbedderConfig},
    minilm::is_installed,
    retrying::RetryPolicy,
};
use lectern_parse::Sandbox;
use lectern_tables::Tables;
use lectern_telemetry::observed::Observed;
use secrecy::SecretString;
use thiserror::Error;

use super::{disk, model_directory};
use crate::{address, main_arguments::PARSE_WORKER, settings::Settings};

/// The tenant that owns a local data directory.
pub(crate) const LOCAL_TENANT: &str = "local";
/// Passages keep room for this model's vectors while its files are not there yet, so that they can
/// be filled in later without moving anything.
const DEFAULT_MODEL: (&str, usize) = ("all-MiniLM-L6-v2", 384);

/// Why a data directory cannot be opened.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    /// Somebody else has it.
    #[error("another process uses {path}; {}", instead(.address.as_deref()))]
    InUse {
        /// What it has.
        path: PathBuf,
        /// Where it listens, when it serves.
        address: Option<String>,
    },
    /// The disk refuses.
    #[error("cannot use {path}")]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An engine refuses.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A flow refuses.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// A model cannot be used.
    #[error("a model cannot be used; `lectern doctor` says which")]
    Model(#[from] ConfigError),
}

/// What to do while another process has the directory.
fn instead(address: Option<&str>) -> String {
    match address {
        Some(address) => format!("talk to it with `--api {address}`, or stop it first"),
        None => "nothing says that it serves: wait until it is done, stop it, or name its address with `--api`".to_owned(),
    }
}

/// The opened engines.
pub(super) struct Parts {
    pub(super) tenant: TenantId,
    pub(super) tables: Tables,
    pub(super) blobs: Blobs,
    pub(super) backups: BackupStore,
    pub(super) bulk: Option<Bulk>,
    pub(super) edge: Edge,
    /// The same, its calls noted.
    pub(super) passages: Arc<Observed<Edge>>,
    pub(super) model: Option<EmbeddingModel>,
    pub(super) embedder: Option<Arc<dyn Embedder>>,
    pub(super) chat: Option<Arc<dyn ChatModel>>,
    pub(super) reranker: Option<Arc<dyn Reranker>>,
    pub(super) chat_models: ChatModels,
    pub(super) sandbox: Sandbox,
    pub(super) pepper: SecretString,
    pub(super) notices: Vec<String>,
}

pub(super) async fn open(data: &Path, settings: &Settings) -> Result<Parts, OpenError> {
    let directory = |name: &str| made(&data.join(name));
    let mut notices = Vec::new();
    let (embedder, model) = embedder(data, settings, &mut notices)?;

    // The index first: its lock says whether another process has the directory.
    let index = directory("index")?.join(model_name(&model));
    let index_settings = IndexSettings::new(model.clone())?;
    let edge = Edge::open(&index, index_settings).await.map_err(|error| match error.kind {
        ErrorKind::Conflict => {
            OpenError::InUse { path: data.to_owned(), address: address::of(data) }
        }
        _ => error.into(),
    })?;
    address::forget(data);
    let table = std::path::absolute(data.join("table.db"))
        .map_err(|source| OpenError::Disk { path: data.to_owned(), source })?;
    let tables = Tables::connect(&format!("embedded://{}", table.display())).await?;
    tables.ensure().await?;
    let (blobs, bulk) = disk::files(&directory("blobs")?)?;
    let backups = disk::backups(&match &settings.backups_directory {
        Some(elsewhere) => made(elsewhere)?,
        None => directory("backups")?,
    })?;
    let program = std::env::current_exe()
        .map_err(|source| OpenError::Disk { path: PathBuf::from("lectern"), source })?;
    let chat = settings.chat.open(&settings.api, None, RetryPolicy::default())?;
    Ok(Parts {
        tenant: tables.tenants().live(&LOCAL_TENANT.parse().expect("`local` is a slug")).await?,
        tables,
        blobs,
        backups: BackupStore { seal: settings.backup_seal.clone(), ..backups },
        bulk,
        model,
        passages: Arc::new(Observed::new(edge.clone())),
        edge,
        embedder,
        reranker: settings.reranker.open(&settings.reranker_api, RetryPolicy::default())?,
        chat_models: chat_models(settings, chat.as_ref())?,
        chat,
        sandbox: Sandbox::new(program, vec![PARSE_WORKER.into()]),
        pepper: pepper(&data.join("pepper"))?,
        notices,
    })
}

/// Makes a directory where there is none.
fn made(path: &Path) -> Result<PathBuf, OpenError> {
    let made = std::fs::create_dir_all(path);
    made.map_err(|source| OpenError::Disk { path: path.to_owned(), source })?;
    Ok(path.to_owned())
}

/// Returns the models that a collection's settings may name: the default one, the alternatives, and none.
fn chat_models(
    settings: &Settings,
    chat: Option<&Arc<dyn ChatModel>>,
) -> Result<ChatModels, OpenError> {
    let mut models = ChatModels::from([(ChatConfig::Extractive.to_string(), None)]);
    for alternative in &settings.chat_alternatives {
        let model = alternative.open(&settings.api, None, RetryPolicy::default())?;
        models.insert(alternative.to_string(), model);
    }
    models.insert(settings.chat.to_string(), chat.cloned());
    Ok(models)
}

fn model_name(model: &Option<EmbeddingModel>) -> String {
    IndexSettings::new(model.clone())
        .map_or_else(|_| "index".to_owned(), |settings| settings.name())
}

type Embedding = (Option<Arc<dyn Embedder>>, Option<EmbeddingModel>);

fn embedder(
    data: &Path,
    settings: &Settings,
    notices: &mut Vec<String>,
) -> Result<Embedding, OpenError> {
    let directory = settings.model_directory.clone().unwrap_or_else(|| model_directory(data));
    let is_missing = settings.embedder == EmbedderConfig::MiniLm && !is_installed(&directory);
    let opened = if is_missing {
        None
    } else {
        settings.embedder.open(&settings.api, &directory, RetryPolicy::default())?
    };
    if let Some(embedder) = opened {
        let model = embedder.model().clone();
        return Ok((Some(embedder), Some(model)));
    }
    notices.push(
        "no embedding model: retrieval is by BM25 only; `lectern model install` adds one"
            .to_owned(),
    );
    let (id, dimensions) = DEFAULT_MODEL;
    Ok((None, Some(EmbeddingModel { id: id.to_owned(), dimensions })))
}

/// Returns the embedder of questions, with a memory.
pub(super) fn remembering(
    embedder: Option<Arc<dyn Embedder>>,
    settings: &Settings,
    caches: &Caches,
) -> Option<Arc<dyn Embedder>> {
    let embedder = embedder?;
    let caches = caches.clone();
    Some(match settings.embedder {
        EmbedderConfig::MiniLm => Arc::new(CachedEmbedder::in_memory(embedder, caches)),
        EmbedderConfig::None | EmbedderConfig::OpenAi { .. } | EmbedderConfig::Bedrock { .. } => {
            Arc::new(CachedEmbedder::new(embedder, caches))
        }
    })
}

/// Returns the secret of the directory, made at its first use and readable by its owner only.
fn pepper(path: &Path) -> Result<SecretString, OpenError> {
    let disk = |source| OpenError::Disk { path: path.to_owned(), source };
    if !path.exists() {
        let fresh = hex::encode(rand::random::<[u8; 32]>());
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(disk)?;
        file.write_all(fresh.as_bytes()).and_then(|()| file.sync_all()).map_err(disk)?;
    }
    let text = std::fs::read_to_string(path).map_err(disk)?;
    Ok(text.trim().to_owned().into())
}
