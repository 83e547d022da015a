//! Personal data from a file that is uploaded to an answer: what is stored, found, sent to a model, kept and shown.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use lectern_app::{
    ask::Ask,
    back_up::records::PassageLine,
    backlog::Backlog,
    blobs::{BlobName, Blobs},
    cache::CacheUse,
    documents::Documents,
    errors::FlowError,
    ingest::{Ingest, LEASE, Outcome},
    upload::{NewDocument, Upload},
};
use lectern_core::{
    auth::Caller,
    chunking::ChunkSettings,
    document::{Metadata, Version},
    errors::PortError,
    ids::{CollectionId, DocumentId},
    passage::{Point, Scope},
    personal::Kind,
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream, Embedder, PassageReader as _},
    redaction::redacted,
};
use lectern_parse::{ParseError, ParseLimits, Sandbox, parse};
use object_store::memory::InMemory;
use serde_json::json;

use crate::{
    fetch::Doorbell,
    world::{BagOfWords, World, ask, ask_with, request},
};

const NAME: &str = "keepers.md";
const QUESTION: &str = "How is the heron keeper reached?";
const SECRETS: [&str; 3] = ["+49 30 1234567", "ada@example.com", "eve@example.com"];
const TEXT: &str = "# Keepers of eve@example.com\n\nThe heron keeper is reached at +49 30 1234567 by day.\n\n\
    The otter keeper is reached at ada@example.com by night.\n";

/// A chat model that says one thing and remembers what it was sent.
#[derive(Debug, Default)]
struct Listener(Mutex<Vec<String>>);

#[async_trait]
impl ChatModel for Listener {
    fn model(&self) -> &'static str {
        "listener"
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, PortError> {
        self.0.lock().unwrap().push(format!("{:?}", request.messages));
        let said = ChatEvent::Token("The heron keeper is reached by day [1].".to_owned());
        let done = ChatEvent::Done { usage: None, truncated: false };
        Ok(Box::pin(futures::stream::iter([Ok(said), Ok(done)])))
    }
}

