//! The embedded adapter: its directory, its bounds, its maintenance.

use lectern_core::{
    errors::{ErrorKind, chain},
    passage::Candidates,
    ports::{PassageReader, PassageWriter},
};
use lectern_index::{Edge, IndexSettings, MAX_PAGE, MAX_RANKING, ServerSettings, resolve};
use lectern_testkit::index_contract::{a_passage, a_point, a_query, a_tenant, everything};

async fn open(directory: &tempfile::TempDir) -> Edge {
    Edge::open(directory.path(), super::contract_settings()).await.unwrap()
}

#[tokio::test]
async fn a_second_owner_is_told_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(&directory).await;
    let refused = Edge::open(directory.path(), super::contract_settings()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(chain(&refused).contains("--api"), "{refused:?}");
    // Another model's index is another directory.
    Edge::open(directory.path(), super::settings(3)).await.unwrap();
    drop(first);
    open(&directory).await;
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let tenant = a_tenant("restart");
    let points: Vec<_> = (0..40_u8)
        .map(|ordinal| {
            let step = f32::from(ordinal);
            a_point(a_passage(&tenant, 1, 1, ordinal.into()), 0.01 * step, step)
        })
        .collect();
    let mut before = Candidates::default();
    for round in 0..3 {
        let edge = open(&directory).await;
        if round == 0 {
            edge.upsert(points.clone()).await.unwrap();
            before = edge.search(&a_query(&tenant)).await.unwrap();
            assert_eq!(before.dense.len(), 10);
        }
        assert_eq!(edge.search(&a_query(&tenant)).await.unwrap(), before, "in round {round}");
        assert!(!edge.maintain().await.unwrap(), "40 points are not worth optimising");
        edge.flush().await.unwrap();
    }
}

#[tokio::test]
async fn rankings_and_pages_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let edge = open(&directory).await;
    let tenant = a_tenant("bounds");
    let chunks = 0..u32::try_from(MAX_RANKING.max(MAX_PAGE)).unwrap() + 1;
    let points = chunks.map(|ordinal| a_point(a_passage(&tenant, 1, 1, ordinal), 0.1, 1.0));
    edge.upsert(points.collect()).await.unwrap();
    let mut query = a_query(&tenant);
    query.limit = usize::MAX;
    let found = edge.search(&query).await.unwrap();
    assert_eq!((found.dense.len(), found.sparse.len()), (MAX_RANKING, MAX_RANKING));
    let page = edge.scroll(&everything(&tenant), None, usize::MAX).await.unwrap();
    assert_eq!(page.points.len(), MAX_PAGE);
    let rest = edge.scroll(&everything(&tenant), page.next, usize::MAX).await.unwrap();
    assert_eq!((rest.points.len(), rest.next), (1, None));
}

#[tokio::test]
async fn works_without_an_embedder() {
    let directory = tempfile::tempdir().unwrap();
    let settings = IndexSettings::new(None).unwrap();
    let url = format!("edge://{}", directory.path().display());
    let index = resolve(&url, settings, &ServerSettings::default()).await.unwrap();
    assert!(index.edge.is_some() && index.qdrant.is_none());
    let tenant = a_tenant("terms");
    let mut point = a_point(a_passage(&tenant, 1, 1, 0), 0.0, 1.0);
    let refused = index.writer.upsert(vec![point.clone()]).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid, "a dense vector without a model");
    point.dense = None;
    index.writer.upsert(vec![point.clone()]).await.unwrap();
    let mut query = a_query(&tenant);
    query.dense = None;
    let found = index.reader.search(&query).await.unwrap();
    assert_eq!((found.dense.len(), found.sparse.len()), (0, 1));
    let page = index.reader.scroll(&everything(&tenant), None, 10).await.unwrap();
    assert_eq!(page.points, [point]);
}
