//! Two adapters, one engine: the same data gives the same rankings.
//!
//! Scores agree but for the last bits: the engine numbers terms as they arrive, points of a batch in no
//! order, and adds a passage's terms by these numbers.

use lectern_core::{
    analysis::SparseVector,
    passage::{PassageQuery, Point, ScoredPassage},
    ports::{PassageReader, PassageWriter},
};
use lectern_index::Edge;
use lectern_testkit::{
    index_contract::{a_passage, a_query, a_tenant},
    qdrant_facade::Facade,
};

const DIMENSIONS: usize = 16;

/// Pseudo-random numbers in 0..1 (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 48;
        f32::from(u16::try_from(bits).unwrap()) / 65_536.0
    }

    fn dense(&mut self) -> Vec<f32> {
        let raw: Vec<f32> = (0..DIMENSIONS).map(|_| self.next() - 0.5).collect();
        let norm = raw.iter().map(|component| component * component).sum::<f32>().sqrt();
        raw.into_iter().map(|component| component / norm).collect()
    }

    fn sparse(&mut self, terms: usize) -> SparseVector {
        let drawn: std::collections::BTreeMap<u32, f32> =
            (0..terms).map(|_| ((self.next() * 300.0) as u32, 0.5 + self.next())).collect();
        let (indices, values) = drawn.into_iter().unzip();
        SparseVector { indices, values }
    }
}

fn points(numbers: &mut Numbers) -> Vec<Point> {
    let tenant = a_tenant("equal");
    let draw = |ordinal| {
        let mut passage = a_passage(&tenant, u64::from(ordinal % 20), 1, ordinal);
        passage.metadata.insert("year".to_owned(), (2000 + ordinal % 25).into());
        let dense = (ordinal % 7 != 0).then(|| numbers.dense());
        Point { passage, dense, sparse: numbers.sparse(12) }
    };
    (0..700).map(draw).collect()
}

fn queries(numbers: &mut Numbers) -> Vec<PassageQuery> {
    let draw = |round| {
        let mut query = a_query(&a_tenant("equal"));
        query.limit = 30;
        query.dense = Some(numbers.dense());
        query.sparse = numbers.sparse(5);
        if round % 2 == 1 {
            let recent = r#"{"any":[{"field":"year","gte":2015},{"field":"year","in":[2001]}]}"#;
            query.filter = Some(serde_json::from_str(recent).unwrap());
        }
        query
    };
    (0..10).map(draw).collect()
}

fn same(ours: &[ScoredPassage], theirs: &[ScoredPassage]) {
    let ordinals = |ranking: &[ScoredPassage]| -> Vec<u32> {
        ranking.iter().map(|scored| scored.passage.ordinal).collect()
    };
    assert_eq!(ordinals(ours), ordinals(theirs));
    for (left, right) in ours.iter().zip(theirs) {
        assert!((left.score - right.score).abs() < 1e-5, "{} and {}", left.score, right.score);
        assert_eq!(left.passage, right.passage);
    }
}

#[tokio::test]
async fn both_adapters_rank_alike() {
    let directory = tempfile::tempdir().unwrap();
    let settings = super::settings(DIMENSIONS);
    let edge = Edge::open(directory.path().join("edge"), settings.clone()).await.unwrap();
    let facade = Facade::start(&directory.path().join("server"));
    let qdrant = super::server(&facade.url, settings);
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let points = points(&mut numbers);
    edge.upsert(points.clone()).await.unwrap();
    qdrant.upsert(points).await.unwrap();

    for query in queries(&mut numbers) {
        let here = edge.search(&query).await.unwrap();
        assert_eq!((here.dense.len(), here.sparse.len()), (30, 30));
        let there = qdrant.search(&query).await.unwrap();
        same(&here.dense, &there.dense);
        same(&here.sparse, &there.sparse);
    }
}
