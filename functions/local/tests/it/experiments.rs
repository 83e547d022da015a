//! Experiments end to end: declared, assigned, answered with, recorded, rated, reported.

use std::path::Path;

use lectern_core::{
    experiment,
    ids::{CollectionId, KeyId, SessionId},
    settings::Experiment,
    time::Timestamp,
};
use lectern_tables::{Tables, collections::Collection};
use lectern_testkit::chat::{Reply, ScriptedChat};
use serde_json::{Value, json};

use crate::{
    BACKUP,
    gate::create_key,
    lectern::{Lectern, OK},
    process::Server,
};

const QUESTION: &str = "When do backups run?";
const REPLY: &str = "Backups run daily at 03:00 UTC [1].";

fn tone() -> Value {
    json!([{"name": "tone", "variants": [
        {"name": "control", "weight": 1},
        {"name": "short", "weight": 1, "prompt": "concise"},
    ]}])
}

/// Makes the data directory's default collection with these experiments, before anybody opens it.
async fn declare(data: &Path, experiments: &Value) {
    std::fs::create_dir_all(data).unwrap();
    let table = std::path::absolute(data.join("table.db")).unwrap();
    let tables = Tables::connect(&format!("embedded://{}", table.display())).await.unwrap();
    tables.ensure().await.unwrap();
    let (tenant, id) = ("local".parse().unwrap(), CollectionId::default_collection());
    let mut collection =
        Collection::new(tenant, id, "Default".into(), Timestamp::from_millis(1_795_230_000_000));
    collection.settings.insert("experiments".into(), experiments.clone());
    assert!(tables.collections().create_if_absent(&collection).await.unwrap());
}

fn key_id(server: &Server) -> KeyId {
    server.key()[3..29].parse().unwrap()
}

/// Returns the variant that a conversation falls to, computed apart from the server.
fn assigned(experiments: &Value, key: &KeyId, session: &str) -> String {
    let declared: Vec<Experiment> = serde_json::from_value(experiments.clone()).unwrap();
    let assigned = experiment::assign(&declared, Some(key), &session.parse().unwrap());
    assigned.0.values().next().unwrap().to_string()
}

/// Returns `count` conversations that fall to `variant`.
fn sessions(experiments: &Value, key: &KeyId, variant: &str, count: usize) -> Vec<String> {
    let all = (0..).map(|number| {
        SessionId::new(Timestamp::from_millis(1_795_230_000_000), number).to_string()
    });
    all.filter(|session| assigned(experiments, key, session) == variant).take(count).collect()
}

