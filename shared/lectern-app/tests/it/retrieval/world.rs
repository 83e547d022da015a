//! Engines, documents to put into them, and models that behave as a test says.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lectern_app::{
    ask::{Ask, AskEvent, AskRequest, Asked, ChatModels, EVENT_BUFFER},
    cache::{CacheLimits, Caches},
    clock::Clock,
    collections::{CollectionPatch, Collections},
    search::{Found, Search, SearchRequest},
    spending::Spending,
};
use lectern_core::{
    analysis::Bm25,
    auth::Caller,
    chunking::Chunk,
    document::Metadata,
    errors::{ErrorKind, PortError},
    fusion::Fusion,
    ids::{CollectionId, DocumentId, TenantId},
    passage::{Passage, Point, ScoredPassage, Span},
    ports::{Embedder, EmbeddingModel, PassageReader, PassageWriter, Reranker},
    pricing::PriceTable,
    prompt::PromptBudget,
    redaction::Survey,
    spending::SpendingLimits,
    text::ParsedText,
    time::Timestamp,
};
use lectern_index::{Edge, IndexSettings};
use lectern_tables::{
    Tables,
    registration::Registration,
    versions::{Claim, Claimed},
};
use lectern_testkit::faults::Faulty;
use serde_json::{Map, Value};

const LEASE: Duration = Duration::from_secs(60);
const BUDGET: Duration = Duration::from_secs(60);

/// A tenant with an empty default collection.
pub(crate) struct World {
    pub(crate) tables: Tables,
    pub(crate) edge: Edge,
    /// What the flows read passages through.
    pub(crate) index: Arc<Faulty<dyn PassageReader>>,
    pub(crate) search: Search,
    pub(crate) caller: Caller,
    pub(crate) collections: Collections,
    _directory: tempfile::TempDir,
}

/// A document to be written: chunks of one text, parted by a blank line unless it says otherwise.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) chunks: Vec<String>,
    /// ACL of each chunk in the index; of the record, the first one's.
    pub(crate) acls: Vec<Vec<String>>,
    pub(crate) metadata: Metadata,
    pub(crate) is_live: bool,
    /// What stands between two chunks.
    pub(crate) gap: &'static str,
    /// Whether somebody looked for personal data in it.
    pub(crate) is_surveyed: bool,
}

impl Draft {
    pub(crate) fn of(chunks: &[&str]) -> Self {
        Self {
            chunks: chunks.iter().map(|chunk| (*chunk).to_owned()).collect(),
            acls: vec![vec!["*".to_owned()]; chunks.len()],
            metadata: Metadata::new(),
            is_live: true,
            gap: "\n\n",
            is_surveyed: true,
        }
    }

    pub(crate) fn text(&self) -> String {
        self.chunks.join(self.gap)
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tables = Tables::connect("embedded::memory:").await.unwrap();
        tables.ensure().await.unwrap();
        let settings = IndexSettings::new(None).unwrap();
        let edge = Edge::open(directory.path(), settings).await.unwrap();
        let reader: Arc<dyn PassageReader> = Arc::new(edge.clone());
        let index = Arc::new(Faulty::new(reader));
        let search = Search {
            tables: tables.clone(),
            passages: Arc::<Faulty<dyn PassageReader>>::clone(&index),
            embedder: None,
            reranker: None,
            fusion: Fusion::default(),
            caches: Caches::new(None, CacheLimits::default(), Clock::system()),
        };
        let tenant: TenantId = "acme".parse().unwrap();
        let caller = Caller::operator(tenant);
        let collections = Collections { tables: tables.clone(), clock: Clock::system() };
        let default = CollectionId::default_collection();
        collections.create(&caller, &default, "Default", Map::new()).await.unwrap();
        Self { tables, edge, index, search, caller, collections, _directory: directory }
    }

    /// Sets settings of the default collection.
    pub(crate) async fn set(&self, settings: Value) {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        let patch = CollectionPatch { settings, ..CollectionPatch::default() };
        let default = CollectionId::default_collection();
        self.collections.patch(&self.caller, &default, &patch).await.unwrap();
    }

    /// Writes document number `seed`.
    pub(crate) async fn write(&self, seed: u64, draft: &Draft) -> DocumentId {
        let registration = Registration {
            tenant: self.caller.tenant.clone(),
            collection: CollectionId::default_collection(),
            document_id: None,
            new_id: DocumentId::new(at(seed), u128::from(seed) + 1),
            by_content: false,
            name: format!("{seed}.md"),
            media_type: "text/markdown".into(),
            size_bytes: draft.text().len() as u64,
            sha256: format!("{seed:064x}"),
            acl: draft.acls[0].clone(),
            metadata: draft.metadata.clone(),
            uploaded_by: None,
        };
        let registered = self.tables.documents().register(&registration, at(1)).await.unwrap();
        let id = registered.document.id;
        self.edge.upsert(self.points(&id, 1, draft)).await.unwrap();
        if draft.is_live {
            let claimed = self.claim(&id, 1).await;
            let chunks = u32::try_from(draft.chunks.len()).unwrap();
            self.tables.versions().switch_live(&claimed.lease, chunks, at(3)).await.unwrap();
        }
        id
    }