/// A world with files.
struct Desk {
    world: World,
    blobs: Blobs,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let blobs = Blobs::new(Arc::new(InMemory::new()), None);
        Self { world: World::new().await, blobs, folder: tempfile::tempdir().unwrap() }
    }

    fn caller(&self) -> Caller {
        Caller::operator(self.world.tenant.clone())
    }

    fn ask(&self) -> (Ask, Arc<Listener>) {
        let listener = Arc::new(Listener::default());
        let chat = Arc::<Listener>::clone(&listener);
        (Ask { chat: Some(chat), ..self.world.process() }, listener)
    }

    async fn redact(&self, kinds: &[&str], at: &str) {
        self.world.set(json!({"safety": {"redact": kinds, "redact_at": at}})).await;
    }

    /// Uploads a file and makes it answer.
    async fn ready(&self, text: &'static str) -> DocumentId {
        let upload = Upload {
            tables: self.world.tables.clone(),
            blobs: self.blobs.clone(),
            jobs: Arc::new(Doorbell),
            clock: self.world.clock(),
            max_bytes: 1 << 20,
            backlog: Backlog::of(self.world.tables.clone(), self.world.clock()),
        };
        let new = NewDocument {
            collection: CollectionId::default_collection(),
            document_id: None,
            new_id: None,
            name: NAME.into(),
            bytes: text.into(),
            acl: Vec::new(),
            metadata: Metadata::new(),
        };
        let uploaded = upload.upload(&self.caller(), new).await.unwrap();
        let (id, version) = (uploaded.document.id, uploaded.version);
        let outcome = self.ingest(text).ingest(&self.world.tenant, &id, version).await.unwrap();
        assert!(matches!(outcome, Outcome::Ready { .. }), "{outcome:?}");
        id
    }

    fn ingest(&self, text: &str) -> Ingest {
        let embedder: Arc<dyn Embedder> = Arc::<BagOfWords>::clone(&self.world.embedder);
        Ingest {
            tables: self.world.tables.clone(),
            blobs: self.blobs.clone(),
            reader: Arc::new(self.world.index.clone()),
            writer: Arc::new(self.world.index.clone()),
            embedder: Some(embedder),
            sandbox: Arc::new(self.sandbox(text)),
            limits: ParseLimits::default(),
            chunking: ChunkSettings::parse(64, 8, 128).unwrap(),
            spending: self.world.spending(),
            lease: LEASE,
            clock: self.world.clock(),
        }
    }

    /// Returns a sandbox whose child gives the answer that parsing `text` gives, and then waits for its end.
    fn sandbox(&self, text: &str) -> Sandbox {
        let parsed = parse(text.as_bytes(), NAME, &ParseLimits::default()).unwrap();
        let answer = serde_json::to_vec(&Ok::<_, ParseError>(parsed)).unwrap();
        let framed = [(answer.len() as u64).to_le_bytes().as_slice(), &answer].concat();
        let path: PathBuf = self.folder.path().join("answer");
        std::fs::write(&path, framed).unwrap();
        let script = "/bin/cat \"$0\"; exec /bin/cat > /dev/null";
        Sandbox::new("/bin/sh".into(), vec!["-c".into(), script.into(), path.into()])
    }

    async fn points(&self, id: &DocumentId) -> Vec<Point> {
        let scope = Scope::document(&self.world.tenant, id);
        self.world.index.scroll(&scope, None, 100).await.unwrap().points
    }

    async fn stored_text(&self, id: &DocumentId) -> String {
        let name = BlobName::text(&self.world.tenant, id, 1);
        String::from_utf8(self.blobs.get(&name).await.unwrap().to_vec()).unwrap()
    }

    async fn shown(&self, id: &DocumentId, start: usize, end: Option<usize>) -> Shown {
        let documents = Documents { tables: self.world.tables.clone(), blobs: self.blobs.clone() };
        let piece = documents.text(&self.caller(), id, None, start, end).await?;
        assert_eq!(piece.text.len(), piece.end - piece.start);
        Ok((piece.text, piece.total_bytes, piece.version))
    }
}

type Shown = Result<(String, usize, Version), FlowError>;

/// Returns the cosine of two vectors of length one.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn has_secrets(text: &str) -> bool {
    SECRETS.iter().any(|secret| text.contains(secret))
}

#[tokio::test]
async fn what_is_covered_at_ingestion_is_stored_nowhere_but_in_the_file() {
    let desk = Desk::new().await;
    desk.redact(&["phone", "email"], "ingestion").await;
    let id = desk.ready(TEXT).await;
    let text = desk.stored_text(&id).await;
    assert!(!has_secrets(&text) && text.contains("reached at *************** by night"), "{text}");
    let points = desk.points(&id).await;
    assert!(!points.is_empty());
    for point in points {
        assert_eq!(point.passage.span.of(&text), Some(point.passage.text.as_str()));
        let of_what_is_shown = desk.world.embedder.vector(&point.passage.indexed_text());
        assert!(cosine(point.dense.as_ref().unwrap(), &of_what_is_shown) > 0.999);
        let kept = serde_json::to_string(&PassageLine::from(point)).unwrap();
        assert!(!has_secrets(&kept) && kept.contains("Keepers of ***************"), "{kept}");
    }

    // It is gone for good: without the setting nothing comes back.
    desk.world.set(json!({})).await;
    let (process, listener) = desk.ask();
    let asked = ask(&process, &desk.caller(), QUESTION).await;
    assert!(!has_secrets(&format!("{asked:?} {listener:?}")));
    assert_eq!(desk.shown(&id, 0, None).await.unwrap().0, text);
    for citation in asked.answer.citations() {
        assert_eq!(text.get(citation.start..citation.end), Some(citation.quote.as_str()));
    }
}

