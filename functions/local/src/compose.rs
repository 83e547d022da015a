//! Everything in one process: embedded engines behind the same flows and routers that AWS runs.
//!
//! | in the data directory | holds |
//! |---|---|
//! | `table.db` | the table (DynamoDB on SQLite) |
//! | `index/` | passages and vectors (Qdrant's engine) |
//! | `blobs/` | files as uploaded, canonical texts |
//! | `models/all-MiniLM-L6-v2/` | the embedding model, once installed |
//! | `backups/` | backups; copy them to another disk |
//! | `audit/` | the audit log, a file a day |
//! | `pepper` | the secret under which API keys are hashed |
//! | `address` | where it is served, while it is |

mod audit;
mod disk;
mod gate;
mod parts;
mod routes;
mod work;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lectern_app::{
    ask::Ask,
    back_up::{BackUp, PartLimits},
    backfill::Backfill,
    backlog::Backlog,
    blobs::Bulk,
    cache::{CacheLimits, Caches},
    clock::Clock,
    collections::Collections,
    documents::Documents,
    errors::FlowError,
    experiments::Experiments,
    forget::Forget,
    health::{Dependencies, Health},
    ingest::{Ingest, LEASE},
    keys::{Keys, NewKey},
    known_vectors::KnownVectors,
    restore::Restore,
    search::Search,
    spending::Spending,
    tokens::Tokens,
    upload::Upload,
    worker::Worker,
};
use lectern_core::{
    auth::Caller,
    errors::PortError,
    fusion::Fusion,
    ids::{CollectionId, TenantId},
    ports::Embedder,
    prompt::PromptBudget,
    retention::Retention,
    web::WebReader,
};
use lectern_index::Edge;
use lectern_parse::ParseLimits;
use lectern_runtime::{
    audit::Audit, concurrency::Concurrency, metrics::prometheus::Prometheus, origins::Origins,
};
use secrecy::SecretString;
use tokio::sync::{Mutex, mpsc};

use self::parts::Parts;
pub(crate) use self::{
    audit::directory as audit_directory,
    parts::{LOCAL_TENANT, OpenError},
};
use crate::{
    doorbell::{Doorbell, Ring},
    settings::Settings,
};

/// How long a backup may take that a request asks for.
const BACKUP_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// How long whoever writes a backup or a restoration is taken to be alive without a sign: longer than a request may take.
const BACKUP_LEASE: Duration = Duration::from_secs(16 * 60);

/// The whole product in this process.
#[derive(Debug)]
pub(crate) struct Local {
    /// The tenant of this data directory.
    pub(crate) tenant: TenantId,
    /// API keys.
    pub(crate) keys: Keys,
    /// Collections.
    pub(crate) collections: Collections,
    /// Answers questions.
    pub(crate) ask: Ask,
    /// Reads how experiments came out.
    pub(crate) experiments: Experiments,
    /// Accepts documents.
    pub(crate) upload: Upload,
    /// Reads documents.
    pub(crate) documents: Documents,
    /// Backs up.
    pub(crate) back_up: BackUp,
    /// Where restorations write files.
    bulk: Option<Bulk>,
    /// Makes vectors, once a model is there.
    embedder: Option<Arc<dyn Embedder>>,
    /// Where an import leaves the vectors it brings for ingestion.
    pub(crate) known_vectors: Option<Arc<KnownVectors>>,
    /// Runs jobs.
    pub(crate) worker: Worker,
    /// Gives passages their vectors once a model is there.
    pub(crate) backfill: Option<Backfill>,
    /// The index's owner: flushes and optimises.
    pub(crate) edge: Edge,
    /// Probes dependencies.
    pub(crate) health: Health,
    /// What this process measures of itself.
    pub(crate) measured: Prometheus,
    /// What the operator should know, said once.
    pub(crate) notices: Vec<String>,
    answer_timeout: Duration,
    tokens: Tokens,
    /// Reads documents from the web, where the settings allow hosts.
    pages: Option<Arc<dyn WebReader>>,
    origins: Origins,
    concurrency: Concurrency,
    audit: Audit,
    /// The data directory.
    pub(crate) data: PathBuf,
    /// Where the files of the audit log are.
    pub(crate) audit_directory: PathBuf,
    rings: Mutex<mpsc::Receiver<Ring>>,
}