    pub(crate) async fn claim(&self, id: &DocumentId, version: u32) -> Claimed {
        let versions = self.tables.versions();
        let claim = versions.claim(&self.caller.tenant, id, version, at(2), LEASE, 3).await;
        match claim.unwrap() {
            Claim::Won(claimed) => *claimed,
            other => panic!("the claim was not won: {other:?}"),
        }
    }

    pub(crate) fn points(&self, id: &DocumentId, version: u32, draft: &Draft) -> Vec<Point> {
        let text = draft.text();
        let parsed = ParsedText { text: text.clone(), ..ParsedText::default() };
        let survey = draft.is_surveyed.then(|| Survey::of(&parsed));
        let cut = |ordinal: usize, span: Span| Chunk {
            ordinal: u32::try_from(ordinal).unwrap(),
            span,
            heading: String::new(),
            page: None,
        };
        let mut start = 0;
        let mut points = Vec::new();
        for (ordinal, chunk) in draft.chunks.iter().enumerate() {
            let span = Span { start, end: start + chunk.len() };
            start = span.end + draft.gap.len();
            let passage = Passage {
                tenant: self.caller.tenant.clone(),
                collection: CollectionId::default_collection(),
                document_id: id.clone(),
                version,
                ordinal: u32::try_from(ordinal).unwrap(),
                document_name: "a.md".into(),
                heading: String::new(),
                page: None,
                line: u32::try_from(1 + text[..span.start].matches('\n').count()).unwrap(),
                span,
                text: chunk.clone(),
                text_sha256: String::new(),
                hostility: Some(Passage::hostility_of(chunk)),
                personal: survey.as_ref().map(|survey| survey.places(&cut(ordinal, span))),
                language: "eng".into(),
                acl: draft.acls[ordinal].clone(),
                metadata: draft.metadata.clone(),
            };
            let sparse = Bm25::default().document_vector(chunk, "eng");
            points.push(Point { passage, dense: None, sparse });
        }
        points
    }

    pub(crate) async fn find(&self, request: &SearchRequest) -> Found {
        self.search.search(&self.caller, request).await.unwrap()
    }

    /// Asks without a chat model; returns the answer and the passages it was made from.
    pub(crate) async fn ask(&self, caller: &Caller, question: &str) -> (Asked, Vec<ScoredPassage>) {
        let ask = Ask {
            search: self.search.clone(),
            tables: self.tables.clone(),
            chat: None,
            chat_models: ChatModels::new(),
            spending: Spending {
                tables: self.tables.clone(),
                prices: Arc::new(PriceTable::built_in()),
                limits: SpendingLimits::default(),
                clock: Clock::system(),
            },
            function: None,
            budget: PromptBudget::default(),
            clock: Clock::system(),
        };
        let request = AskRequest {
            collection: CollectionId::default_collection(),
            question: question.parse().unwrap(),
            filter: None,
            mmr: None,
            session_id: None,
            time_budget: BUDGET,
            cache: false,
        };
        let (sender, mut events) = tokio::sync::mpsc::channel(EVENT_BUFFER);
        let asked = ask.ask(caller, &request, &sender).await.unwrap();
        let Some(AskEvent::Retrieval { passages, .. }) = events.recv().await else {
            panic!("the first event is another")
        };
        (asked, passages)
    }
}

/// A moment of the tests.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis((1_795_230_000 + seconds) * 1_000)
}

/// A search for up to ten passages.
pub(crate) fn request(question: &str) -> SearchRequest {
    SearchRequest {
        collection: CollectionId::default_collection(),
        question: question.parse().unwrap(),
        filter: None,
        limit: Some(10),
        mmr: None,
        per_document: None,
        grouped: false,
        collapses: true,
        time_budget: BUDGET,
        cache: false,
        session_id: None,
    }
}

/// Returns the texts of what was found.
pub(crate) fn texts(passages: &[ScoredPassage]) -> Vec<&str> {
    passages.iter().map(|found| found.passage.text.as_str()).collect()
}

/// A reranking model.
#[derive(Debug)]
pub(crate) enum Model {
    /// The shorter the text, the better.
    Shortest,
    /// Fails.
    Away,
    /// Never answers.
    Silent,
    /// Scores one passage only.
    Careless,
}

#[async_trait]
impl Reranker for Model {
    fn model(&self) -> &'static str {
        "test"
    }

    async fn rerank(
        &self,
        _question: &str,
        passages: &[String],
        _timeout: Duration,
    ) -> Result<Vec<f32>, PortError> {
        match self {
            Self::Shortest => Ok(passages.iter().map(|text| -(text.len() as f32)).collect()),
            Self::Away => Err(PortError::bare(ErrorKind::Unavailable, "test")),
            Self::Silent => std::future::pending().await,
            Self::Careless => Ok(vec![1.0]),
        }
    }
}

/// An embedding model that is away.
#[derive(Debug)]
pub(crate) struct NoEmbedder(pub(crate) EmbeddingModel);

#[async_trait]
impl Embedder for NoEmbedder {
    fn model(&self) -> &EmbeddingModel {
        &self.0
    }

    async fn embed(&self, _texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        Err(PortError::bare(ErrorKind::Unavailable, "test"))
    }
}
