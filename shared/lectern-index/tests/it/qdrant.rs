//! The server adapter: set-up, credentials, deadlines, bounds.

use std::{net::TcpListener, sync::Arc, time::Duration};

use async_trait::async_trait;
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{PassageReader, PassageWriter},
    secret::{LiveSecret, SecretSource},
};
use lectern_index::{MAX_PAGE, MAX_RANKING, Qdrant, ServerSettings, Timeouts, resolve};
use lectern_testkit::{
    index_contract::{DIMENSIONS, a_passage, a_point, a_query, a_tenant, everything},
    qdrant_facade::Facade,
};
use secrecy::SecretString;

#[tokio::test]
async fn two_processes_may_create_the_collection_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let facade = Facade::start(directory.path());
    let [one, two] = [(); 2].map(|()| super::server(&facade.url, super::contract_settings()));
    assert_eq!(one.ping().await.unwrap_err().kind, ErrorKind::NotFound);
    let (first, second) = tokio::join!(one.ensure(), two.ensure());
    first.unwrap();
    second.unwrap();
    one.ensure().await.unwrap();
    two.ping().await.unwrap();
}

#[tokio::test]
async fn reading_before_anything_was_created_finds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let facade = Facade::start(directory.path());
    let nobody = a_tenant("nobody");
    let searching = super::server(&facade.url, super::contract_settings());
    // A probe says that nothing is there; it does not mend it.
    assert_eq!(searching.ping().await.unwrap_err().kind, ErrorKind::NotFound);
    let found = searching.search(&a_query(&nobody)).await.unwrap();
    assert!(found.dense.is_empty() && found.sparse.is_empty(), "{found:?}");
    let counting = super::server(&facade.url, super::contract_settings());
    assert_eq!(counting.count(&everything(&nobody)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let facade = Facade::start_with_api_key(directory.path(), "right-key");
    for (key, expected) in [("wrong-key", Some(ErrorKind::Unauthenticated)), ("right-key", None)] {
        let settings = super::contract_settings();
        let qdrant =
            Qdrant::connect(&facade.url, Some(key.into()), settings, super::patient()).unwrap();
        assert!(!format!("{qdrant:?}").contains(key));
        assert_eq!(qdrant.ensure().await.err().map(|error| error.kind), expected);
    }
}

/// A source whose secret was rotated after it was first read.
#[derive(Debug)]
struct Rotated;

#[async_trait]
impl SecretSource for Rotated {
    async fn fetch(&self, refused: Option<&SecretString>) -> Result<SecretString, PortError> {
        Ok(if refused.is_some() { "right-key" } else { "old-key" }.into())
    }
}

#[tokio::test]
async fn a_rotated_key_is_taken_up_without_a_failed_call() {
    let directory = tempfile::tempdir().unwrap();
    let facade = Facade::start_with_api_key(directory.path(), "right-key");
    let key = LiveSecret::from_source(Arc::new(Rotated));
    let settings = super::contract_settings();
    let qdrant = Qdrant::connect(&facade.url, Some(key), settings, super::patient()).unwrap();
    let point = a_point(a_passage(&a_tenant("acme"), 1, 1, 0), 0.0, 1.0);
    qdrant.upsert(vec![point]).await.unwrap();
    assert_eq!(qdrant.count(&everything(&a_tenant("acme"))).await.unwrap(), 1);
}

#[tokio::test]
async fn a_stopped_server_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let facade = Facade::start(directory.path());
    let qdrant = super::server(&facade.url, super::contract_settings());
    qdrant.ensure().await.unwrap();
    drop(facade);
    let error = qdrant.search(&a_query(&a_tenant("nobody"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
    let point = a_point(a_passage(&a_tenant("nobody"), 1, 1, 0), 0.0, 1.0);
    assert_eq!(qdrant.upsert(vec![point]).await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_silent_server_times_out() {
    // Connections are made by the kernel; nobody ever answers on them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        read: Duration::from_millis(100),
        write: Duration::from_millis(100),
    };
    let qdrant = Qdrant::connect(&url, None, super::contract_settings(), timeouts).unwrap();
    assert_eq!(qdrant.ping().await.unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(qdrant.ensure().await.unwrap_err().kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn rankings_and_pages_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let facade = Facade::start(directory.path());
    let qdrant = super::server(&facade.url, super::contract_settings());
    let tenant = a_tenant("bounds");
    let chunks = 0..u32::try_from(MAX_RANKING.max(MAX_PAGE)).unwrap() + 1;
    let points = chunks.map(|ordinal| a_point(a_passage(&tenant, 1, 1, ordinal), 0.1, 1.0));
    qdrant.upsert(points.collect()).await.unwrap();
    let mut query = a_query(&tenant);
    query.limit = usize::MAX;
    assert_eq!(qdrant.search(&query).await.unwrap().dense.len(), MAX_RANKING);
    let page = qdrant.scroll(&everything(&tenant), None, usize::MAX).await.unwrap();
    assert_eq!(page.points.len(), MAX_PAGE);
    let rest = qdrant.scroll(&everything(&tenant), page.next, usize::MAX).await.unwrap();
    assert_eq!((rest.points.len(), rest.next), (1, None));
}

#[tokio::test]
async fn a_url_resolves_to_a_server_without_a_call() {
    let url = "http://127.0.0.1:1";
    let server = ServerSettings::default();
    let index = resolve(url, super::settings(DIMENSIONS), &server).await.unwrap();
    assert!(index.qdrant.is_some() && index.edge.is_none());
    assert_eq!(index.reader.ping().await.unwrap_err().kind, ErrorKind::Unavailable);
}
