//! A tenant with a collection, documents in every state, and processes that ask of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lectern_app::{
    ask::{Ask, AskEvent, AskRequest, Asked, ChatModels},
    blobs::Blobs,
    cache::{CacheLimits, CachedEmbedder, Caches},
    clock::Clock,
    errors::FlowError,
    forget::{Forget, Forgotten},
    search::Search,
    spending::Spending,
};
use lectern_core::{
    analysis::{Bm25, content_terms},
    auth::Caller,
    document::{DocumentVersion, Metadata, Version},
    errors::PortError,
    fusion::Fusion,
    ids::{CollectionId, DocumentId, SessionId, TenantId},
    passage::{Passage, Point, Scope, Span},
    ports::{Embedder, EmbeddingModel, PassageReader, PassageWriter},
    pricing::PriceTable,
    prompt::PromptBudget,
    retention::Retention,
    spending::SpendingLimits,
    time::Timestamp,
};
use lectern_index::{Edge, IndexSettings};
use lectern_tables::{
    Tables,
    collections::Collection,
    registration::Registration,
    versions::{Claim, Claimed},
};
use lectern_testkit::faults::Faulty;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

const LEASE: Duration = Duration::from_secs(600);
const DIMENSIONS: usize = 64;
/// Longer than any machine needs: a test must not miss because it is slow.
const PATIENT: CacheLimits = CacheLimits {
    answers: 16 << 20,
    retrievals: 16 << 20,
    vectors: 1 << 20,
    pending: 4 << 20,
    read_timeout: Duration::from_secs(60),
    write_timeout: Duration::from_secs(60),
};

/// What documents are about, one each; their texts share no word that says anything.
pub(crate) const TOPICS: [&str; 3] = ["heron", "otter", "marten"];

/// Returns a text about a topic, told apart from others by `number`.
pub(crate) fn text(topic: &str, number: usize) -> String {
    match topic {
        "heron" => format!("The heron ledger lists {number} nests."),
        "otter" => format!("Every otter bulletin mentions {number} burrows."),
        other => format!("Some {other} almanac describes {number} dens."),
    }
}

/// Returns a question that only texts about the topic answer.
pub(crate) fn question(topic: &str) -> String {
    match topic {
        "heron" => "What does the heron ledger list?".to_owned(),
        "otter" => "What does the otter bulletin mention?".to_owned(),
        other => format!("What does the {other} almanac describe?"),
    }
}

/// The engines, and a clock that moves when told.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) tables: Tables,
    pub(crate) index: Edge,
    pub(crate) tenant: TenantId,
    pub(crate) embedder: Arc<BagOfWords>,
    millis: Arc<AtomicU64>,
    _folder: Option<Arc<tempfile::TempDir>>,
}

