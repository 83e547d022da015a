//! What a reader returns, and in which order.

use lectern_core::{
    analysis::SparseVector,
    errors::ErrorKind,
    passage::{Passage, Point, PointId, Scope},
    ports::{PassageReader, PassageWriter},
};
use serde_json::json;

use super::builders::{a_passage, a_point, a_query, a_tenant, clear, everybody, everything};

/// Largest difference of a stored component: engines normalise vectors once more.
const TOLERANCE: f32 = 1e-5;

/// Each ranking is best first by its own score, and at most `limit` long.
pub async fn ranks_best_first_within_the_limit(
    reader: &dyn PassageReader,
    writer: &dyn PassageWriter,
) {
    let tenant = a_tenant("ranks");
    clear(writer, &tenant).await;
    let points = (0..8_u8).map(|ordinal| {
        // The nearer by angle, the rarer the term: the rankings are each other's reverse.
        let step = f32::from(ordinal);
        a_point(a_passage(&tenant, 1, 1, ordinal.into()), 0.2 * step, 1.0 + step)
    });
    writer.upsert(points.collect()).await.unwrap();

    let mut query = a_query(&tenant);
    query.limit = 3;
    let found = reader.search(&query).await.unwrap();
    let dense: Vec<_> = found.dense.iter().map(|scored| scored.passage.ordinal).collect();
    let sparse: Vec<_> = found.sparse.iter().map(|scored| scored.passage.ordinal).collect();
    assert_eq!((dense, sparse), (vec![0, 1, 2], vec![7, 6, 5]));
    for (scored, expected) in found.dense.iter().zip([1.0, 0.2_f32.cos(), 0.4_f32.cos()]) {
        assert!((scored.score - expected).abs() < TOLERANCE, "a cosine of {}", scored.score);
    }
    assert!(found.sparse.is_sorted_by(|left, right| left.score > right.score));
    assert!(found.sparse.iter().all(|scored| scored.score > 0.0), "BM25 scores are positive");
    query.limit = 0;
    let none = reader.search(&query).await.unwrap();
    assert!(none.dense.is_empty() && none.sparse.is_empty(), "a limit of 0");
    clear(writer, &tenant).await;
}

/// Two equal calls give equal rankings, ties included: those come by point id.
pub async fn answers_alike_twice(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("ties");
    clear(writer, &tenant).await;
    let tied = (0..20).map(|ordinal| a_point(a_passage(&tenant, 1, 1, ordinal), 0.5, 2.0));
    writer.upsert(tied.collect()).await.unwrap();

    let mut query = a_query(&tenant);
    query.limit = 20;
    let first = reader.search(&query).await.unwrap();
    assert_eq!(first, reader.search(&query).await.unwrap());
    for ranking in [&first.dense, &first.sparse] {
        assert_eq!(ranking.len(), 20);
        assert!(ranking.is_sorted_by_key(|scored| scored.passage.point_id()), "ties by id");
    }
    clear(writer, &tenant).await;
}

/// An absent dense vector or an empty sparse one gives an empty ranking beside the other one.
pub async fn an_absent_vector_gives_an_empty_ranking(
    reader: &dyn PassageReader,
    writer: &dyn PassageWriter,
) {
    let tenant = a_tenant("absent");
    clear(writer, &tenant).await;
    writer.upsert(vec![a_point(a_passage(&tenant, 1, 1, 0), 0.0, 1.0)]).await.unwrap();

    let mut query = a_query(&tenant);
    query.dense = None;
    let found = reader.search(&query).await.unwrap();
    assert_eq!((found.dense.len(), found.sparse.len()), (0, 1));
    query.sparse = SparseVector::default();
    let found = reader.search(&query).await.unwrap();
    assert_eq!((found.dense.len(), found.sparse.len()), (0, 0));
    query.dense = a_query(&tenant).dense;
    let found = reader.search(&query).await.unwrap();
    assert_eq!((found.dense.len(), found.sparse.len()), (1, 0));
    clear(writer, &tenant).await;
}

