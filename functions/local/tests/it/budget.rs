//! What may be spent: refused before a model is asked, counted whatever becomes of a request.

use futures::future::join_all;
use lectern_testkit::chat::{DIMENSIONS, Reply, ScriptedChat};
use serde_json::{Value, json};

use crate::{gate::create_key, process::Server};

const TEXT: &str = "# Backups\n\nBackups run daily at 03:00 UTC. They are kept for 30 days.";
const QUESTION: &str = "When do backups run?";
/// What every reply says, and is counted as: 11 tokens sent, 3 received, at 1 000 and 10 000 dollars a million.
const ANSWER: [&str; 3] = ["Backups run ", "daily at 03:00 UTC ", "[1]."];
const PRICES: &str = r#"{"scripted":{"prompt":1000,"completion":10000}}"#;
const COST_USD: f64 = 0.041;

fn replies(count: usize) -> Vec<Reply> {
    vec![Reply::tokens(&ANSWER); count]
}

/// Starts a server whose model is `chat`.
fn serve(data: &tempfile::TempDir, chat: &ScriptedChat, arguments: &[&str]) -> Server {
    let url = chat.base_url();
    let variables = [
        ("LECTERN_CHAT", "openai:scripted"),
        ("LECTERN_MODEL_URL", url.as_str()),
        ("LECTERN_PRICES", PRICES),
        ("LECTERN_ANSWER_TIMEOUT_MS", "60000"),
    ];
    Server::start(data.path(), arguments, &variables)
}

async fn ask(server: &Server, question: &str) -> (u16, Value) {
    // Nothing kept answers, so that each question asks the model.
    let body = json!({ "question": question, "cache": false });
    let (status, answer) = server.post("/v1/query", &body).await;
    (status.as_u16(), answer)
}

