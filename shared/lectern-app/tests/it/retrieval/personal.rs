//! Personal data that a collection's settings keep from whoever asks, and from the models that answer.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lectern_core::{
    errors::PortError,
    passage::{Passage, ScoredPassage},
    personal::{Kind, Kinds},
    ports::Reranker,
    redaction::redacted,
};
use serde_json::json;

use super::world::{Draft, World, request, texts};

const FIRST: &str = "The platypus keeper is Ada Byron. Her telephone:";
/// A telephone number only because the chunk before says so.
const SECOND: &str = "0301234567 is the platypus number, ada@example.com the address.";
const QUESTION: &str = "What is the platypus number?";

fn draft() -> Draft {
    Draft { gap: "\n", ..Draft::of(&[FIRST, SECOND]) }
}

/// Returns the settings that cover these kinds.
fn redact(kinds: &[&str]) -> serde_json::Value {
    json!({"safety": {"redact": kinds}})
}

fn all() -> Kinds {
    Kind::ALL.into_iter().collect()
}

/// Whether a passage's text is a piece of the document as it is shown.
fn is_shown(passage: &Passage, draft: &Draft) -> bool {
    passage.span.of(&redacted(draft.text(), all())) == Some(passage.text.as_str())
}

#[tokio::test]
async fn searches_and_answers_lack_what_is_personal() {
    let world = World::new().await;
    world.write(1, &draft()).await;
    let found = world.find(&request("platypus")).await.passages;
    assert!(texts(&found).contains(&SECOND), "nothing is covered unless it is asked for");

    world.set(redact(&["phone"])).await;
    let found = world.find(&request("platypus")).await.passages;
    let shown = SECOND.replace("0301234567", "**********");
    assert!(texts(&found).contains(&shown.as_str()), "{found:?}");

    world.set(redact(&["phone", "email"])).await;
    let found = world.find(&request("platypus")).await.passages;
    assert!(found.iter().all(|found| is_shown(&found.passage, &draft())), "{found:?}");
    assert!(!format!("{found:?}").contains("0301234567") && !format!("{found:?}").contains("ada@"));

    let (asked, passages) = world.ask(&world.caller, QUESTION).await;
    assert!(!asked.answer.is_refused());
    let told = format!("{:?} {passages:?}", asked.answer);
    assert!(!told.contains("0301234567") && !told.contains("ada@"), "{told}");
    for citation in asked.answer.citations() {
        let whole = redacted(draft().text(), all());
        assert_eq!(whole.get(citation.start..citation.end), Some(citation.quote.as_str()));
    }
}

#[tokio::test]
async fn a_neighbour_brings_nothing_personal_in() {
    let world = World::new().await;
    let draft = Draft {
        gap: "\n",
        ..Draft::of(&[
            "The keeper of the animals sits upstairs. Telephone:",
            "0301234567 during the day. The platypus sleeps at noon.",
            "Mail goes to ada@example.com, and the card is 4111 1111 1111 1111.",
        ])
    };
    world.write(1, &draft).await;
    world.set(redact(&["phone", "email", "card"])).await;
    let (_, passages) = world.ask(&world.caller, "When does the platypus sleep?").await;
    let [ScoredPassage { passage, .. }] = passages.as_slice() else { panic!("{passages:?}") };
    assert_eq!(passage.span.len(), draft.text().len(), "it was widened to all of it");
    assert!(is_shown(passage, &draft), "{passage:?}");
    assert_eq!(passage.text.matches("**********").count(), 3, "{passage:?}");
}

#[tokio::test]
async fn a_passage_of_before_is_looked_at_by_itself() {
    let world = World::new().await;
    world.write(1, &Draft { is_surveyed: false, ..draft() }).await;
    world.set(redact(&["email", "phone"])).await;
    let found = world.find(&request("platypus number")).await.passages;
    // What makes the number a telephone's is in the chunk before: that is why documents are looked at whole.
    let shown = SECOND.replace("ada@example.com", "***************");
    assert!(texts(&found).contains(&shown.as_str()), "{found:?}");
}

/// A reranking model that remembers what it was sent.
#[derive(Debug, Default)]
struct Listener(Mutex<Vec<String>>);

#[async_trait]
impl Reranker for Listener {
    fn model(&self) -> &'static str {
        "listener"
    }

    async fn rerank(
        &self,
        _question: &str,
        passages: &[String],
        _timeout: std::time::Duration,
    ) -> Result<Vec<f32>, PortError> {
        self.0.lock().unwrap().extend_from_slice(passages);
        Ok(vec![1.0; passages.len()])
    }
}

#[tokio::test]
async fn a_reranking_model_is_not_told_either() {
    let mut world = World::new().await;
    let listener = Arc::new(Listener::default());
    world.search.reranker = Some(Arc::<Listener>::clone(&listener));
    world.write(1, &draft()).await;
    world.set(json!({"safety": {"redact": ["phone", "email"]}, "retrieval": {"rerank": {}}})).await;
    world.find(&request("platypus")).await;
    let told = listener.0.lock().unwrap().join("\n");
    assert!(told.contains("platypus number") && told.contains("**********"), "{told}");
    assert!(!told.contains("0301234567") && !told.contains("ada@"), "{told}");
}