async fn ask(server: &Server, session: &str) -> Value {
    let body = json!({ "question": QUESTION, "session_id": session });
    let (status, answer) = server.post("/v1/query", &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn rate(server: &Server, answer: &Value, rating: &str) {
    let body = json!({ "query_id": answer["query_id"], "rating": rating });
    assert_eq!(server.post("/v1/feedback", &body).await.0, 204);
}

fn system(chat: &ScriptedChat) -> String {
    let last = chat.requests().pop().unwrap();
    last.body["messages"][0]["content"].as_str().unwrap().to_owned()
}

fn start(data: &Path, chat: &ScriptedChat, alternatives: &str) -> Server {
    let url = chat.base_url();
    let variables = [
        ("LECTERN_CHAT", "openai:scripted"),
        ("LECTERN_CHAT_ALTERNATIVES", alternatives),
        ("LECTERN_MODEL_URL", url.as_str()),
    ];
    Server::start(data, &[], &variables)
}

#[tokio::test]
async fn a_prompt_under_trial_is_sent_recorded_rated_and_reported() {
    let data = tempfile::tempdir().unwrap();
    declare(data.path(), &tone()).await;
    let chat = ScriptedChat::start([]);
    let server = start(data.path(), &chat, "");
    server.ready("backup.md", BACKUP).await;
    let key = key_id(&server);

    // Each conversation gets the variant its hash says, and the model that variant's instructions.
    let mut answers = Vec::new();
    for (variant, is_short) in [("control", false), ("short", true)] {
        for session in sessions(&tone(), &key, variant, 3) {
            chat.push(Reply::tokens(&[REPLY]));
            let answer = ask(&server, &session).await;
            assert_eq!(answer["experiment"], json!({ "tone": variant }));
            assert_eq!(system(&chat).contains("as few words"), is_short, "{variant}");
            answers.push(answer);
        }
    }
    // A follow-up stays where its conversation is; a refusal is counted as one.
    chat.push(Reply::tokens(&["NO_ANSWER"]));
    let refused = ask(&server, answers[0]["session_id"].as_str().unwrap()).await;
    assert_eq!(
        (&refused["refused"], &refused["experiment"]["tone"]),
        (&json!(true), &json!("control"))
    );
    // A question that continues nothing falls by the conversation it begins, streamed or not.
    chat.push(Reply::tokens(&[REPLY]));
    let alone = server.ask(QUESTION).await;
    let expected = assigned(&tone(), &key, alone["session_id"].as_str().unwrap());
    assert_eq!(alone["experiment"]["tone"], json!(expected));
    chat.push(Reply::tokens(&[REPLY]));
    let body =
        json!({ "question": QUESTION, "session_id": answers[3]["session_id"], "stream": true });
    let response = server.request("POST", "/v1/query").json(&body).send().await.unwrap();
    assert!(response.text().await.unwrap().contains(r#""experiment":{"tone":"short"}"#));

    // The last rating of a question is the one that counts.
    for (answer, ratings) in
        [(&answers[3], &["down", "up"][..]), (&answers[4], &["up", "up"]), (&answers[0], &["down"])]
    {
        for rating in ratings {
            rate(&server, answer, rating).await;
        }
    }
    let (status, report) = server.get("/v1/experiments?collection=default").await;
    assert_eq!(status, 200, "{report}");
    let extra = |variant: &str| u64::from(expected == variant);
    let [control, short] = report["experiments"][0]["variants"].as_array().unwrap().as_slice()
    else {
        panic!("{report}")
    };
    let counts = |of: &Value| {
        ["questions", "refusals", "thumbs_up", "thumbs_down"].map(|name| of[name].as_u64().unwrap())
    };
    assert_eq!(counts(control), [4 + extra("control"), 1, 0, 1], "{report}");
    assert_eq!(counts(short), [4 + extra("short"), 0, 2, 0], "{report}");
    assert_eq!(
        (&report["experiments"][0]["running"], &control["weight"]),
        (&json!(true), &json!(1))
    );
    for measured in ["latency_ms", "cost_usd"] {
        let estimate = &control[measured];
        let [value, low, high] = ["value", "low", "high"].map(|it| estimate[it].as_f64().unwrap());
        assert!(value > 0.0 && low <= value && value <= high, "{measured}: {report}");
    }
    assert_eq!(
        (&control["difference"], &short["difference"]["from"]),
        (&Value::Null, &json!("control"))
    );
    assert!(short["difference"]["refusal_rate"]["value"].as_f64().unwrap() < 0.0, "{report}");
    drop(chat.finish());
}

#[tokio::test]
async fn only_admins_of_the_collection_read_experiments() {
    let data = tempfile::tempdir().unwrap();
    let reader = create_key(data.path(), &["reader", "--permission", "query,upload"]);
    let theirs = create_key(data.path(), &["theirs", "--tenant", "acme", "--permission", "admin"]);
    let admin = create_key(data.path(), &["admin", "--permission", "admin"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&admin);
    let (status, report) = server.get("/v1/experiments").await;
    assert_eq!((status.as_u16(), &report["experiments"]), (200, &json!([])));
    assert_eq!(server.get_as(&reader, "/v1/experiments").await.0, 403);
    assert_eq!(
        server.get_as(&theirs, "/v1/experiments").await.0,
        404,
        "another tenant's is not there"
    );
    assert_eq!(server.get("/v1/experiments?collection=none").await.0, 404);
    let (status, problem) = server.get("/v1/experiments?collection=NO").await;
    assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!("/collection")));
    assert_eq!(server.get("/v1/experiments?colour=red").await.0, 422);
}

#[tokio::test]
async fn a_variant_may_name_another_model_or_none() {
    let models = json!([{"name": "model", "variants": [
        {"name": "control", "weight": 1},
        {"name": "other", "weight": 1, "model": "openai:other"},
        {"name": "none", "weight": 1, "model": "extractive"},
        {"name": "gone", "weight": 1, "model": "openai:gone"},
    ]}]);
    let data = tempfile::tempdir().unwrap();
    declare(data.path(), &models).await;
    let chat = ScriptedChat::start([]);
    let server = start(data.path(), &chat, "openai:other");
    server.ready("backup.md", BACKUP).await;
    let key = key_id(&server);
    for (variant, model) in [
        ("control", Some("scripted")),
        ("other", Some("other")),
        ("none", None),
        ("gone", Some("scripted")),
    ] {
        if model.is_some() {
            chat.push(Reply::tokens(&[REPLY]));
        }
        let before = chat.requests().len();
        let answer = ask(&server, &sessions(&models, &key, variant, 1)[0]).await;
        assert_eq!(answer["experiment"]["model"], variant);
        let asked = chat.requests().split_off(before);
        let asked: Vec<&str> = asked.iter().filter_map(|one| one.body["model"].as_str()).collect();
        assert_eq!(asked, model.into_iter().collect::<Vec<_>>(), "{variant}");
        let mode = if model.is_some() { "generated" } else { "extractive" };
        assert_eq!(answer["mode"], mode, "{variant}");
    }
    let log = server.log();
    let warned = log.iter().filter(|line| line.contains("does not have")).count();
    assert_eq!(warned, 1, "{log:#?}");
    drop(chat.finish());
}

#[tokio::test]
async fn the_operator_reads_them_at_the_terminal() {
    let lectern = Lectern::new();
    declare(&lectern.path("data"), &tone()).await;
    lectern.file("docs/backup.md", BACKUP.as_bytes());
    assert_eq!(lectern.run(&["ingest", "docs"]).code, OK);
    let answer = lectern.json(&["ask", QUESTION]);
    let variant = answer["experiment"]["tone"].as_str().unwrap();
    let report = lectern.run(&["experiments"]);
    assert_eq!(report.code, OK, "{report:?}");
    let row = report.out.lines().find(|line| line.starts_with(&format!("tone        {variant} ")));
    assert!(row.is_some_and(|row| row.contains(" 1  0.0 [0.0, 79.3]")), "{report:?}");
    let none = lectern.run(&["experiments", "--collection", "none"]);
    assert_eq!(none.code, 1, "{none:?}");
}
