//! Every route answers the same through the functions as through `lectern serve`: one table of requests, run against both.

use std::collections::{BTreeMap, BTreeSet};

use lectern_testkit::lambda::{Driver, RestEvent};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Stack, send,
    steps::{Body, Step, every_step},
};
use crate::process::Server;

/// What both gave back.
#[derive(Debug, PartialEq)]
struct Reply {
    status: u16,
    content_type: Option<String>,
    body: Value,
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

/// Where the key is changed, and to what: there are more requests than a key may send in a minute.
fn faster(key: &str) -> (String, Value) {
    let id = key.split('_').nth(1).unwrap();
    (format!("/v1/keys/{id}"), json!({ "rate_per_minute": 60_000 }))
}

async fn through_functions(steps: &[Step]) -> Vec<Reply> {
    let stack = Stack::start().await;
    let key = stack.key("local").await;
    let mut functions: BTreeMap<&str, Driver> = BTreeMap::new();
    for name in ["query", "upload", "ingest", "health", "backup", "admin", "site"] {
        functions.insert(name, stack.function(name).await);
    }
    let (path, change) = faster(&key);
    let event = RestEvent::new("PATCH", &path).resource("/v1/keys/{id}").bearer(&key).json(&change);
    assert_eq!(send(&functions["admin"], event).await.status, 200);
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
    let (path, change) = faster(server.key());
    let changed = server.request("PATCH", &path).json(&change).send().await.unwrap();
    assert_eq!(changed.status(), 200);
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
    // What a server counts by itself, functions read from CloudWatch: no two numbers are the same.
    declared.retain(|(_, path)| !["/metrics", "/status", "/v1/status"].contains(&path.as_str()));
    let missing: Vec<_> = declared.difference(&asked).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
