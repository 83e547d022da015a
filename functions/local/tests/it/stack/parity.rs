//! Every route answers the same through the functions as through `lectern serve`: one table of requests, run against both.

use std::collections::{BTreeMap, BTreeSet};

use lectern_testkit::lambda::{Driver, RestEvent};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Stack, send};
use crate::{BACKUP, HOLIDAYS, process::Server};

/// One request. `{name}` in a path stands for what an earlier reply was remembered by.
struct Step {
    method: &'static str,
    /// As the template declares it; its parameters are taken from what was remembered.
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    body: Body,
    with_key: bool,
    /// Remembers the reply's field under this name.
    remember: Option<(&'static str, &'static str)>,
}

enum Body {
    None,
    Json(Value),
    Text(&'static str, &'static str),
}

/// What both gave back.
#[derive(Debug, PartialEq)]
struct Reply {
    status: u16,
    content_type: Option<String>,
    body: Value,
}

const fn get(path: &'static str) -> Step {
    Step { method: "GET", path, query: &[], body: Body::None, with_key: true, remember: None }
}

fn post(path: &'static str, body: Value) -> Step {
    Step { method: "POST", body: Body::Json(body), ..get(path) }
}

fn upload(name: &'static [(&'static str, &'static str)], text: &'static str) -> Step {
    let body = Body::Text("text/markdown", text);
    Step { method: "POST", query: name, body, ..get("/v1/documents") }
}

