//! A Qdrant server in this process: Qdrant's wire protocol over Qdrant's engine, on loopback.
//!
//! The messages and service traits are the generated ones of `qdrant-client`, the engine is `qdrant-edge`
//! with one shard per collection; only the plumbing between them is ours. It answers the calls the
//! `qdrant` adapter makes; every other call gets `UNIMPLEMENTED`, and so does a message that uses a field
//! the plumbing does not carry, rather than an answer to another question. Collections are files
//! under the directory; which ones exist, and their aliases, are forgotten on drop.

mod collections;
mod filter;
mod points;
mod reply;
mod request;
mod unsupported;

use std::{
    collections::HashMap,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use qdrant_client::qdrant::{
    CreateCollection, HealthCheckReply, HealthCheckRequest,
    collections_server::CollectionsServer,
    points_server::PointsServer,
    qdrant_server::{Qdrant, QdrantServer},
};
use qdrant_edge::{EdgeShard, OperationError};
use tokio::sync::oneshot;
use tonic::{
    Request, Response, Status,
    service::interceptor::InterceptorLayer,
    transport::{Server, server::TcpIncoming},
};

/// Largest message taken, as a server's default: 32 MiB.
const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;

/// A running server; stops when dropped, cutting what is under way.
#[derive(Debug)]
pub struct Facade {
    /// Where it listens: `http://127.0.0.1:<port>`.
    pub url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Facade {
    /// Starts a server that keeps its collections under `directory` and asks for no key.
    ///
    /// # Panics
    /// When loopback or a thread cannot be had.
    #[must_use]
    pub fn start(directory: &Path) -> Self {
        Self::serve(directory, None)
    }

    /// Starts a server that answers only calls carrying `api_key`.
    ///
    /// # Panics
    /// When loopback or a thread cannot be had.
    #[must_use]
    pub fn start_with_api_key(directory: &Path, api_key: &str) -> Self {
        Self::serve(directory, Some(api_key.to_owned()))
    }

    fn serve(directory: &Path, api_key: Option<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let url =
            format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let (stop, stopped) = oneshot::channel();
        let state = Arc::new(State::new(directory));
        // A runtime of its own: tests may block theirs, and `#[tokio::test]` has one thread only.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("threads can be had");
            runtime.block_on(run(listener, state, api_key, stopped));
        });
        Self { url, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Facade {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn run(
    listener: TcpListener,
    state: Arc<State>,
    api_key: Option<String>,
    stopped: oneshot::Receiver<()>,
) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("the runtime has a reactor");
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let check = move |request: Request<()>| authenticated(request, api_key.as_deref());
    let serving = Server::builder()
        .layer(InterceptorLayer::new(check))
        .add_service(QdrantServer::from_arc(Arc::clone(&state)))
        .add_service(CollectionsServer::from_arc(Arc::clone(&state)))
        .add_service(PointsServer::from_arc(state).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .serve_with_incoming(incoming);
    // No graceful end: it would wait for clients that keep their connection.
    tokio::select! {
        served = serving => served.expect("the listener stays open"),
        _ = stopped => {}
    }
}

fn authenticated(request: Request<()>, api_key: Option<&str>) -> Result<Request<()>, Status> {
    let given = request.metadata().get("api-key").and_then(|key| key.to_str().ok());
    match api_key {
        Some(expected) if given != Some(expected) => {
            Err(Status::unauthenticated("Must provide an API key"))
        }
        _ => Ok(request),
    }
}

/// A collection as it was created, and its shard.
struct Collection {
    created: CreateCollection,
    shard: EdgeShard,
}

/// What the server holds.
struct State {
    directory: PathBuf,
    // Held for look-ups and for a creation, which must happen once.
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    collections: HashMap<String, Arc<Collection>>,
    aliases: HashMap<String, String>,
}

impl State {
    fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), names: Mutex::default() }
    }

    /// Returns the collection of this name or alias.
    fn collection(&self, name: &str) -> Result<Arc<Collection>, Status> {
        let names = self.names.lock().expect("no handler panics inside");
        let target = names.aliases.get(name).map_or(name, String::as_str);
        let missing =
            || Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"));
        names.collections.get(target).map(Arc::clone).ok_or_else(missing)
    }
}

/// Runs blocking work on a collection's shard.
async fn on_shard<T: Send + 'static>(
    collection: Arc<Collection>,
    work: impl FnOnce(&EdgeShard) -> Result<T, OperationError> + Send + 'static,
) -> Result<T, Status> {
    tokio::task::spawn_blocking(move || work(&collection.shard))
        .await
        .map_err(|panic| Status::internal(panic.to_string()))?
        .map_err(|error| status_of(&error))
}

/// Sorts the engine's errors as the server does.
fn status_of(error: &OperationError) -> Status {
    match error {
        OperationError::WrongVectorDimension { .. }
        | OperationError::VectorNameNotExists { .. }
        | OperationError::ValidationError { .. }
        | OperationError::WrongSparse => Status::invalid_argument(format!("Wrong input: {error}")),
        _ => Status::internal(error.to_string()),
    }
}

#[tonic::async_trait]
impl Qdrant for State {
    async fn health_check(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckReply>, Status> {
        let reply = HealthCheckReply {
            title: "lectern-testkit: Qdrant's engine behind Qdrant's protocol".to_owned(),
            version: "1.20.0".to_owned(),
            commit: None,
        };
        Ok(Response::new(reply))
    }
}
