//! Connecting, creating, reopening and sweeping.

use lectern_core::{errors::ErrorKind, time::Timestamp};
use lectern_tables::Tables;

use crate::world::{a_live_document, a_place, at, connect, file};

#[tokio::test]
async fn a_reopened_file_holds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let tables = file(folder.path()).await;
    let tenant = a_place(&tables).await;
    let document = a_live_document(&tables, &tenant, 1).await;
    let before = tables.documents().get(&tenant, &document).await.unwrap();
    drop(tables);
    let tables = file(folder.path()).await;
    assert!(before.is_some());
    assert_eq!(tables.documents().get(&tenant, &document).await.unwrap(), before);
}

#[tokio::test]
async fn two_memories_share_nothing() {
    let (one, other) = (connect("embedded::memory:").await, connect("embedded::memory:").await);
    one.cache().put("hash", vec![1], at(10)).await.unwrap();
    assert_eq!(one.cache().get("hash", at(1)).await.unwrap(), Some(vec![1]));
    assert_eq!(other.cache().get("hash", at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_not_found() {
    let tables = Tables::connect("embedded::memory:").await.unwrap();
    assert_eq!(tables.ping().await.unwrap_err().kind, ErrorKind::NotFound);
    tables.ensure().await.unwrap();
    tables.ensure().await.unwrap();
    tables.ping().await.unwrap();
}

#[tokio::test]
async fn other_urls_are_refused() {
    for url in ["", "embedded:", "embedded://", "embedded:x", "dynamodb://", "dynamodb://a/b", "x"]
    {
        let refused = Tables::connect(url).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid, "{url}");
    }
    let folder = tempfile::tempdir().unwrap();
    let refused = Tables::connect(&format!("embedded://{}", folder.path().display())).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unavailable, "a folder is no file");
}

#[tokio::test]
async fn a_sweep_deletes_what_has_expired() {
    let tables = connect("embedded::memory:").await;
    // The sweep reads the wall clock: 1970 has passed, the year 5138 has not.
    let far = Timestamp::from_millis(100_000_000_000_000);
    tables.cache().put("old", vec![1], Timestamp::from_millis(1_000)).await.unwrap();
    tables.cache().put("new", vec![1], far).await.unwrap();
    assert_eq!(tables.sweep_expired().await.unwrap(), 1);
    assert_eq!(tables.cache().get("new", at(1)).await.unwrap(), Some(vec![1]));
}