impl Local {
    /// Opens the data directory, creating it if need be. One process at a time.
    ///
    /// # Errors
    /// When another process has it open, or a part of it cannot be read or written.
    pub(crate) async fn open(data: &Path, settings: &Settings) -> Result<Self, OpenError> {
        let parts = parts::open(data, settings).await?;
        let clock = Clock::system();
        let audit = audit::open(data, settings.audit_days, &clock)?;
        let (doorbell, rings) = Doorbell::new();
        let ask = answering(&parts, settings, &clock);
        let (back_up, forget) = (backing_up(&parts, &clock), forgetting(&parts, &clock));
        let (backfill, tokens) =
            (backfilling(&parts), gate::tokens(&settings.issuers, &parts.tables, &clock));
        let known_vectors = parts.embedder.clone().map(|inner| Arc::new(KnownVectors::new(inner)));
        let ingest = Ingest {
            tables: parts.tables.clone(),
            blobs: parts.blobs.clone(),
            reader: Arc::clone(&parts.passages) as _,
            writer: Arc::clone(&parts.passages) as _,
            embedder: known_vectors.clone().map(|known| known as Arc<dyn Embedder>),
            sandbox: Arc::new(parts.sandbox),
            limits: ParseLimits::default(),
            chunking: settings.chunking,
            spending: ask.spending.clone(),
            lease: LEASE,
            clock: clock.clone(),
        };
        let local = Self {
            tenant: parts.tenant,
            keys: gate::keys(parts.tables.clone(), parts.pepper, settings, &clock),
            collections: Collections { tables: parts.tables.clone(), clock: clock.clone() },
            ask,
            experiments: Experiments { tables: parts.tables.clone() },
            upload: Upload {
                tables: parts.tables.clone(),
                blobs: parts.blobs.clone(),
                jobs: Arc::new(doorbell.clone()),
                clock: clock.clone(),
                max_bytes: settings.max_document_bytes,
                backlog: Backlog::of(parts.tables.clone(), clock.clone()),
            },
            documents: Documents { tables: parts.tables.clone(), blobs: parts.blobs.clone() },
            worker: Worker {
                tables: parts.tables.clone(),
                ingest,
                forget,
                clock,
                concurrency: settings.ingest_workers,
            },
            back_up,
            bulk: parts.bulk,
            known_vectors,
            embedder: parts.embedder.clone(),
            backfill,
            health: Health::of(Dependencies {
                tables: parts.tables,
                blobs: parts.blobs,
                passages: Arc::clone(&parts.passages) as _,
                jobs: Arc::new(doorbell),
                embedder: parts.embedder,
                chat: parts.chat,
                secrets: Vec::new(),
                clock: Clock::system(),
            }),
            measured: Prometheus::install(),
            edge: parts.edge,
            notices: parts.notices,
            answer_timeout: settings.answer_timeout,
            tokens,
            pages: gate::pages(&settings.fetch_hosts)?,
            origins: settings.origins.clone(),
            concurrency: Concurrency::of(settings.key_concurrency),
            audit,
            data: data.to_owned(),
            audit_directory: audit::directory(data),
            rings: Mutex::new(rings),
        };
        local.prepare().await?;
        Ok(local)
    }

    /// The default collection exists, and what a dead process left claimed is free again: this
    /// process is the only one that has the directory.
    async fn prepare(&self) -> Result<(), OpenError> {
        let operator = Caller::operator(self.tenant.clone());
        let default = CollectionId::default_collection();
        self.collections.create(&operator, &default, "Default", serde_json::Map::new()).await?;
        self.worker.take_over().await?;
        self.restore().take_over(&self.tenant).await?;
        Ok(())
    }

