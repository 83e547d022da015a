//! Game days: each thing a function depends on is slow, failing, flapping, wrong, silent or gone, alone and in pairs. What whoever
//! asks gets, what is logged and measured, which alarm that is, and how soon all is well again.

mod answers;
mod drill;
mod pairs;
mod readiness;
mod uploads;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use lectern_testkit::{
    chat::{Reply, ScriptedChat},
    lambda::{Driver, RestEvent},
    rerank::ScriptedReranker,
    wire::{Fault, Wire},
};
use serde_json::json;

use super::{Stack, send};
use crate::BACKUP;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(3);
/// How late a slow dependency is.
const LATE: Duration = Duration::from_millis(150);
const SLOW: Fault = Fault::Slow(LATE);

/// A stack whose wires can be cut.
struct Day {
    stack: Stack,
    wires: BTreeMap<&'static str, Wire>,
    _models: ScriptedChat,
    _reranker: ScriptedReranker,
    key: String,
    asked: AtomicUsize,
}

impl Day {
    /// Starts a stack that has a document, with these settings.
    async fn begin(settings: &[(&str, &str)]) -> Self {
        let mut stack = Stack::start().await;
        let models = ScriptedChat::start([]);
        let reply = || Reply::tokens(&["Backups run daily at 03:00 UTC ", "[1]."]);
        models.always(reply, Duration::ZERO);
        let (api, reranker) = (models.base_url(), ScriptedReranker::start([]));
        let wires = BTreeMap::from([
            ("table", Wire::to(&stack.table_url())),
            ("index", Wire::to(&stack.index_url())),
            ("models", Wire::to(api.trim_end_matches("/v1"))),
            ("reranker", Wire::to(&reranker.base_url())),
            ("blobs", Wire::to(&stack.moto.url())),
            ("queue", Wire::to(&stack.moto.url())),
        ]);
        stack.set("LECTERN_MODEL_URL", format!("{}/v1", wires["models"].url()));
        stack.set("LECTERN_RERANKER_URL", wires["reranker"].url());
        stack.set("LECTERN_ANSWER_TIMEOUT_MS", ANSWER.as_millis().to_string());
        for (name, value) in settings {
            stack.set(name, *value);
        }
        let key = stack.busy_key().await;
        let (upload, ingest) = tokio::join!(stack.function("upload"), stack.function("ingest"));
        let event = RestEvent::post("/v1/documents").query("name", "backup.md").bearer(&key);
        let accepted = send(&upload, event.bytes("text/markdown", BACKUP.as_bytes())).await;
        assert_eq!(accepted.status, 202, "{}", accepted.text());
        stack.drain(&ingest).await;
        Self { stack, wires, _models: models, _reranker: reranker, key, asked: AtomicUsize::new(0) }
    }

    /// Starts a function that reaches everything over the wires.
    async fn function(&self, name: &str) -> Driver {
        let bootstrap = self
            .stack
            .bootstrap(name)
            .set("AWS_ENDPOINT_URL_DYNAMODB", self.wires["table"].url())
            .set("AWS_ENDPOINT_URL_S3", self.wires["blobs"].url())
            .set("AWS_ENDPOINT_URL_SQS", self.wires["queue"].url())
            .set("LECTERN_INDEX_URL", self.wires["index"].url());
        let driver = Driver::start(&bootstrap);
        driver.first_poll().await;
        driver
    }

    fn set(&self, wire: &str, fault: Fault) {
        self.wires[wire].set(fault);
    }

    fn heal(&self) {
        for wire in self.wires.values() {
            wire.set(Fault::None);
        }
    }

    /// Returns a question of which nothing is kept, not even its vector.
    fn question(&self) -> RestEvent {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let question = format!("When do backups run, asked {number} times?");
        let body = json!({ "question": question, "cache": false });
        RestEvent::post("/v1/query").bearer(&self.key).json(&body)
    }

    /// Sets a setting of the collection.
    async fn settings(&self, settings: serde_json::Value) {
        let upload = self.stack.function("upload").await;
        let event = RestEvent::new("PATCH", "/v1/collections/default")
            .resource("/v1/collections/{id}")
            .bearer(&self.key)
            .json(&json!({ "settings": settings }));
        let changed = send(&upload, event).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
    }
}