/// A passage comes back as it was written, field by field, from a search and from a scroll.
pub async fn gives_back_what_was_written(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("payload");
    clear(writer, &tenant).await;
    let mut plain = a_passage(&tenant, 1, 1, 0);
    plain.page = None;
    plain.heading = String::new();
    let mut rich = a_passage(&tenant, 1, 1, 1);
    rich.acl = vec!["ops".to_owned(), "*".to_owned()];
    rich.metadata = json!({
        "team": "ops", "year": -3, "score": 0.25, "draft": true, "none": null,
        "tags": ["الف", "b"], "nested": {"deep": [1, {"er": "x"}]}, "large": i64::MAX
    })
    .as_object()
    .unwrap()
    .clone();
    let written = [a_point(plain, 0.3, 1.5), a_point(rich, 1.2, 2.5)];
    writer.upsert(written.to_vec()).await.unwrap();

    let found = reader.search(&a_query(&tenant)).await.unwrap();
    let page = reader.scroll(&everything(&tenant), None, 10).await.unwrap();
    for point in &written {
        let in_search = found.dense.iter().any(|scored| scored.passage == point.passage);
        assert!(in_search, "not found as written: {:?}", found.dense);
        let scrolled = page.points.iter().find(|other| other.passage == point.passage);
        same_vectors(point, scrolled.expect("scrolled as written"));
    }
    clear(writer, &tenant).await;
}

fn same_vectors(written: &Point, read: &Point) {
    assert_eq!(written.sparse, read.sparse);
    let (Some(left), Some(right)) = (&written.dense, &read.dense) else {
        assert_eq!(written.dense, read.dense);
        return;
    };
    assert_eq!(left.len(), right.len());
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < TOLERANCE;
    assert!(left.iter().zip(right).all(near), "{left:?} became {right:?}");
}

/// A passage is given back as it was written, once, however often it is asked for; an absent one is left out; more
/// ids than one answer holds are `TooLarge`.
pub async fn gets_each_wanted_passage_once(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("gets");
    clear(writer, &tenant).await;
    let written: Vec<Passage> = (0..30).map(|ordinal| a_passage(&tenant, 1, 2, ordinal)).collect();
    let points = written.iter().map(|passage| a_point(passage.clone(), 0.1, 1.0));
    writer.upsert(points.collect()).await.unwrap();

    let visibility = everybody(&tenant);
    let absent = [a_passage(&tenant, 1, 1, 0).point_id(), a_passage(&tenant, 1, 2, 30).point_id()];
    let wanted = [&written[4], &written[29], &written[4]].map(Passage::point_id);
    let ids: Vec<PointId> = wanted.into_iter().chain(absent).collect();
    let mut found = reader.get(&visibility, &ids).await.unwrap();
    found.sort_by_key(|passage| passage.ordinal);
    assert_eq!(found, [written[4].clone(), written[29].clone()]);
    assert!(reader.get(&visibility, &[]).await.unwrap().is_empty());
    assert!(reader.get(&visibility, &absent).await.unwrap().is_empty());
    let all: Vec<PointId> = written.iter().map(Passage::point_id).collect();
    assert_eq!(reader.get(&visibility, &all).await.unwrap().len(), 30);
    let too_many = vec![all[0]; 10_000];
    let refused = reader.get(&visibility, &too_many).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TooLarge);
    clear(writer, &tenant).await;
}