    /// Returns what restores backups.
    pub(crate) fn restore(&self) -> Restore {
        let writer = Arc::new(self.edge.clone());
        let bulk = self.bulk.clone();
        Restore { back_up: self.back_up.clone(), writer, embedder: self.embedder.clone(), bulk }
    }

    /// Returns a new key when the directory has none yet, to be shown once.
    ///
    /// # Errors
    /// When the table fails.
    pub(crate) async fn first_key(&self) -> Result<Option<SecretString>, FlowError> {
        if !self.keys.list(&self.tenant).await?.is_empty() {
            return Ok(None);
        }
        let (_, text) = self.keys.create(&self.tenant, NewKey::full("first key")).await?;
        Ok(Some(text))
    }

    /// Flushes what is in memory.
    ///
    /// # Errors
    /// When the disk refuses; nothing acknowledged is lost even then.
    pub(crate) async fn close(self) -> Result<(), PortError> {
        let heads = self.ask.tables.audit_heads();
        let (told, flushed) = tokio::join!(self.tell_end(&heads), self.edge.flush());
        flushed.and(told)
    }
}

/// Returns where the embedding model's files are looked for.
pub(crate) fn model_directory(data: &Path) -> PathBuf {
    data.join("models").join("all-MiniLM-L6-v2")
}

/// Returns what deletes documents.
fn forgetting(parts: &Parts, clock: &Clock) -> Forget {
    Forget {
        tables: parts.tables.clone(),
        blobs: parts.blobs.clone(),
        reader: Arc::clone(&parts.passages) as _,
        writer: Arc::clone(&parts.passages) as _,
        retention: Retention::default(),
        clock: clock.clone(),
    }
}

/// Returns what backs the data directory up.
fn backing_up(parts: &Parts, clock: &Clock) -> BackUp {
    BackUp {
        tables: parts.tables.clone(),
        blobs: parts.blobs.clone(),
        backups: parts.backups.clone(),
        reader: Arc::clone(&parts.passages) as _,
        model: parts.model.clone(),
        originals: true,
        // No other process has the directory, and one that starts frees what was left (`prepare`): what two requests to this
        // one do at the same time is what is left to keep apart.
        lease: BACKUP_LEASE,
        limits: PartLimits::default(),
        retention: Retention::default(),
        clock: clock.clone(),
    }
}

/// Returns what finds passages and answers questions.
fn answering(parts: &Parts, settings: &Settings, clock: &Clock) -> Ask {
    let caches = Caches::new(Some(parts.tables.clone()), CacheLimits::default(), clock.clone());
    let search = Search {
        tables: parts.tables.clone(),
        passages: Arc::clone(&parts.passages) as _,
        embedder: parts::remembering(parts.embedder.clone(), settings, &caches),
        reranker: parts.reranker.clone(),
        fusion: Fusion::default(),
        caches,
    };
    Ask {
        search,
        tables: parts.tables.clone(),
        chat: parts.chat.clone(),
        chat_models: parts.chat_models.clone(),
        spending: spending(parts, settings, clock),
        function: None,
        budget: PromptBudget::default(),
        clock: clock.clone(),
    }
}

/// Returns what counts and limits spending.
fn spending(parts: &Parts, settings: &Settings, clock: &Clock) -> Spending {
    Spending {
        tables: parts.tables.clone(),
        prices: Arc::clone(&settings.prices),
        limits: settings.spending,
        clock: clock.clone(),
    }
}

fn backfilling(parts: &Parts) -> Option<Backfill> {
    let embedder = parts.embedder.clone()?;
    Some(Backfill {
        tables: parts.tables.clone(),
        reader: Arc::clone(&parts.passages) as _,
        writer: Arc::clone(&parts.passages) as _,
        embedder,
        clock: Clock::system(),
    })
}