/// What was deleted is back, and gone again.
fn restoring() -> Vec<Step> {
    let asked = || json!({"question": "When do backups run?"});
    let restored = || Step {
        remember: Some(("restoration", "id")),
        ..post("/v1/backups/{backup}/restore", json!({}))
    };
    vec![
        restored(),
        get("/v1/restorations"),
        get("/v1/restorations/{restoration}"),
        post("/v1/restorations/{restoration}/confirm", json!({})),
        post("/v1/restorations/{restoration}/switch", json!({})),
        post("/v1/query", asked()),
        post("/v1/restorations/{restoration}/discard", json!({})),
        post("/v1/restorations/{restoration}/undo", json!({})),
        get("/v1/documents/{document}"),
        restored(),
        post("/v1/restorations/{restoration}/discard", json!({})),
        post("/v1/backups/01ARZ3NDEKTSV4RRFFQ69G5FAV/restore", json!({})),
        get("/v1/restorations/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        Step { with_key: false, ..get("/v1/restorations") },
    ]
}

/// Keys, what they cost, and what they may.
fn keys_and_money() -> Vec<Step> {
    let delete = |path| Step { method: "DELETE", ..get(path) };
    let patch = |path, body| Step { method: "PATCH", body: Body::Json(body), ..get(path) };
    let create = post("/v1/keys", json!({"name": "app", "permissions": ["query"]}));
    vec![
        Step { remember: Some(("key", "id")), ..create },
        post("/v1/keys", json!({"name": "", "permissions": ["query"]})),
        post("/v1/keys", json!({"name": "x", "permissions": ["query"], "allowed_ips": ["x"]})),
        get("/v1/keys"),
        Step { query: &[("cursor", "x")], ..get("/v1/keys") },
        Step { query: &[("limit", "0")], ..get("/v1/keys") },
        get("/v1/keys/{key}"),
        patch("/v1/keys/{key}", json!({"name": "web", "usd_per_day": 2.5})),
        patch("/v1/keys/{key}", json!({"rate_per_minute": 0})),
        post("/v1/keys/{key}/rotate", json!({"overlap_seconds": 60})),
        post("/v1/keys/{key}/rotate", json!({"overlap_seconds": 9_000_000})),
        delete("/v1/keys/{key}"),
        post("/v1/keys/{key}/rotate", json!({})),
        patch("/v1/keys/{key}", json!({})),
        get("/v1/keys/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        post("/v1/widget-tokens", json!({"origin": "https://elsewhere.example"})),
        get("/v1/subjects/{key}"),
        delete("/v1/subjects/{key}"),
        Step { query: &[("subject", "ann")], ..get("/v1/subjects") },
        // With a key it differs: each function writes a stream of its own.
        Step { with_key: false, ..get("/v1/audit/heads") },
        get("/v1/budget"),
        patch("/v1/budget", json!({"usd_per_day": 3.5, "stopped": true})),
        patch("/v1/budget", json!({"usd_per_day": null, "stopped": false})),
        patch("/v1/budget", json!({"usd_per_day": -1})),
        patch("/v1/budget", json!([null, null])),
        get("/v1/usage"),
        Step { query: &[("from", "2026-02-30")], ..get("/v1/usage") },
    ]
}

fn every_step() -> Vec<Step> {
    table().into_iter().chain(keys_and_money()).chain(restoring()).collect()
}

/// The table: every route of every function, its good and its bad uses.
fn table() -> Vec<Step> {
    let delete = |path| Step { method: "DELETE", ..get(path) };
    let put =
        |path, text| Step { method: "PUT", body: Body::Text("text/markdown", text), ..get(path) };
    let patch = |path, body| Step { method: "PATCH", body: Body::Json(body), ..get(path) };
    let remember = |step, name, field| Step { remember: Some((name, field)), ..step };
    let asked = || json!({"question": "When do backups run?"});
    vec![
        // Nothing is there yet.
        get("/health"),
        get("/ready"),
        get("/v1/documents"),
        post("/v1/query", asked()),
        // Two documents, by body and by announcement.
        remember(upload(&[("name", "backup.md")], BACKUP), "document", "id"),
        remember(
            post("/v1/documents/uploads", json!({"name": "holidays.md", "size_bytes": 75})),
            "upload",
            "upload_id",
        ),
        get("/v1/documents/uploads/{upload}"),
        put("/v1/documents/uploads/{upload}", HOLIDAYS),
        get("/v1/documents/uploads/{upload}"),
        put("/v1/documents/uploads/{upload}", HOLIDAYS),
        post("/v1/documents", json!({"text": "Doors open at nine.", "name": "doors.txt"})),
        post("/v1/documents", json!({"text": "x", "colour": "red"})),
        post("/v1/documents/fetch", json!({"url": "https://example.com/a.md"})),
        post("/v1/documents/uploads", json!({"name": "", "size_bytes": 0})),
        post("/v1/documents/uploads", json!({"name": "huge.pdf", "size_bytes": 1_u64 << 40})),
        get("/v1/documents/{document}"),
        get("/v1/documents"),
        Step { query: &[("limit", "0")], ..get("/v1/documents") },
        Step { query: &[("start", "0"), ("end", "9")], ..get("/v1/documents/{document}/text") },
        Step { query: &[("start", "9"), ("end", "2")], ..get("/v1/documents/{document}/text") },
        post("/v1/documents/{document}/retry", json!({})),
        get("/v1/documents/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        get("/v1/documents/nonsense"),
        // Questions.
        remember(post("/v1/query", asked()), "session", "session_id"),
        remember(
            post("/v1/query", json!({"question": "How many days of holiday?"})),
            "query",
            "query_id",
        ),
        post("/v1/query", json!({"question": "Who is the king of Spain?"})),
        post("/v1/query", json!({"question": ""})),
        post("/v1/query", json!({"question": "x", "filter": {"field": "a b", "equals": 1}})),
        post("/v1/query", json!({})),
        Step { body: Body::Text("application/json", "{"), ..post("/v1/query", json!({})) },
        Step { body: Body::Text("text/plain", "hello"), ..post("/v1/query", json!({})) },
        Step { with_key: false, ..post("/v1/query", asked()) },
        post("/v1/search", json!({"question": "holiday", "limit": 3})),
        post("/v1/search", json!({"question": "holiday", "limit": 9_000})),
        get("/v1/sessions/{session}"),
        delete("/v1/sessions/{session}"),
        get("/v1/sessions/{session}"),
        post(
            "/v1/feedback",
            json!({"query_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "rating": "sideways"}),
        ),
        // Collections.
        post("/v1/collections", json!({"id": "manuals", "name": "Manuals"})),
        post("/v1/collections", json!({"id": "-", "name": "Manuals"})),
        get("/v1/collections"),
        get("/v1/collections/manuals"),
        patch("/v1/collections/manuals", json!({"settings": {"retrieval": {"passages": 3}}})),
        patch("/v1/collections/manuals", json!({"settings": {"retrieval": {"passages": 0}}})),
        delete("/v1/collections/manuals"),
        get("/v1/collections/manuals"),
        // Backups.
        remember(post("/v1/backups", json!({})), "backup", "id"),
        get("/v1/backups"),
        get("/v1/backups/{backup}"),
        post("/v1/backups/{backup}/verify", json!({})),
        get("/v1/backups/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        get("/v1/experiments"),
        Step { with_key: false, ..get("/v1/experiments") },
        // Gone.
        delete("/v1/documents/{document}"),
        delete("/v1/documents/{document}"),
        get("/v1/documents/{document}"),
        post("/v1/query", asked()),
        // The page, and what is nowhere.
        Step { with_key: false, ..get("/") },
        Step { with_key: false, ..get("/favicon.svg") },
        Step { with_key: false, ..get("/openapi.json") },
        Step { with_key: false, ..get("/assets/x/nothing.js") },
    ]
}

/// Fills a path's parameters, and returns the path as declared too.
fn filled(path: &str, known: &BTreeMap<String, String>) -> (String, String) {
    let fill = |path: &str, to: &dyn Fn(&str) -> String| {
        let mut filled = path.to_owned();
        for name in ["document", "upload", "session", "query", "backup", "restoration", "key"] {
            filled = filled.replace(&format!("{{{name}}}"), &to(name));
        }
        filled
    };
    let declared = fill(path, &|_| "{id}".to_owned());
    (fill(path, &|name| known.get(name).cloned().unwrap_or_default()), declared)
}

fn learn(step: &Step, reply: &Reply, known: &mut BTreeMap<String, String>) {
    if let Some((name, field)) = step.remember {
        let value = reply.body[field].as_str().unwrap_or_else(|| panic!("{name}: {reply:?}"));
        known.insert(name.to_owned(), value.to_owned());
    }
}

fn body_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

async fn through_functions(steps: &[Step]) -> Vec<Reply> {
    let stack = Stack::start().await;
    let key = stack.key("local").await;
    let mut functions: BTreeMap<&str, Driver> = BTreeMap::new();
    for name in ["query", "upload", "ingest", "health", "backup", "admin", "site"] {
        functions.insert(name, stack.function(name).await);
    }
    let (mut known, mut replies) = (BTreeMap::new(), Vec::new());
    for step in steps {
        let (path, declared) = filled(step.path, &known);
        let function = match step.path.split('/').take(3).collect::<Vec<_>>()[..] {
            ["", "v1", "documents" | "collections"] => "upload",
            ["", "v1", "backups" | "restorations"] => "backup",
            [
                "",
                "v1",
                "audit" | "budget" | "experiments" | "keys" | "subjects" | "usage"
                | "widget-tokens",
            ] => "admin",
            ["", "v1", _] => "query",
            ["", "health" | "ready", ..] => "health",
            _ => "site",
        };
        let mut event = RestEvent::new(step.method, &path).resource(&declared);
        for (name, value) in step.query {
            event = event.query(name, value);
        }
        if step.with_key {
            event = event.bearer(&key);
        }
        event = match &step.body {
            Body::None => event,
            Body::Json(value) => event.json(value),
            Body::Text(media_type, text) => event.text(media_type, text),
        };
        let reply = send(&functions[function], event).await;
        stack.drain(&functions["ingest"]).await;
        // Where there is no body, the gateway names a type all the same.
        let content_type = reply.header("content-type").filter(|_| !reply.body.is_empty());
        let content_type = content_type.map(str::to_owned);
        let reply = Reply { status: reply.status, content_type, body: body_of(reply.text()) };
        learn(step, &reply, &mut known);
        replies.push(reply);
    }
    replies
}

async fn through_serve(steps: &[Step]) -> Vec<Reply> {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let (mut known, mut replies) = (BTreeMap::new(), Vec::new());
    for step in steps {
        let (path, _) = filled(step.path, &known);
        let method = Method::from_bytes(step.method.as_bytes()).unwrap();
        let request = match step.with_key {
            true => server.request(method.as_str(), &path),
            false => server.anonymous(method.as_str(), &path),
        };
        let request = match &step.body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::Text(media_type, text) => request.header("content-type", *media_type).body(*text),
        };
        let response = request.query(step.query).send().await.unwrap();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = body_of(&response.text().await.unwrap());
        let reply = Reply { status, content_type, body };
        learn(step, &reply, &mut known);
        settle(&server, &reply).await;
        replies.push(reply);
    }
    replies
}

/// Waits until what a reply accepted is ingested, as draining the queue does for the functions.
async fn settle(server: &Server, reply: &Reply) {
    let is_accepted = reply.status == 202 || reply.body["created"] == true;
    let id = reply.body["document_id"].as_str().or(reply.body["id"].as_str());
    if let Some(id) = id.filter(|_| is_accepted) {
        server.settled(id).await;
    }
}

/// Takes out what differs between any two runs, and whether the store gives addresses out.
fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // What stands in which part of a backup follows from ids, and so differs with them.
            let of_backup = [
                "digest",
                "state_digest",
                "parts",
                "size_bytes",
                "new_parts",
                "new_bytes",
                "read_bytes",
                "took_ms",
            ];
            let backups = ["new_bytes", "read_bytes", "is_whole"];
            let is_backup = backups.iter().any(|name| fields.contains_key(*name));
            // A function's time is estimated, a server's is not.
            let differ = ["timings_ms", "latency_ms", "instance", "url", "estimates_usd"];
            let differ = differ.into_iter();
            let differ = differ.chain(of_backup.into_iter().filter(|_| is_backup));
            for name in differ {
                if fields.contains_key(name) {
                    fields.insert(name.to_owned(), "…".into());
                }
            }
            fields.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::String(text) => {
            let is_id = text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let is_key = text.starts_with("lk_");
            let is_time = text.len() >= 20 && text.ends_with('Z') && text.contains('T');
            if is_id || is_time || is_key {
                *text = "…".to_owned();
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_request_is_answered_the_same_by_the_functions_and_by_serve() {
    let steps = every_step();
    let (functions, serve) = tokio::join!(through_functions(&steps), through_serve(&steps));
    let mut differences = Vec::new();
    for (step, (mut function, mut serve)) in steps.iter().zip(functions.into_iter().zip(serve)) {
        plain(&mut function.body);
        plain(&mut serve.body);
        if function != serve {
            differences.push(format!(
                "{} {}\n  functions: {function:?}\n  serve:     {serve:?}",
                step.method, step.path
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The table has every route the functions have, so that a new one cannot be left out.
#[tokio::test]
async fn the_table_has_every_route() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let (_, openapi) = server.get("/openapi.json").await;
    let mut declared = BTreeSet::new();
    for (path, item) in openapi["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                declared.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    let asked: BTreeSet<(String, String)> = every_step()
        .iter()
        .map(|step| {
            let path = step.path.replace("manuals", "{id}");
            (step.method.to_owned(), filled(&path, &BTreeMap::new()).1)
        })
        .collect();
    let missing: Vec<_> = declared.difference(&asked).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