#[tokio::test]
async fn what_is_covered_in_answers_stays_in_the_index_and_reaches_no_model() {
    let desk = Desk::new().await;
    desk.redact(&["phone", "email"], "answer").await;
    let id = desk.ready(TEXT).await;
    let text = desk.stored_text(&id).await;
    assert!(SECRETS.iter().all(|secret| text.contains(secret)), "{text}");
    let points = desk.points(&id).await;
    assert!(points.iter().all(|point| point.passage.personal.is_some()));

    let (process, listener) = desk.ask();
    let (asked, events) = ask_with(&process, &desk.caller(), &request(QUESTION)).await;
    let told = format!("{:?} {events:?} {listener:?}", asked.as_ref().unwrap());
    assert!(told.contains("reached at ************** by day"), "{told}");
    assert!(!has_secrets(&told), "{told}");
    let answer = asked.unwrap().answer;
    assert!(!answer.citations().is_empty());
    for citation in answer.citations() {
        let (quote, ..) = desk.shown(&id, citation.start, Some(citation.end)).await.unwrap();
        assert_eq!(quote, citation.quote);
    }
}

#[tokio::test]
async fn an_answer_that_was_kept_ends_with_the_setting() {
    let desk = Desk::new().await;
    desk.ready(TEXT).await;
    let (mut process, _) = desk.ask();
    process.chat = None;
    let open = ask(&process, &desk.caller(), QUESTION).await;
    assert!(open.answer.text().contains(SECRETS[0]), "{open:?}");
    assert_eq!(ask(&process, &desk.caller(), QUESTION).await.cache, CacheUse::Exact);

    desk.redact(&["phone"], "answer").await;
    for expected in [CacheUse::Miss, CacheUse::Exact] {
        let asked = ask(&process, &desk.caller(), QUESTION).await;
        assert_eq!(asked.cache, expected);
        assert!(!format!("{asked:?}").contains(SECRETS[0]), "{asked:?}");
        assert!(asked.answer.text().contains("**************"), "{asked:?}");
    }
    // What another process reads from the table is what this one kept.
    let other = Ask { chat: None, ..desk.ask().0 };
    let asked = ask(&other, &desk.caller(), QUESTION).await;
    assert!(!format!("{asked:?}").contains(SECRETS[0]), "{asked:?}");
}

#[tokio::test]
async fn the_text_of_a_document_is_shown_as_it_is_quoted() {
    let desk = Desk::new().await;
    let id =
        desk.ready("Who calls may use the telephone:\n0301234567 is answered at noon.\n").await;
    let text = desk.stored_text(&id).await;
    let number = text.find("0301234567").unwrap();
    let (whole, total, version) = desk.shown(&id, 0, None).await.unwrap();
    assert_eq!((&whole, total, version), (&text, text.len(), 1));

    desk.redact(&["phone"], "answer").await;
    let expected = redacted(text.clone(), [Kind::Phone].into_iter().collect());
    assert_eq!(expected.matches('*').count(), 10, "{expected}");
    for (start, end) in [(0, None), (number, None), (number + 3, Some(number + 5)), (2, Some(2))] {
        let (piece, total, _) = desk.shown(&id, start, end).await.unwrap();
        let piece_end = end.unwrap_or(text.len());
        assert_eq!((piece.as_str(), total), (&expected[start..piece_end], text.len()), "{start}");
    }
    assert!(desk.shown(&id, text.len() + 1, None).await.is_err());
    assert!(desk.shown(&id, 4, Some(3)).await.is_err());
    desk.redact(&["email"], "answer").await;
    assert_eq!(desk.shown(&id, 0, None).await.unwrap().0, text);
}

#[tokio::test]
async fn settings_that_cannot_be_read_cover_what_they_said_to() {
    let desk = Desk::new().await;
    let id = desk.ready(TEXT).await;
    desk.world
        .set(json!({"of_another_release": 1, "safety": {"redact": ["phone", "email"]}}))
        .await;
    assert!(!has_secrets(&desk.shown(&id, 0, None).await.unwrap().0));
}
