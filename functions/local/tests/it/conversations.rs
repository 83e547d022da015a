//! The conversations of `evaluation/conversations`, asked of the built server without a chat model: once
//! turn by turn in a session, once each question alone, which is what leaving the rewriting out would give.

#![expect(clippy::print_stdout, reason = "the figures are what this test is run for")]

use std::{collections::HashMap, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::process::Server;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../evaluation/conversations");
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/models/all-MiniLM-L6-v2");

/// Share of follow-ups, in each half of the set, whose best passage is of the right document.
const MIN_RETRIEVED: f64 = 0.90;

#[derive(Deserialize)]
struct Document {
    _id: String,
    title: String,
    text: String,
}

#[derive(Deserialize)]
struct Conversation {
    id: String,
    half: String,
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    kind: String,
    question: String,
    document: String,
}

/// How many of some turns found and cited the right document first.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    turns: usize,
    retrieved: usize,
    cited: usize,
}

impl Count {
    fn add(&mut self, turn: &Turn, heard: &Heard) {
        let is_right = |name: &Option<String>| name.as_deref() == Some(turn.document.as_str());
        self.turns += 1;
        self.retrieved += usize::from(is_right(&heard.retrieved));
        self.cited += usize::from(is_right(&heard.cited));
    }

    #[expect(clippy::cast_precision_loss, reason = "a hundred turns")]
    fn retrieved_share(&self) -> f64 {
        self.retrieved as f64 / self.turns as f64
    }
}

/// What came back for a question.
#[derive(Clone)]
struct Heard {
    retrieved: Option<String>,
    cited: Option<String>,
    answer: Value,
}

fn read<T: for<'de> Deserialize<'de>>(file: &str) -> Vec<T> {
    let text = std::fs::read_to_string(Path::new(FOLDER).join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Asks, and returns the first passage's and the first citation's document by name.
async fn ask(server: &Server, question: &str, session: Option<&str>) -> Heard {
    let mut body = json!({ "question": question, "stream": true });
    if let Some(session) = session {
        body["session_id"] = session.into();
    }
    let response = server.request("POST", "/v1/query").json(&body).send().await.unwrap();
    let text = response.text().await.unwrap();
    let data = |name: &str| -> Value {
        let event = text.split("\n\n").find(|event| event.contains(&format!("event: {name}\n")));
        let line = event.unwrap().lines().find_map(|line| line.strip_prefix("data:")).unwrap();
        serde_json::from_str(line).unwrap()
    };
    let (retrieval, answer) = (data("retrieval"), data("done"));
    let first = |list: &Value| list[0]["document_name"].as_str().map(str::to_owned);
    Heard { retrieved: first(&retrieval["passages"]), cited: first(&answer["citations"]), answer }
}

/// Starts a server, with MiniLM where it is installed, that holds the corpus.
async fn server(data: &Path) -> Server {
    let has_model = Path::new(MODEL).is_dir();
    if has_model {
        std::fs::create_dir(data.join("models")).unwrap();
        std::os::unix::fs::symlink(MODEL, data.join("models/all-MiniLM-L6-v2")).unwrap();
    }
    println!("embedder: {}", if has_model { "all-MiniLM-L6-v2" } else { "none, BM25 only" });
    let embedder = if has_model { "minilm" } else { "none" };
    let server = Server::start(data, &["--open"], &[("LECTERN_EMBEDDER", embedder)]);
    let mut ids = Vec::new();
    for document in read::<Document>("corpus.jsonl") {
        let text = format!("# {}\n\n{}\n", document.title, document.text);
        let (status, accepted) = server.upload(&document._id, text.into_bytes()).await;
        assert!(status.is_success(), "{accepted}");
        ids.push(accepted["id"].as_str().unwrap().to_owned());
    }
    for id in ids {
        let document = server.settled(&id).await;
        assert_eq!(document["state"], "ready", "{document}");
    }
    server
}

#[tokio::test]
async fn follow_ups_find_the_right_document() {
    let data = tempfile::tempdir().unwrap();
    let server = server(data.path()).await;
    let mut counts: HashMap<(String, &str, &str), Count> = HashMap::new();
    for conversation in read::<Conversation>("conversations.jsonl") {
        let mut session: Option<String> = None;
        for (at, turn) in conversation.turns.iter().enumerate() {
            let heard = ask(&server, &turn.question, session.as_deref()).await;
            // The first question of a conversation has been asked without one.
            let plain = match at {
                0 => heard.clone(),
                _ => ask(&server, &turn.question, None).await,
            };
            session = session.or(heard.answer["session_id"].as_str().map(str::to_owned));
            let is_rewritten = heard.answer.get("standalone_question").is_some();
            assert!(at > 0 || !is_rewritten, "{}", heard.answer);
            let group = match turn.kind.as_str() {
                "opening" => "opening",
                "shift" | "alone" => "stands alone",
                _ => "leans",
            };
            let mut count = |group, mode, heard: &Heard| {
                let key = (conversation.half.clone(), group, mode);
                counts.entry(key).or_default().add(turn, heard);
            };
            for group in [group, if at > 0 { "after the first" } else { "all first" }] {
                count(group, "with", &heard);
                count(group, "without", &plain);
            }
            if heard.retrieved.as_deref() != Some(&turn.document)
                || heard.cited.as_deref() != Some(&turn.document)
                || (group == "stands alone" && is_rewritten)
            {
                println!(
                    "{} {} {} `{}` as {}: wants {}, found {:?}, cites {:?}",
                    conversation.id,
                    conversation.half,
                    turn.kind,
                    turn.question,
                    heard.answer["standalone_question"],
                    turn.document,
                    heard.retrieved,
                    heard.cited
                );
            }
        }
    }
    for half in ["tune", "held"] {
        for group in ["opening", "leans", "stands alone", "after the first"] {
            for mode in ["with", "without"] {
                let count = counts[&(half.to_owned(), group, mode)];
                println!("{half} {group} {mode} rewriting: {count:?}");
            }
        }
        let followed = counts[&(half.to_owned(), "after the first", "with")];
        assert!(followed.retrieved_share() >= MIN_RETRIEVED, "{half}: {followed:?}");
    }
}