async fn budget(server: &Server, change: &Value) -> Value {
    let request = server.request("PATCH", "/v1/budget").json(change);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn standing(server: &Server) -> Value {
    server.get("/v1/budget").await.1
}

fn dollars(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

#[tokio::test]
async fn what_is_spent_is_counted_and_a_spent_budget_refuses_before_the_model() {
    let data = tempfile::tempdir().unwrap();
    let chat = ScriptedChat::start(replies(2));
    let server = serve(&data, &chat, &["--open"]);
    server.ready("backup.md", TEXT).await;
    let (_, answer) = ask(&server, QUESTION).await;
    assert!((dollars(&answer["usage"]["cost_usd"]) - COST_USD).abs() < 1e-9, "{answer}");
    let before = budget(&server, &json!({ "usd_per_month": 0.05 })).await;
    assert_eq!(
        (&before["month"]["limit_usd"], &before["day"]["limit_usd"]),
        (&json!(0.05), &Value::Null)
    );
    assert!((dollars(&before["month"]["spent_usd"]) - COST_USD).abs() < 1e-9, "{before}");
    // Below the limit the last question is answered; it passes the limit by less than it costs.
    let kept = json!({ "question": QUESTION });
    assert_eq!(server.post("/v1/query", &kept).await.0, 200);
    let (status, problem) = ask(&server, QUESTION).await;
    assert_eq!((status, &problem["type"]), (402, &json!("urn:lectern:problem:over-budget")));
    assert!(
        problem["detail"].as_str().unwrap().contains("account's budget of this month"),
        "{problem}"
    );
    assert_eq!(chat.requests().len(), 2, "refused before the model was asked");

    // What costs nothing goes on.
    assert_eq!(server.post("/v1/query", &kept).await.1["cache"], "hit");
    assert_eq!(server.search(QUESTION).await.len(), 1);
    let after = standing(&server).await;
    assert!((dollars(&after["day"]["spent_usd"]) - 2.0 * COST_USD).abs() < 1e-9, "{after}");
    assert_eq!(after["day"]["held_usd"], 0.0, "{after}");
    let told = |log: &[String]| {
        log.iter().filter(|line| line.contains("a budget is nearly spent")).count()
    };
    assert_eq!(
        told(&server.log()),
        1,
        "80 % was passed when there was no limit; 100 % is told once"
    );

    let (_, usage) = server.get("/v1/usage").await;
    let row = &usage["usage"][0];
    assert_eq!((&row["key_id"], &row["requests"]), (&json!("operator"), &json!(3)), "{usage}");
    assert_eq!((&row["prompt_tokens"], &row["completion_tokens"]), (&json!(22), &json!(6)));
}

#[tokio::test]
async fn sixty_four_callers_pass_a_budget_by_one_question_at_most() {
    let data = tempfile::tempdir().unwrap();
    let chat = ScriptedChat::start(Vec::new());
    let server = serve(&data, &chat, &["--open"]);
    server.ready("backup.md", TEXT).await;
    // One question may cost some 20 dollars by its prompt's bound; it costs 0.041. Rounds go on until nothing is answered.
    let limit = 10.0 * COST_USD;
    budget(&server, &json!({ "usd_per_day": limit })).await;
    let mut answered = 0;
    for round in 0.. {
        for reply in replies(64) {
            chat.push(reply);
        }
        let questions = (0..64).map(|_| ask(&server, QUESTION));
        let statuses: Vec<u16> =
            join_all(questions).await.into_iter().map(|(status, _)| status).collect();
        let good = statuses.iter().filter(|status| **status == 200).count();
        assert!(statuses.iter().all(|status| matches!(status, 200 | 402 | 429)), "{statuses:?}");
        answered += good;
        assert!(round < 64, "{answered}");
        if good == 0 {
            break;
        }
    }
    let spent = dollars(&standing(&server).await["day"]["spent_usd"]);
    #[expect(clippy::cast_precision_loss, reason = "dozens")]
    let expected = answered as f64 * COST_USD;
    assert!((spent - expected).abs() < 1e-6, "{spent} {answered}");
    assert!(spent >= limit - 1e-9 && spent < limit + COST_USD, "{spent} of {limit}");
    chat.forget_rest();
}

#[tokio::test]
async fn a_key_has_its_own_budget_and_a_stop_is_for_all() {
    let data = tempfile::tempdir().unwrap();
    let admin = create_key(data.path(), &["admin", "--permission", "query,upload,admin"]);
    let chat = ScriptedChat::start(replies(2));
    let server = serve(&data, &chat, &[]).with_key(&admin);
    server.ready("backup.md", TEXT).await;
    let wanted =
        json!({ "name": "poor", "permissions": ["query"], "budget": { "usd_per_day": 0.04 } });
    let (status, poor) = server.post("/v1/keys", &wanted).await;
    assert_eq!(status, 201, "{poor}");
    let server = server.with_key(poor["key"].as_str().unwrap());
    assert_eq!(ask(&server, QUESTION).await.0, 200);
    let (status, problem) = ask(&server, QUESTION).await;
    assert_eq!(status, 402);
    assert!(problem["detail"].as_str().unwrap().contains("key's budget of this day"), "{problem}");
    assert_eq!(server.get("/v1/budget").await.0, 403, "the key may only ask");

    let server = server.with_key(&admin);
    let (_, shown) = server.get(&format!("/v1/keys/{}", poor["id"].as_str().unwrap())).await;
    assert!((dollars(&shown["spending"]["day"]["spent_usd"]) - COST_USD).abs() < 1e-9, "{shown}");
    assert_eq!(ask(&server, QUESTION).await.0, 200, "another key has its own");
    let stopped = budget(&server, &json!({ "stopped": true })).await;
    assert!(stopped["stopped_at"].is_string(), "{stopped}");
    let (status, problem) = ask(&server, QUESTION).await;
    assert_eq!((status, &problem["type"]), (402, &json!("urn:lectern:problem:spending-stopped")));
    chat.push(Reply::tokens(&ANSWER));
    budget(&server, &json!({ "stopped": false })).await;
    assert_eq!(ask(&server, QUESTION).await.0, 200);
}

#[tokio::test]
async fn a_reply_that_breaks_off_or_is_hung_up_on_is_paid_for() {
    let data = tempfile::tempdir().unwrap();
    let (sender, hung_up) = std::sync::mpsc::channel();
    let tokens = || ANSWER.iter().map(|token| (*token).to_owned()).collect();
    let chat = ScriptedChat::start(vec![Reply::Cut(tokens()), Reply::Held(tokens(), sender)]);
    let server = serve(&data, &chat, &["--open"]);
    server.ready("backup.md", TEXT).await;
    budget(&server, &json!({ "usd_per_day": 1000 })).await;
    assert_eq!(ask(&server, QUESTION).await.0, 503);
    let cut = standing(&server).await;
    let first = dollars(&cut["day"]["spent_usd"]);
    assert!(first > 0.0, "{cut}");
    assert_eq!(cut["day"]["held_usd"], 0.0, "{cut}");

    let body = json!({ "question": QUESTION, "stream": true, "cache": false });
    let mut response = server.request("POST", "/v1/query").json(&body).send().await.unwrap();
    let mut read = String::new();
    while !read.contains("daily at") {
        read.push_str(&String::from_utf8_lossy(&response.chunk().await.unwrap().unwrap()));
    }
    drop(response);
    // The model's connection is closed once nobody listens.
    tokio::task::spawn_blocking(move || hung_up.recv()).await.unwrap().unwrap_err();
    let deadline = std::time::Instant::now() + crate::process::PATIENCE;
    loop {
        let day = standing(&server).await["day"].clone();
        if day["held_usd"] == 0.0 && dollars(&day["spent_usd"]) > first {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{day}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn vectors_of_documents_and_of_questions_are_paid_for() {
    let data = tempfile::tempdir().unwrap();
    let api = ScriptedChat::start(Vec::new());
    let (url, embedder) = (api.base_url(), format!("openai:embedder@{DIMENSIONS}"));
    // Each request is counted as a token, which is a dollar.
    let variables = [
        ("LECTERN_EMBEDDER", embedder.as_str()),
        ("LECTERN_MODEL_URL", url.as_str()),
        ("LECTERN_PRICES", r#"{"embedder":{"embedding":1000000}}"#),
    ];
    let server = Server::start(data.path(), &["--open"], &variables);
    server.ready("backup.md", TEXT).await;
    let (_, usage) = server.get("/v1/usage").await;
    let row = &usage["usage"][0];
    assert_eq!((&row["key_id"], &row["requests"]), (&json!("operator"), &json!(0)), "{usage}");
    assert_eq!((&row["embedding_tokens"], &row["cost_usd"]), (&json!(1), &json!(1.0)), "{usage}");
    let (_, answer) = ask(&server, QUESTION).await;
    let used = &answer["usage"];
    assert_eq!((&used["embedding_tokens"], &used["cost_usd"]), (&json!(1), &json!(1.0)), "{used}");
    let (_, answer) = ask(&server, QUESTION).await;
    let used = &answer["usage"];
    assert_eq!((&used["embedding_tokens"], &used["cost_usd"]), (&json!(0), &json!(0.0)), "{used}");

    // A spent budget refuses no document, and counts it.
    let before = budget(&server, &json!({ "usd_per_day": 1 })).await;
    assert!((dollars(&before["day"]["spent_usd"]) - 2.0).abs() < 1e-9, "{before}");
    server.ready("restore.md", "# Restoring\n\nRestoring takes an hour.").await;
    let after = standing(&server).await;
    assert!((dollars(&after["day"]["spent_usd"]) - 3.0).abs() < 1e-9, "{after}");
}