impl World {
    /// Returns the world that is in a folder, or a new one there.
    pub(crate) async fn at(folder: &std::path::Path, millis: u64) -> Self {
        let url = format!("embedded://{}/table.db", folder.display());
        let tables = Tables::connect(&url).await.unwrap();
        tables.ensure().await.unwrap();
        let embedder = Arc::new(BagOfWords::new());
        let settings = IndexSettings::new(Some(embedder.model.clone())).unwrap();
        let index = Edge::open(&folder.join("index"), settings).await.unwrap();
        let millis = Arc::new(AtomicU64::new(millis));
        let tenant: TenantId = "nobody".parse().unwrap();
        let world = Self { tables, index, tenant, embedder, millis, _folder: None };
        world.of("acme").await
    }

    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::connect("embedded::memory:").await.unwrap();
        tables.ensure().await.unwrap();
        let embedder = Arc::new(BagOfWords::new());
        let settings = IndexSettings::new(Some(embedder.model.clone())).unwrap();
        let index = Edge::open(folder.path(), settings).await.unwrap();
        let millis = Arc::new(AtomicU64::new(1_795_230_000_000));
        let tenant: TenantId = "nobody".parse().unwrap();
        let folder = Some(Arc::new(folder));
        let world = Self { tables, index, tenant, embedder, millis, _folder: folder };
        world.of("acme").await
    }

    /// Returns the same engines with another tenant, who has an empty collection.
    pub(crate) async fn of(&self, tenant: &str) -> Self {
        let tenant: TenantId = tenant.parse().unwrap();
        let id = CollectionId::default_collection();
        let collection = Collection::new(tenant.clone(), id, "Default".into(), self.now());
        self.tables.collections().create_if_absent(&collection).await.unwrap();
        Self {
            tables: self.tables.clone(),
            index: self.index.clone(),
            tenant,
            embedder: Arc::clone(&self.embedder),
            millis: Arc::clone(&self.millis),
            _folder: self._folder.clone(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        let millis = Arc::clone(&self.millis);
        Clock::new(move || Timestamp::from_millis(millis.load(Ordering::SeqCst)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock().now()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.millis.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Returns a process of its own: its memory is empty, the table is everybody's.
    pub(crate) fn process(&self) -> Ask {
        self.process_with(Some(self.tables.clone()))
    }

    /// Returns a process whose second tier is `store`.
    pub(crate) fn process_with(&self, store: Option<Tables>) -> Ask {
        let caches = Caches::new(store, PATIENT, self.clock());
        let embedder: Arc<dyn Embedder> = Arc::<BagOfWords>::clone(&self.embedder);
        let search = Search {
            tables: self.tables.clone(),
            passages: Arc::new(self.index.clone()),
            embedder: Some(Arc::new(CachedEmbedder::new(embedder, caches.clone()))),
            reranker: None,
            // Levels the few documents of a test, so that each that is about a topic is cited.
            fusion: Fusion::Rrf { k: 60.0 },
            caches,
        };
        Ask {
            search,
            tables: self.tables.clone(),
            chat: None,
            chat_models: ChatModels::new(),
            spending: self.spending(),
            function: None,
            budget: PromptBudget::default(),
            clock: self.clock(),
        }
    }

    /// Returns what counts spending, without limits.
    pub(crate) fn spending(&self) -> Spending {
        Spending {
            tables: self.tables.clone(),
            prices: Arc::new(PriceTable::built_in()),
            limits: SpendingLimits::default(),
            clock: self.clock(),
        }
    }

    /// Returns a caller who acts as `principals`.
    pub(crate) fn caller(&self, principals: &[&str]) -> Caller {
        let mut caller = Caller::operator(self.tenant.clone());
        caller.principals = principals.iter().map(|name| (*name).to_owned()).collect();
        caller
    }

    /// Changes the collection's settings.
    pub(crate) async fn set(&self, settings: serde_json::Value) {
        let (collections, id) = (self.tables.collections(), CollectionId::default_collection());
        let mut collection = collections.get(&self.tenant, &id).await.unwrap().unwrap();
        collection.settings = settings.as_object().unwrap().clone();
        let based_on = collection.revision;
        collections.update(&collection, based_on, self.now()).await.unwrap();
    }

    /// Accepts a version; nothing of it answers yet, but its ACL counts from here on.
    pub(crate) async fn accept(
        &self,
        document: Option<&DocumentId>,
        text: &str,
        acl: &[&str],
    ) -> (DocumentId, Version) {
        let registration = Registration {
            tenant: self.tenant.clone(),
            collection: CollectionId::default_collection(),
            document_id: document.cloned(),
            new_id: DocumentId::new(self.now(), next_entropy()),
            by_content: false,
            name: "report.md".into(),
            media_type: "text/markdown".into(),
            size_bytes: text.len() as u64,
            sha256: hex::encode(Sha256::digest(text)),
            acl: acl.iter().map(|name| (*name).to_owned()).collect(),
            metadata: Metadata::new(),
            uploaded_by: None,
        };
        let registered = self.tables.documents().register(&registration, self.now()).await;
        let registered = registered.unwrap();
        (registered.document.id, registered.version)
    }

    /// Does what the worker does with an accepted version whose parsed text is `text`: index, switch, retire.
    pub(crate) async fn make_live(&self, document: &DocumentId, version: Version, text: &str) {
        let versions = self.tables.versions();
        let claim = versions.claim(&self.tenant, document, version, self.now(), LEASE, 3).await;
        let Claim::Won(claimed) = claim.unwrap() else { panic!("nobody else works here") };
        let Claimed { lease, version: claimed, .. } = *claimed;
        let passage = passage(&claimed, text);
        let dense = self.embedder.vector(&passage.indexed_text());
        let sparse = Bm25::default().document_vector(&passage.indexed_text(), "eng");
        let point = Point { passage, dense: Some(dense), sparse };
        self.index.upsert(vec![point]).await.unwrap();
        versions.switch_live(&lease, 1, self.now()).await.unwrap();
        if version > 1 {
            let older = Scope::document(&self.tenant, document).with_versions(1, version - 1);
            self.index.delete(&older).await.unwrap();
            versions.finish(&lease).await.unwrap();
        }
    }

    /// Accepts a document and brings it live.
    pub(crate) async fn add(&self, text: &str, acl: &[&str]) -> DocumentId {
        let (id, version) = self.accept(None, text, acl).await;
        self.make_live(&id, version, text).await;
        id
    }

    /// Returns the flow that deletes documents.
    pub(crate) fn forget(&self) -> Forget {
        Forget {
            tables: self.tables.clone(),
            blobs: Blobs::new(Arc::new(object_store::memory::InMemory::new()), None),
            reader: Arc::new(self.index.clone()) as Arc<dyn PassageReader>,
            writer: Arc::new(self.index.clone()),
            retention: Retention::default(),
            clock: self.clock(),
        }
    }

    /// Deletes a document by the flow that does.
    pub(crate) async fn delete(&self, document: &DocumentId) -> Forgotten {
        self.forget().forget(&self.caller(&[]), document).await.unwrap()
    }
}

fn passage(version: &DocumentVersion, text: &str) -> Passage {
    Passage {
        tenant: version.tenant.clone(),
        collection: version.collection.clone(),
        document_id: version.document_id.clone(),
        version: version.version,
        ordinal: 0,
        document_name: version.name.clone(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: 0, end: text.len() },
        text: text.to_owned(),
        text_sha256: hex::encode(Sha256::digest(text)),
        hostility: None,
        personal: None,
        language: "eng".into(),
        acl: version.acl.clone(),
        metadata: version.metadata.clone(),
    }
}

/// Returns a question as a request.
pub(crate) fn request(question: &str) -> AskRequest {
    AskRequest {
        collection: CollectionId::default_collection(),
        question: question.parse().unwrap(),
        filter: None,
        mmr: None,
        session_id: None::<SessionId>,
        time_budget: Duration::from_secs(120),
        cache: true,
    }
}

/// Returns the outcome of a question and its events.
pub(crate) async fn ask_with(
    ask: &Ask,
    caller: &Caller,
    request: &AskRequest,
) -> (Result<Asked, FlowError>, Vec<AskEvent>) {
    let (sender, mut events) = mpsc::channel(64);
    let answering = async move { ask.ask(caller, request, &sender).await };
    let collecting = async {
        let mut seen = Vec::new();
        while let Some(event) = events.recv().await {
            seen.push(event);
        }
        seen
    };
    tokio::join!(answering, collecting)
}

/// Returns the answer to a question.
pub(crate) async fn ask(ask: &Ask, caller: &Caller, question: &str) -> Asked {
    ask_with(ask, caller, &request(question)).await.0.unwrap()
}

/// An embedder of hashed words: texts with the same words point the same way. Fails when told.
#[derive(Debug)]
pub(crate) struct BagOfWords {
    pub(crate) model: EmbeddingModel,
    pub(crate) faults: Faulty<()>,
    pub(crate) texts: AtomicUsize,
}

impl BagOfWords {
    pub(crate) fn new() -> Self {
        let model = EmbeddingModel { id: "bag-of-words".into(), dimensions: DIMENSIONS };
        Self { model, faults: Faulty::new(Arc::new(())), texts: AtomicUsize::new(0) }
    }

    pub(crate) fn vector(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.01; DIMENSIONS];
        for term in content_terms(text, "eng") {
            vector[usize::from(Sha256::digest(term)[0]) % DIMENSIONS] += 1.0;
        }
        let norm = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        vector.into_iter().map(|number| number / norm).collect()
    }
}

#[async_trait]
impl Embedder for BagOfWords {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        self.faults.enter("embed")?;
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }
}

/// Returns another number each time, the same ones in each run: which parts of a backup a document is in follows from its id.
fn next_entropy() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed).into()
}
