//! What the functions meet, started anew for each test.

use std::collections::BTreeMap;

use lectern_testkit::{
    dynamodb_server::DynamoDbServer,
    lambda::{Bootstrap, CloudWatch, Driver, HttpReply, RestEvent, binary},
    moto::Moto,
    qdrant_facade::Facade,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::aws::{self, Aws};

/// Name of the stack's bucket.
pub(crate) const BUCKET: &str = "lectern-documents";

/// What the functions meet.
pub(crate) struct Stack {
    pub(crate) aws: Aws,
    pub(crate) moto: Moto,
    table: DynamoDbServer,
    cloudwatch: CloudWatch,
    _index: Facade,
    _folder: TempDir,
    pub(crate) queue: String,
    pub(crate) dead_letters: String,
    settings: BTreeMap<String, String>,
}

impl Stack {
    /// Starts everything and creates table, bucket and queues as the template does.
    pub(crate) async fn start() -> Self {
        // A second test in this process finds it installed, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let (moto, table) = (Moto::start(), DynamoDbServer::start());
        let folder = tempfile::tempdir().unwrap();
        let index = Facade::start(folder.path());
        let aws = Aws::new(&moto.url(), &table.url());
        aws.create_table("lectern").await;
        aws.create_bucket(BUCKET).await;
        let dead_letters = aws.create_queue("dead-letters", json!({})).await;
        let arn = aws.queue_arn(&dead_letters).await;
        let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 5 }).to_string();
        let attributes = json!({ "VisibilityTimeout": "2", "RedrivePolicy": redrive });
        let queue = aws.create_queue("jobs", attributes).await;
        aws.notify_queue_of_uploads(BUCKET, &queue).await;
        // S3 says that it will; `events` has that message.
        for message in aws.receive(&queue).await {
            aws.remove(&queue, &message).await;
        }
        let settings = [
            ("LECTERN_ENVIRONMENT", "dev".to_owned()),
            ("LECTERN_LOG", "info".to_owned()),
            ("LECTERN_TABLE_URL", "dynamodb://lectern".to_owned()),
            ("LECTERN_INDEX_URL", index.url.clone()),
            ("LECTERN_BLOBS_URL", format!("s3://{BUCKET}")),
            ("LECTERN_BACKUPS_URL", format!("s3://{BUCKET}/backups")),
            ("LECTERN_QUEUE_URL", queue.clone()),
            ("LECTERN_DEAD_LETTER_QUEUE_URL", dead_letters.clone()),
            ("LECTERN_KEY_PEPPER", "pepper of a test".to_owned()),
            ("LECTERN_INGEST_LEASE_MS", "2000".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let cloudwatch = CloudWatch::start();
        Self {
            aws,
            moto,
            table,
            cloudwatch,
            _index: index,
            _folder: folder,
            queue,
            dead_letters,
            settings,
        }
    }

    /// Sets a variable of every function that starts from now on.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.settings.insert(name.to_owned(), value.into());
    }

    /// Returns where the table is.
    pub(crate) fn table_url(&self) -> String {
        self.table.url()
    }

    /// Returns where the index is.
    pub(crate) fn index_url(&self) -> String {
        self.settings["LECTERN_INDEX_URL"].clone()
    }

    /// Returns a function that is not started.
    pub(crate) fn bootstrap(&self, name: &str) -> Bootstrap {
        Bootstrap::new(name, binary(name))
            .set_all(self.moto.environment())
            .set_all(self.table.environment())
            .set_all(self.cloudwatch.environment())
            .set_all(self.settings.clone())
    }

    /// Starts a function and waits until it takes invocations.
    pub(crate) async fn function(&self, name: &str) -> Driver {
        let driver = Driver::start(&self.bootstrap(name));
        driver.first_poll().await;
        driver
    }

    /// Returns a new key of a tenant, as an operator gets the first one.
    pub(crate) async fn key(&self, tenant: &str) -> String {
        let admin = self.function("admin").await;
        let task = json!({ "task": "create_key", "tenant": tenant, "name": "first key" });
        let created = admin.invoke(&task).await;
        created.json()["key"].as_str().unwrap().to_owned()
    }

    /// Returns a new key of `acme` with which one may ask as often as one likes.
    pub(crate) async fn busy_key(&self) -> String {
        let admin = self.function("admin").await;
        let task = json!({
            "task": "create_key", "tenant": "acme", "name": "busy", "rate_per_minute": 60_000,
        });
        let created = admin.invoke(&task).await;
        created.json()["key"].as_str().unwrap().to_owned()
    }

    /// Returns a new key that reads what is measured.
    pub(crate) async fn monitor_key(&self) -> String {
        let admin = self.function("admin").await;
        let task = json!({
            "task": "create_key", "tenant": "acme", "name": "canary", "permissions": ["monitor"],
        });
        let created = admin.invoke(&task).await;
        created.json()["key"].as_str().unwrap().to_owned()
    }

    /// Does what Lambda does for the queue: takes messages that are visible, has the function work them off, and removes
    /// those it did not give back. Returns the function's reply, `None` when no message was visible.
    pub(crate) async fn poll(&self, ingest: &Driver) -> Option<Value> {
        let messages = self.aws.receive(&self.queue).await;
        if messages.is_empty() {
            return None;
        }
        let event = aws::sqs_event(&messages);
        let reply = ingest.invoke(&event).await.json().clone();
        let kept: Vec<&str> = reply["batchItemFailures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|failure| failure["itemIdentifier"].as_str().unwrap())
            .collect();
        for message in &messages {
            if !kept.contains(&message["MessageId"].as_str().unwrap()) {
                self.aws.remove(&self.queue, message).await;
            }
        }
        Some(reply)
    }

    /// Polls until the queue has nothing visible.
    pub(crate) async fn drain(&self, ingest: &Driver) {
        while self.poll(ingest).await.is_some() {}
    }
}

/// Sends a request through a function.
pub(crate) async fn send(function: &Driver, event: RestEvent) -> HttpReply {
    function.invoke(&event.build()).await.http()
}