/// A count is exact, whatever the scope leaves out.
pub async fn counts_exactly(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("counts");
    clear(writer, &tenant).await;
    let mut points = Vec::new();
    for (document, version, chunks) in [(1, 1, 5), (1, 2, 4), (1, 3, 3), (2, 1, 2)] {
        for ordinal in 0..chunks {
            points.push(a_point(a_passage(&tenant, document, version, ordinal), 0.0, 1.0));
        }
    }
    let document = points[0].passage.document_id.clone();
    points[0].passage.collection = "elsewhere".parse().unwrap();
    writer.upsert(points).await.unwrap();

    let one = Scope::document(&tenant, &document);
    let other = a_passage(&tenant, 2, 1, 0).document_id;
    let both = Scope::documents(&tenant, vec![document.clone(), other]);
    let mut elsewhere = everything(&tenant);
    elsewhere.collection = Some("elsewhere".parse().unwrap());
    for (scope, expected) in [
        (everything(&tenant), 14),
        (one.clone(), 12),
        (one.clone().with_versions(2, 2), 4),
        (one.clone().with_versions(1, 2), 9),
        (one.clone().with_versions(4, u32::MAX), 0),
        (one.with_versions(2, 1), 0),
        (both.clone(), 14),
        (both.with_versions(1, 1), 7),
        (elsewhere, 1),
    ] {
        assert_eq!(reader.count(&scope).await.unwrap(), expected, "{scope:?}");
    }
    // A scope of no documents is nobody's wish, and would delete everything where an index took it for none.
    for documents in [0, Scope::MAX_DOCUMENTS + 1] {
        let scope = Scope::documents(&tenant, vec![document.clone(); documents]);
        assert_eq!(reader.count(&scope).await.unwrap_err().kind, ErrorKind::Invalid);
        assert_eq!(reader.scroll(&scope, None, 1).await.unwrap_err().kind, ErrorKind::Invalid);
        assert_eq!(writer.delete(&scope).await.unwrap_err().kind, ErrorKind::Invalid);
    }
    clear(writer, &tenant).await;
}

/// A scroll returns every point of the scope once, in id order, with its vectors, page by page.
pub async fn scrolls_every_point_once_in_id_order(
    reader: &dyn PassageReader,
    writer: &dyn PassageWriter,
) {
    let tenant = a_tenant("scrolls");
    clear(writer, &tenant).await;
    let mut written: Vec<_> = (0..23_u8)
        .map(|ordinal| a_point(a_passage(&tenant, 1, 1, ordinal.into()), f32::from(ordinal), 1.0))
        .collect();
    let outside = a_point(a_passage(&tenant, 2, 1, 0), 0.0, 1.0);
    let scope = Scope::document(&tenant, &written[0].passage.document_id);
    writer.upsert(written.iter().cloned().chain([outside]).collect()).await.unwrap();

    let mut read = Vec::new();
    let mut from = None;
    for expected in [10, 10, 3] {
        let page = reader.scroll(&scope, from, 10).await.unwrap();
        assert_eq!(page.points.len(), expected);
        read.extend(page.points);
        from = page.next;
    }
    assert_eq!(from, None, "a page follows the last");
    written.sort_by_key(|point| point.passage.point_id());
    assert_eq!(written.len(), read.len());
    for (left, right) in written.iter().zip(&read) {
        assert_eq!(left.passage, right.passage);
        same_vectors(left, right);
    }
    let whole = reader.scroll(&scope, None, 23).await.unwrap();
    assert_eq!((whole.points.len(), whole.next), (23, None), "a page that is just full");
    clear(writer, &tenant).await;
}

/// A vector of another length is `Invalid`, in a search and in a write, and nothing of the write is kept.
pub async fn refuses_vectors_of_another_model(
    reader: &dyn PassageReader,
    writer: &dyn PassageWriter,
) {
    let tenant = a_tenant("dimensions");
    clear(writer, &tenant).await;
    let mut query = a_query(&tenant);
    query.dense = Some(vec![1.0]);
    assert_eq!(reader.search(&query).await.unwrap_err().kind, ErrorKind::Invalid);
    let good = a_point(a_passage(&tenant, 1, 1, 0), 0.0, 1.0);
    let mut bad = a_point(a_passage(&tenant, 1, 1, 1), 0.0, 1.0);
    bad.dense = Some(vec![1.0]);
    let refused = writer.upsert(vec![good, bad]).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert_eq!(reader.count(&everything(&tenant)).await.unwrap(), 0);
}

/// A ping answers while the index can be read.
pub async fn answers_a_ping(reader: &dyn PassageReader, _writer: &dyn PassageWriter) {
    reader.ping().await.unwrap();
}
