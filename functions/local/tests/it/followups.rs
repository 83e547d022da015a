//! Follow-up questions over the real server: who rewrites them, what that costs, and whose questions count.

use lectern_testkit::chat::{PROMPT_TOKENS, Reply, ScriptedChat, owned};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{gate::create_key, process::Server};

const BACKUPS: &str = "# Backups\n\nBackups run daily at 03:00 UTC. They are kept for 30 days.";
const MENU: &str = "# Canteen\n\nLunch is served at noon in the canteen on the second floor.";
const FIRST: &str = "When do backups run?";
const SECOND: &str = "How long are they kept?";
const BY_RULE: &str = "How long are they kept? (backups)";

async fn ask(server: &Server, question: &str, session: &Value) -> Value {
    let body = json!({ "question": question, "session_id": session });
    let (status, answer) = server.post("/v1/query", &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// Asks the first question and then `second` of a server whose model replies as scripted; returns the second
/// answer and the model's requests.
async fn second_answer(second: &str, replies: Vec<Reply>) -> (Value, Vec<Value>) {
    let data = tempfile::tempdir().unwrap();
    let first = Reply::tokens(&["Backups run daily at 03:00 UTC [1]."]);
    let chat = ScriptedChat::start([vec![first], replies].concat());
    let url = chat.base_url();
    let variables = [("LECTERN_CHAT", "openai:scripted"), ("LECTERN_MODEL_URL", url.as_str())];
    let server = Server::start(data.path(), &["--open"], &variables);
    server.ready("backup.md", BACKUPS).await;
    let answer = server.ask(FIRST).await;
    assert!(answer.get("standalone_question").is_none(), "{answer}");
    let answer = ask(&server, second, &answer["session_id"]).await;
    (answer, chat.finish().into_iter().map(|request| request.body).collect())
}

fn kept() -> Reply {
    Reply::tokens(&["They are kept for 30 days [1]."])
}

#[tokio::test]
async fn a_model_rewrites_a_follow_up_and_its_tokens_are_counted() {
    let rewritten = "How long are backups kept?";
    let (answer, requests) = second_answer(SECOND, vec![Reply::tokens(&[rewritten]), kept()]).await;
    assert_eq!(answer["standalone_question"], rewritten);
    assert_eq!(answer["usage"]["prompt_tokens"], 2 * PROMPT_TOKENS);
    assert_eq!(answer["usage"]["completion_tokens"], 2);
    let rewriting = &requests[1];
    assert_eq!((&rewriting["temperature"], &rewriting["max_tokens"]), (&json!(0.0), &json!(96)));
    let shown = rewriting["messages"][1]["content"].as_str().unwrap();
    assert!(shown.contains(FIRST) && shown.contains(SECOND), "{shown}");
    let prompt = requests[2]["messages"].as_array().unwrap().last().unwrap();
    assert!(prompt["content"].as_str().unwrap().contains(rewritten), "{prompt}");
}

#[tokio::test]
async fn a_model_that_fails_or_answers_instead_leaves_it_to_the_rule() {
    let useless = [
        Reply::tokens(&["Backups are kept for 30 days."]),
        Reply::tokens(&[" "]),
        Reply::tokens(&["How long? ", &"very ".repeat(200), "long?"]),
        Reply::Truncated(owned(&["How long are backups?"])),
        Reply::Cut(owned(&["How long are"])),
        Reply::Stall(owned(&["How long are"])),
        Reply::Malformed(owned(&["How long are backups kept?"])),
    ];
    for reply in useless {
        let told = format!("{reply:?}");
        let (answer, _) = second_answer(SECOND, vec![reply, kept()]).await;
        assert_eq!(answer["standalone_question"], BY_RULE, "{told}");
        assert!(answer["usage"]["prompt_tokens"].as_u64() > Some(PROMPT_TOKENS.into()), "{told}");
    }
}

#[tokio::test]
async fn a_question_that_stands_alone_costs_no_second_call() {
    let alone = "Which Backups run daily at 03:00 UTC in Dublin and Frankfurt?";
    let (answer, requests) = second_answer(alone, vec![kept()]).await;
    assert!(answer.get("standalone_question").is_none(), "{answer}");
    assert_eq!(requests.len(), 2);
    // A model may say so too: it repeats the question.
    let (answer, requests) = second_answer(SECOND, vec![Reply::tokens(&[SECOND]), kept()]).await;
    assert!(answer.get("standalone_question").is_none(), "{answer}");
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn a_topic_lasts_until_another_begins_and_what_was_asked_is_what_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    server.ready("backup.md", BACKUPS).await;
    server.ready("menu.md", MENU).await;
    let session = server.ask(FIRST).await["session_id"].clone();
    let answer = ask(&server, SECOND, &session).await;
    assert_eq!(answer["standalone_question"], BY_RULE);
    assert_eq!(answer["citations"][0]["document_name"], "backup.md", "{answer}");
    let answer = ask(&server, "When is lunch served?", &session).await;
    assert!(answer.get("standalone_question").is_none(), "{answer}");
    let answer = ask(&server, "And where?", &session).await;
    assert_eq!(answer["standalone_question"], "And where? (lunch served)");
    let path = format!("/v1/sessions/{}", session.as_str().unwrap());
    let (_, stored) = server.get(&path).await;
    let messages = stored["messages"].as_array().unwrap();
    let asked: Vec<&str> =
        messages.iter().step_by(2).map(|message| message["content"].as_str().unwrap()).collect();
    assert_eq!(asked, [FIRST, SECOND, "When is lunch served?", "And where?"]);
}

#[tokio::test]
async fn nobody_follows_up_on_questions_of_another_key() {
    let data = tempfile::tempdir().unwrap();
    let ours = create_key(data.path(), &["ours", "--permission", "query,upload"]);
    let other = create_key(data.path(), &["other", "--permission", "query"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&ours);
    server.ready("backup.md", BACKUPS).await;
    let session = server.ask(FIRST).await["session_id"].clone();
    assert_eq!(ask(&server, SECOND, &session).await["standalone_question"], BY_RULE);
    let server = server.with_key(&other);
    let answer = ask(&server, SECOND, &session).await;
    assert!(answer.get("standalone_question").is_none(), "{answer}");
}
