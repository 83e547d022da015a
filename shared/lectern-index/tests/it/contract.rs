//! The contract suite on each adapter.

use lectern_index::Edge;
use lectern_testkit::{index_contract, qdrant_facade::Facade};

#[tokio::test]
async fn edge_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let edge = Edge::open(directory.path(), super::contract_settings()).await.unwrap();
    index_contract::run_all(&edge, &edge).await;
}

#[tokio::test]
async fn qdrant_keeps_the_contract_on_the_facade() {
    let directory = tempfile::tempdir().unwrap();
    let facade = Facade::start(directory.path());
    let qdrant = super::server(&facade.url, super::contract_settings());
    index_contract::run_all(&qdrant, &qdrant).await;
}

/// Runs on a real server where there is one: `LECTERN_TEST_QDRANT_URL=http://host:6334`.
#[tokio::test]
async fn qdrant_keeps_the_contract_on_a_real_server() {
    let Some(url) = std::env::var_os("LECTERN_TEST_QDRANT_URL") else { return };
    let qdrant = super::server(url.to_str().unwrap(), super::contract_settings());
    index_contract::run_all(&qdrant, &qdrant).await;
}
