//! Writes are cut into batches the other side takes in one message.

use lectern_core::passage::Point;

/// Most points in one batch.
pub const MAX_BATCH_POINTS: usize = 512;
/// Most bytes in one batch, estimated; a single larger point goes alone. A Qdrant server takes 32 MiB.
pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Returns the points in order, in batches within both bounds.
pub(crate) fn batches(points: Vec<Point>) -> Vec<Vec<Point>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for point in points {
        let size = estimated_bytes(&point);
        let full = batch.len() == MAX_BATCH_POINTS || bytes + size > MAX_BATCH_BYTES;
        if full && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += size;
        batch.push(point);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Vectors and text exactly, names and numbers by a round figure.
fn estimated_bytes(point: &Point) -> usize {
    const FIXED: usize = 1_024;
    let dense = point.dense.as_ref().map_or(0, |vector| 4 * vector.len());
    let passage = &point.passage;
    let acl: usize = passage.acl.iter().map(String::len).sum();
    let metadata = passage.metadata.values().map(|value| value.to_string().len()).sum::<usize>();
    let text = passage.text.len() + passage.heading.len() + passage.document_name.len();
    FIXED + dense + 8 * point.sparse.indices.len() + text + acl + metadata
}

#[cfg(test)]
mod tests {
    use lectern_testkit::index_contract::{a_passage, a_point, a_tenant};

    use super::*;

    fn points(count: usize, text_bytes: usize) -> Vec<Point> {
        let make = |ordinal| {
            let mut passage = a_passage(&a_tenant("batches"), 1, 1, ordinal);
            passage.text = "x".repeat(text_bytes);
            a_point(passage, 0.0, 1.0)
        };
        (0..u32::try_from(count).unwrap()).map(make).collect()
    }

    fn sizes(points: Vec<Point>) -> Vec<usize> {
        batches(points).iter().map(Vec::len).collect()
    }

    #[test]
    fn cuts_at_both_bounds_and_keeps_the_order() {
        assert_eq!(sizes(Vec::new()), [0_usize; 0]);
        assert_eq!(sizes(points(MAX_BATCH_POINTS, 10)), [MAX_BATCH_POINTS]);
        assert_eq!(sizes(points(MAX_BATCH_POINTS + 1, 10)), [MAX_BATCH_POINTS, 1]);
        assert_eq!(sizes(points(5, MAX_BATCH_BYTES / 2 - 2_000)), [2, 2, 1]);
        assert_eq!(sizes(points(2, MAX_BATCH_BYTES + 1)), [1, 1]);
        let many = points(MAX_BATCH_POINTS + 3, 10);
        assert_eq!(batches(many.clone()).concat(), many);
    }
}
