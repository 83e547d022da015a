//! The table of requests that functions and `lectern serve` are both sent.

use serde_json::{Value, json};

use crate::{BACKUP, HOLIDAYS};

/// One request. `{name}` in a path stands for what an earlier reply was remembered by.
pub(super) struct Step {
    pub(super) method: &'static str,
    /// As the template declares it; its parameters are taken from what was remembered.
    pub(super) path: &'static str,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) body: Body,
    pub(super) with_key: bool,
    /// Remembers the reply's field under this name.
    pub(super) remember: Option<(&'static str, &'static str)>,
}

pub(super) enum Body {
    None,
    Json(Value),
    Text(&'static str, &'static str),
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

pub(super) fn every_step() -> Vec<Step> {
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
