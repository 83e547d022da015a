//! What a write leaves behind.

use lectern_core::{
    analysis::SparseVector,
    passage::Scope,
    ports::{PassageReader, PassageWriter},
};

use super::builders::{a_passage, a_point, a_query, a_tenant, clear, everything};

/// What a call acknowledged is seen by the next read: a write, and a deletion.
pub async fn shows_a_write_to_the_next_read(
    reader: &dyn PassageReader,
    writer: &dyn PassageWriter,
) {
    let tenant = a_tenant("next-read");
    clear(writer, &tenant).await;
    for ordinal in 0..10_u32 {
        writer.upsert(vec![a_point(a_passage(&tenant, 1, 1, ordinal), 0.1, 1.0)]).await.unwrap();
        let found = reader.search(&a_query(&tenant)).await.unwrap();
        assert_eq!(found.dense.len(), ordinal as usize + 1);
        assert_eq!(found.sparse.len(), ordinal as usize + 1);
    }
    clear(writer, &tenant).await;
    let found = reader.search(&a_query(&tenant)).await.unwrap();
    assert!(found.dense.is_empty() && found.sparse.is_empty(), "found after its deletion");
}

/// Writing the same points twice leaves them once.
pub async fn writing_twice_leaves_one(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("twice");
    clear(writer, &tenant).await;
    let points: Vec<_> =
        (0..3).map(|ordinal| a_point(a_passage(&tenant, 1, 1, ordinal), 0.1, 1.0)).collect();
    writer.upsert(points.clone()).await.unwrap();
    writer.upsert(points).await.unwrap();
    assert_eq!(reader.count(&everything(&tenant)).await.unwrap(), 3);
    assert_eq!(reader.search(&a_query(&tenant)).await.unwrap().sparse.len(), 3);
    clear(writer, &tenant).await;
}

/// A point with the same id takes the place of the earlier one: its fields, and each of its vectors.
pub async fn replaces_a_point_as_a_whole(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("replaces");
    clear(writer, &tenant).await;
    let mut passage = a_passage(&tenant, 1, 1, 0);
    passage.metadata.insert("old".to_owned(), true.into());
    writer.upsert(vec![a_point(passage, 0.0, 1.0)]).await.unwrap();
    let mut point = a_point(a_passage(&tenant, 1, 1, 0), 0.0, 1.0);
    point.passage.text = "Rewritten".to_owned();
    point.dense = None;
    point.sparse = SparseVector { indices: vec![8], values: vec![1.0] };
    writer.upsert(vec![point.clone()]).await.unwrap();

    let page = reader.scroll(&everything(&tenant), None, 10).await.unwrap();
    assert_eq!(page.points, [point]);
    let found = reader.search(&a_query(&tenant)).await.unwrap();
    assert!(found.dense.is_empty() && found.sparse.is_empty(), "found by its old vectors");
    clear(writer, &tenant).await;
}

/// A point without a dense vector is kept and found by its terms; one without terms, by its vector.
pub async fn keeps_points_without_a_dense_vector(
    reader: &dyn PassageReader,
    writer: &dyn PassageWriter,
) {
    let tenant = a_tenant("partial");
    clear(writer, &tenant).await;
    let mut terms_only = a_point(a_passage(&tenant, 1, 1, 0), 0.0, 1.0);
    terms_only.dense = None;
    let mut dense_only = a_point(a_passage(&tenant, 1, 1, 1), 0.0, 1.0);
    dense_only.sparse = SparseVector::default();
    let written = vec![terms_only, dense_only];
    writer.upsert(written.clone()).await.unwrap();

    let found = reader.search(&a_query(&tenant)).await.unwrap();
    assert_eq!(found.sparse.len(), 1);
    assert_eq!(found.sparse[0].passage, written[0].passage);
    assert_eq!(found.dense.len(), 1);
    assert_eq!(found.dense[0].passage, written[1].passage);
    let page = reader.scroll(&everything(&tenant), None, 10).await.unwrap();
    assert_eq!(page.points.len(), 2);
    for point in &page.points {
        assert!(written.contains(point), "came back otherwise: {point:?}");
    }
    clear(writer, &tenant).await;
}

/// A deletion removes its scope and nothing outside: no other version, document, collection, tenant.
pub async fn deletes_only_its_scope(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let (tenant, other) = (a_tenant("deletes"), a_tenant("bystander"));
    clear(writer, &tenant).await;
    clear(writer, &other).await;
    let mut points = Vec::new();
    for (tenant, document, version) in
        [(&tenant, 1, 1), (&tenant, 1, 2), (&tenant, 2, 1), (&other, 1, 1)]
    {
        let chunks = 0..3;
        points.extend(
            chunks.map(|ordinal| a_point(a_passage(tenant, document, version, ordinal), 0.0, 1.0)),
        );
    }
    let document = points[0].passage.document_id.clone();
    writer.upsert(points).await.unwrap();

    let scope = Scope::document(&tenant, &document);
    writer.delete(&scope.clone().with_versions(0, 1)).await.unwrap();
    assert_eq!(reader.count(&scope.clone().with_versions(1, 1)).await.unwrap(), 0);
    assert_eq!(reader.count(&scope).await.unwrap(), 3, "the newer version");
    writer.delete(&scope).await.unwrap();
    assert_eq!(reader.count(&everything(&tenant)).await.unwrap(), 3, "the other document");
    let mut elsewhere = everything(&tenant);
    elsewhere.collection = Some("elsewhere".parse().unwrap());
    writer.delete(&elsewhere).await.unwrap();
    assert_eq!(reader.count(&everything(&tenant)).await.unwrap(), 3, "the other collection");
    clear(writer, &tenant).await;
    assert_eq!(reader.count(&everything(&other)).await.unwrap(), 3, "the other tenant");
    clear(writer, &other).await;
}

/// Deleting what is not there succeeds, twice too.
pub async fn deleting_nothing_succeeds(_reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("nothing");
    let absent = a_passage(&tenant, 9, 1, 0).document_id;
    writer.delete(&Scope::document(&tenant, &absent)).await.unwrap();
    writer.delete(&Scope::document(&tenant, &absent)).await.unwrap();
    writer.upsert(Vec::new()).await.unwrap();
}

/// One call takes more points than fit a batch, and writes them all.
pub async fn takes_more_than_one_batch(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    const MANY: u32 = 1_100;
    let tenant = a_tenant("many");
    clear(writer, &tenant).await;
    let points = (0..MANY).map(|ordinal| a_point(a_passage(&tenant, 1, 1, ordinal), 0.3, 1.0));
    writer.upsert(points.collect()).await.unwrap();
    assert_eq!(reader.count(&everything(&tenant)).await.unwrap(), u64::from(MANY));
    clear(writer, &tenant).await;
    assert_eq!(reader.count(&everything(&tenant)).await.unwrap(), 0);
}
