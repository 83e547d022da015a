//! Speed and recall of the embedded index on synthetic data, before and after it optimises.
//!
//! `cargo run --release -p lectern-index --example index_bench -- [POINTS]`; 100 000 points by default,
//! 384 dimensions, about 40 terms and 1 kB of payload each.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop at a failure")]

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use lectern_core::{
    analysis::SparseVector,
    filter::Filter,
    passage::{PassageQuery, Point, PointId, ScoredPassage},
    ports::{EmbeddingModel, PassageReader, PassageWriter},
};
use lectern_index::{Edge, IndexSettings};
use lectern_testkit::index_contract::{a_passage, a_query, a_tenant};

const DIMENSIONS: usize = 384;
const CLUSTERS: usize = 500;
const QUERIES: usize = 200;
const LIMIT: usize = 50;

/// Pseudo-random numbers (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    /// Returns the next number in 0..1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 48;
        f32::from(u16::try_from(bits).unwrap()) / 65_536.0
    }

    fn noise(&mut self) -> Vec<f32> {
        (0..DIMENSIONS).map(|_| self.next() - 0.5).collect()
    }

    /// Returns a vector near one of `centres`: embeddings of texts lie in clumps, not evenly.
    fn near(&mut self, centres: &[Vec<f32>]) -> Vec<f32> {
        let centre = &centres[(self.next() * CLUSTERS as f32) as usize];
        let noise = self.noise();
        let raw: Vec<f32> = centre.iter().zip(noise).map(|(centre, own)| centre + own).collect();
        let norm = raw.iter().map(|component| component * component).sum::<f32>().sqrt();
        raw.into_iter().map(|component| component / norm).collect()
    }

    /// Returns terms as frequent as words are (Zipf), out of 50 000.
    fn terms(&mut self, count: usize) -> SparseVector {
        let rank = |uniform: f32| 50_000_f32.powf(uniform) as u32;
        let drawn: BTreeMap<u32, f32> =
            (0..count).map(|_| (rank(self.next()), 0.5 + self.next())).collect();
        let (indices, values) = drawn.into_iter().unzip();
        SparseVector { indices, values }
    }
}

fn points(numbers: &mut Numbers, centres: &[Vec<f32>], from: u32, count: u32) -> Vec<Point> {
    let tenant = a_tenant("bench");
    let draw = |ordinal| {
        let mut passage = a_passage(&tenant, u64::from(ordinal / 10), 1, ordinal);
        passage.text = "lorem ipsum dolor sit amet ".repeat(28);
        passage.metadata.insert("year".to_owned(), (2000 + ordinal % 25).into());
        Point { passage, dense: Some(numbers.near(centres)), sparse: numbers.terms(40) }
    };
    (from..from + count).map(draw).collect()
}

async fn write(edge: &Edge, numbers: &mut Numbers, centres: &[Vec<f32>], count: u32, dense: bool) {
    let mut taken = Duration::ZERO;
    for from in (0..count).step_by(1_000) {
        let mut points = points(numbers, centres, from, 1_000.min(count - from));
        if !dense {
            points.iter_mut().for_each(|point| point.dense = None);
        }
        let begun = Instant::now();
        edge.upsert(points).await.unwrap();
        taken += begun.elapsed();
    }
    let rate = f64::from(count) / taken.as_secs_f64();
    println!("upsert, dense {dense}: {count} points in {taken:.2?}, {rate:.0}/s");
}

fn ids(ranking: &[ScoredPassage]) -> Vec<PointId> {
    ranking.iter().map(|scored| scored.passage.point_id()).collect()
}

/// Prints the latency of `queries` and returns the dense rankings.
async fn measure(label: &str, edge: &Edge, queries: &[PassageQuery]) -> Vec<Vec<PointId>> {
    let mut taken = Vec::new();
    let mut rankings = Vec::new();
    for query in queries {
        let begun = Instant::now();
        let found = edge.search(query).await.unwrap();
        taken.push(begun.elapsed());
        rankings.push(ids(&found.dense));
    }
    taken.sort_unstable();
    let (half, most) = (taken[taken.len() / 2], taken[taken.len() * 95 / 100]);
    println!("{label}: p50 {half:.2?}, p95 {most:.2?}");
    rankings
}

fn recall(exact: &[Vec<PointId>], found: &[Vec<PointId>]) -> f64 {
    let hits = exact.iter().zip(found).map(|(exact, found)| {
        let exact: HashSet<_> = exact.iter().collect();
        found.iter().filter(|id| exact.contains(id)).count()
    });
    let wanted: usize = exact.iter().map(Vec::len).sum();
    hits.sum::<usize>() as f64 / wanted as f64
}

#[tokio::main]
async fn main() {
    let count = std::env::args().nth(1).map_or(100_000, |count| count.parse().unwrap());
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let centres: Vec<_> = (0..CLUSTERS).map(|_| numbers.noise()).collect();
    let directory = tempfile::tempdir().unwrap();

    let terms_only = Edge::open(directory.path(), IndexSettings::new(None).unwrap()).await.unwrap();
    write(&terms_only, &mut numbers, &centres, count.min(10_000), false).await;

    let model = EmbeddingModel { id: "bench".to_owned(), dimensions: DIMENSIONS };
    let settings = IndexSettings::new(Some(model)).unwrap();
    let edge = Edge::open(directory.path(), settings.clone()).await.unwrap();
    write(&edge, &mut numbers, &centres, count, true).await;
    let draw = |_| {
        let mut query = a_query(&a_tenant("bench"));
        query.limit = LIMIT;
        query.dense = Some(numbers.near(&centres));
        query.sparse = numbers.terms(8);
        query
    };
    let queries: Vec<_> = (0..QUERIES).map(draw).collect();
    let mut filtered = queries.clone();
    let recent = serde_json::from_str(r#"{"field":"year","gte":2020}"#).unwrap();
    filtered.iter_mut().for_each(|query| query.filter = Some(Filter::clone(&recent)));

    let exact = measure("hybrid, scanned", &edge, &queries).await;
    let exact_filtered = measure("hybrid, scanned, filter", &edge, &filtered).await;
    let begun = Instant::now();
    let optimized = edge.maintain().await.unwrap();
    println!("maintain: optimised {optimized} in {:.1?}", begun.elapsed());
    let found = measure("hybrid, indexed", &edge, &queries).await;
    println!("dense recall@{LIMIT}: {:.4}", recall(&exact, &found));
    let found = measure("hybrid, indexed, filter", &edge, &filtered).await;
    println!("dense recall@{LIMIT}, filter: {:.4}", recall(&exact_filtered, &found));

    drop(edge);
    let begun = Instant::now();
    let edge = Edge::open(directory.path(), settings).await.unwrap();
    println!("reopen: {:.2?}", begun.elapsed());
    measure("hybrid, reopened", &edge, &queries).await;
}
