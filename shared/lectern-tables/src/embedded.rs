//! DynamoDB in this process: the SDK's HTTP seam ends in an engine on SQLite.
//!
//! The SDK client is unchanged: it serialises, retries, times out and parses as against AWS. This
//! connector takes the request it would send and answers with the response the service would give.
//!
//! Durability: SQLite runs in WAL mode with `synchronous = NORMAL`. A commit is written to the file
//! before it is acknowledged but synced only at checkpoints, so it survives the death of the
//! process (`kill -9`); a power cut can lose the last commits, never corrupt the file. The engine's
//! own default syncs on every commit, which costs milliseconds per write.

use std::path::Path;

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Region, StalledStreamProtectionConfig},
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use lectern_core::errors::{ErrorKind, PortError};
use serde::{Serialize, de::DeserializeOwned};

use crate::retries::{OnTransactionConflict, embedded_timeouts, retry_config};

const OPEN: &str = "open embedded table";

/// An engine and the operations it is asked for.
#[derive(Clone)]
pub(crate) struct Engine {
    database: Database,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Engine")
    }
}

impl Engine {
    /// Opens the database file at `path`, creating it and its folder when absent.
    pub(crate) async fn open(path: &str) -> Result<Self, PortError> {
        let path = path.to_owned();
        blocking(OPEN, move || {
            if let Some(folder) = Path::new(&path).parent() {
                std::fs::create_dir_all(folder)
                    .map_err(|error| PortError::new(ErrorKind::Unavailable, OPEN, error))?;
            }
            let database = Database::new(&path).map_err(unavailable)?;
            // Named for the end of a bulk load; what it does is set `synchronous = NORMAL`.
            database.disable_bulk_loading().map_err(unavailable)?;
            Ok(Self { database })
        })
        .await
    }

    /// Opens a database that ends with this value.
    pub(crate) fn in_memory() -> Result<Self, PortError> {
        Ok(Self { database: Database::memory().map_err(unavailable)? })
    }

    /// Returns an SDK client whose requests end here. It signs nothing.
    pub(crate) fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("local"))
            .endpoint_url("http://embedded")
            .allow_no_auth()
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .retry_config(retry_config())
            .retry_classifier(OnTransactionConflict)
            .timeout_config(embedded_timeouts())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Client::from_conf(config)
    }

    /// Deletes items whose `expires_at` has passed by the wall clock; returns how many.
    pub(crate) async fn sweep(&self) -> Result<u64, PortError> {
        let database = self.database.clone();
        blocking("sweep expired items", move || {
            let deleted = database.sweep_ttl().map_err(unavailable)?;
            Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
        })
        .await
    }
}

impl HttpConnector for Engine {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.database.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let answered = tokio::task::spawn_blocking(move || {
                answer(&database, &operation, request.body().bytes().unwrap_or_default())
            });
            let answered = answered.await;
            let result = answered.map_err(|panic| ConnectorError::other(panic.into(), None))?;
            let (status, body) = match result {
                Ok(body) => (200, body),
                Err(error) => (error.status_code(), error.to_json()),
            };
            let status = StatusCode::try_from(status).expect("the engine's codes are 200 to 501");
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

/// Runs one operation of those this crate uses.
fn answer(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        other => Err(DynoxideError::UnsupportedCapability(other.to_owned())),
    }
}

fn run<Request, Response>(
    body: &[u8],
    call: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> Result<String, DynoxideError>
where
    Request: DeserializeOwned,
    Response: Serialize,
{
    let malformed = |error: serde_json::Error| {
        DynoxideError::SerializationException(format!("malformed request: {:?}", error.classify()))
    };
    let request = serde_json::from_slice(body).map_err(malformed)?;
    let response = call(request)?;
    serde_json::to_string(&response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|panic| PortError::new(ErrorKind::Internal, operation, panic))?
}

fn unavailable(error: DynoxideError) -> PortError {
    PortError::new(ErrorKind::Unavailable, OPEN, error)
}
