//! What is held on whoever asked: shown and erased over HTTP and from a terminal.

use std::time::{SystemTime, UNIX_EPOCH};

use lectern_testkit::issuer::{IssuerServer, Signer};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    gate::create_key,
    lectern::{Lectern, OK, USAGE},
    process::Server,
};

const REFUNDS: &str = "# Refunds\n\nRefunds are paid within 14 days.";
const QUESTION: &str = "When are refunds paid?";
const SHOP: &str = "https://shop.example";

fn id_of(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

async fn held(server: &Server, id: &str) -> Value {
    let (status, held) = server.get(&format!("/v1/subjects/{id}")).await;
    assert_eq!(status, StatusCode::OK, "{held}");
    held
}

/// Erases, and returns conversations, messages and feedback that went.
async fn erased(server: &Server, id: &str) -> [u64; 3] {
    let (status, receipt) = server.delete(&format!("/v1/subjects/{id}")).await;
    assert_eq!((status, &receipt["done"]), (StatusCode::OK, &json!(true)), "{receipt}");
    assert_eq!(receipt["id"], id);
    assert_eq!(
        (&receipt["conversations_remaining"], &receipt["feedback_remaining"]),
        (&json!(0), &json!(0))
    );
    ["conversations_deleted", "messages_deleted", "feedback_deleted"]
        .map(|field| receipt[field].as_u64().unwrap())
}

#[tokio::test]
async fn what_a_key_left_is_shown_and_erased_by_its_administrator_alone() {
    let data = tempfile::tempdir().unwrap();
    let asks = create_key(data.path(), &["asks", "--permission", "query,upload"]);
    let admin = create_key(data.path(), &["admin", "--permission", "admin"]);
    let foreign =
        create_key(data.path(), &["foreign", "--tenant", "acme", "--permission", "admin"]);
    let server = Server::start(data.path(), &[], &[]).with_key(&asks);
    server.ready("refunds.md", REFUNDS).await;
    let answer = server.ask(QUESTION).await;
    let session = answer["session_id"].as_str().unwrap().to_owned();
    let further = json!({ "question": "And refunds within 14 days?", "session_id": session });
    server.post("/v1/query", &further).await;
    let rating = json!({ "query_id": answer["query_id"], "rating": "up", "comment": "thanks" });
    assert_eq!(server.post("/v1/feedback", &rating).await.0, StatusCode::NO_CONTENT);
    let path = format!("/v1/subjects/{}", id_of(&asks));
    assert_eq!(server.get(&path).await.0, StatusCode::FORBIDDEN);
    assert_eq!(server.delete(&path).await.0, StatusCode::FORBIDDEN);

    let server = server.with_key(&foreign);
    let nothing = held(&server, id_of(&asks)).await;
    assert_eq!((&nothing["key"], &nothing["conversations"]), (&Value::Null, &json!([])));
    assert_eq!(erased(&server, id_of(&asks)).await, [0, 0, 0]);

    let server = server.with_key(&admin);
    let all = held(&server, id_of(&asks)).await;
    let messages = all["conversations"][0]["messages"].as_array().unwrap();
    assert_eq!((messages.len(), &messages[0]["content"]), (4, &json!(QUESTION)));
    assert_eq!((&messages[1]["role"], &messages[0]["role"]), (&json!("assistant"), &json!("user")));
    assert!(messages[0]["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{all}");
    assert_eq!(all["feedback"][0]["comment"], "thanks");
    assert_eq!(all["usage"][0]["requests"], 2);
    assert_eq!((&all["key"]["name"], &all["next"]), (&json!("asks"), &Value::Null));
    assert_eq!(all["truncated"], false);
    let text = all.to_string();
    assert!(!text.contains("hmac") && !text.contains(&asks), "{text}");

    assert_eq!(erased(&server, id_of(&asks)).await, [1, 4, 1]);
    assert_eq!(erased(&server, id_of(&asks)).await, [0, 0, 0]);
    let left = held(&server, id_of(&asks)).await;
    assert_eq!((&left["conversations"], &left["feedback"]), (&json!([]), &json!([])));
    assert_eq!(left["usage"], all["usage"], "sums add up");
    let server = server.with_key(&asks);
    let (status, _) = server.get(&format!("/v1/sessions/{session}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // The key works until it is revoked, and a conversation it deletes itself is on no list.
    let answer = server.ask(QUESTION).await;
    let session = answer["session_id"].as_str().unwrap();
    server.request("DELETE", &format!("/v1/sessions/{session}")).send().await.unwrap();
    let server = server.with_key(&admin);
    assert_eq!(erased(&server, id_of(&asks)).await, [0, 0, 0]);
}

#[tokio::test]
async fn visitors_and_subjects_of_tokens_are_found_by_their_names() {
    let (issuer, signer) = (IssuerServer::start(), Signer::new("one"));
    issuer.publish(vec![signer.jwk()]);
    let trusted = json!([{
        "issuer": issuer.url(), "audience": "lectern", "tenant": "local", "permissions": ["query"]
    }])
    .to_string();
    let variables = [("LECTERN_ISSUERS", &*trusted), ("LECTERN_ALLOWED_ORIGINS", SHOP)];
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &variables);
    server.ready("refunds.md", REFUNDS).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let token = signer.sign(&json!({
        "iss": issuer.url(), "aud": "lectern", "sub": "zelda@example.com", "exp": now + 3_000
    }));
    let made = json!({ "origin": SHOP, "visitor": "ann" });
    let (_, made) = server.post("/v1/widget-tokens", &made).await;
    let visits = made["token"].as_str().unwrap();
    for bearer in [&*token, visits] {
        let asked = server.anonymous("POST", "/v1/query").bearer_auth(bearer);
        let asked = asked.header("origin", SHOP).json(&json!({ "question": QUESTION }));
        assert_eq!(asked.send().await.unwrap().status(), 200);
    }
    server.ask(QUESTION).await;

    let key_id = id_of(server.key()).to_owned();
    let by_token = [("issuer", issuer.url().to_owned()), ("subject", "zelda@example.com".into())];
    let by_page = [("key_id", key_id.clone()), ("visitor", "ann".to_owned())];
    for name in [by_token, by_page] {
        let found = server.request("GET", "/v1/subjects").query(&name).send().await.unwrap();
        let found: Value = found.json().await.unwrap();
        let id = found["id"].as_str().unwrap();
        let all = held(&server, id).await;
        assert_eq!(all["conversations"][0]["messages"][0]["content"], QUESTION, "{all}");
        assert_eq!(all["key"], Value::Null);
        assert_eq!(erased(&server, id).await, [1, 2, 0]);
    }
    let of_key = held(&server, &key_id).await;
    assert_eq!(of_key["conversations"].as_array().unwrap().len(), 1, "the key's own stays");
    assert!(server.log().iter().all(|line| !line.contains("zelda")), "names are in no log");
}

#[tokio::test]
async fn wrong_names_cursors_and_days_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let id = id_of(server.key()).to_owned();
    for (path, pointer) in [
        ("/v1/subjects".to_owned(), "/issuer"),
        ("/v1/subjects?issuer=i".to_owned(), "/subject"),
        ("/v1/subjects?subject=s".to_owned(), "/issuer"),
        ("/v1/subjects?visitor=v".to_owned(), "/key_id"),
        (format!("/v1/subjects?key_id={id}"), "/visitor"),
        ("/v1/subjects?key_id=nobody&visitor=v".to_owned(), "/key_id"),
        (format!("/v1/subjects?key_id={id}&visitor="), "/visitor"),
        (format!("/v1/subjects?issuer=i&subject={}", "s".repeat(257)), "/subject"),
        (format!("/v1/subjects?issuer=i&subject=s&key_id={id}&visitor=v"), "/issuer"),
        (format!("/v1/subjects/{id}?cursor=nonsense"), "/cursor"),
    ] {
        let (status, problem) = server.get(&path).await;
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(pointer)),
            "{path}"
        );
    }
    assert_eq!(server.get("/v1/subjects/nobody").await.0, StatusCode::NOT_FOUND);

    let keep = async |days: Value| {
        let body = json!({ "settings": { "retention": { "days": days } } });
        let patched = server.request("PATCH", "/v1/collections/default").json(&body);
        let response = patched.send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    for wrong in [json!(0), json!(36_501), json!(-1), json!("a week")] {
        let (status, problem) = keep(wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem["errors"][0]["pointer"], "/settings/retention/days");
    }
    let (status, collection) = keep(json!(365)).await;
    assert_eq!(
        (status, &collection["settings"]["retention"]["days"]),
        (StatusCode::OK, &json!(365))
    );
    assert_eq!(keep(Value::Null).await.1["settings"]["retention"]["days"], Value::Null);
}

#[tokio::test]
async fn the_command_line_finds_shows_and_erases() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    server.ready("refunds.md", REFUNDS).await;
    server.ask(QUESTION).await;
    let (key, id) = (server.key().to_owned(), id_of(server.key()).to_owned());
    let url = format!("http://{}", server.address());
    let ran = tokio::task::spawn_blocking(move || {
        let lectern = Lectern::new();
        let run = |arguments: &[&str]| {
            let arguments = [&["subjects"], arguments, &["--api", &url]].concat();
            lectern.run_with(&arguments, &[("LECTERN_API_KEY", &key)])
        };
        let found = run(&["find", "--issuer", "https://login.example", "--subject", "u-1"]);
        let alone = run(&["find", "--issuer", "https://login.example"]);
        let shown = run(&["show", &id]);
        let unasked = run(&["erase", &id]);
        let erased = run(&["erase", &id, "--yes", "--json"]);
        [found, alone, shown, unasked, erased]
    });
    let [found, alone, shown, unasked, erased] = ran.await.unwrap();
    assert_eq!((found.code, found.out.trim().len()), (OK, 26), "{found:?}");
    assert_eq!(alone.code, USAGE, "{alone:?}");
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(shown["conversations"][0]["messages"][0]["content"], QUESTION);
    assert_eq!(unasked.code, USAGE, "nobody can be asked here: {unasked:?}");
    let receipt: Value = serde_json::from_str(&erased.out).unwrap();
    assert_eq!((&receipt["done"], &receipt["messages_deleted"]), (&json!(true), &json!(2)));
}
