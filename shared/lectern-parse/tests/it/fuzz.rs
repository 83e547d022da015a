//! Truncated and bit-flipped copies of the readable documents, through sandboxed workers.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use lectern_parse::{Damage, ParseError, ParseLimits, Sandbox};

use crate::{manifest, read, sandbox};

/// Copies of each kind of each document.
const COPIES: usize = 500;
/// Workers side by side.
const PARALLELISM: usize = 2;
/// Most bits that are flipped in one copy.
const MAX_FLIPS: u64 = 16;
const SEED: u64 = 0x1ec7_e4a5_eed0_0001;

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

/// Returns the copy with this number: the first half are truncations, the second bit flips.
fn damaged(bytes: &Bytes, copy: usize, random: &mut Random) -> Bytes {
    let length = bytes.len() as u64;
    if copy < COPIES {
        // Half of the cuts fall anywhere, half near the end, where tables and directories stand.
        let span = if copy.is_multiple_of(2) { length } else { length.min(2_048) };
        return bytes.slice(..(length - 1 - random.below(span)) as usize);
    }
    let mut copy = bytes.to_vec();
    for _ in 0..=random.below(MAX_FLIPS) {
        let at = random.below(length) as usize;
        copy[at] ^= 1 << random.below(8);
    }
    copy.into()
}

async fn outcome(sandbox: &Sandbox, file: &str, bytes: Bytes) -> (&'static str, Duration) {
    let limits = ParseLimits {
        wall_time: Duration::from_secs(20),
        cpu_time: Duration::from_secs(10),
        ..ParseLimits::default()
    };
    let started = Instant::now();
    let code = match sandbox.parse(bytes, file, &limits).await {
        Ok(_) => "parsed",
        Err(ParseError::Malformed { damage: Damage::Panic, .. }) => "panic caught",
        Err(error @ ParseError::Crashed { .. }) => panic!("{file}: {error}"),
        Err(error) => error.code(),
    };
    (code, started.elapsed())
}

#[tokio::test]
async fn fuzz_damaged_documents_never_crash_the_worker() {
    let sandbox = sandbox();
    let classes = ["normal", "rtl-multilingual", "encoding"];
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    let mut random = Random(SEED);
    for entry in manifest().iter().filter(|entry| classes.contains(&&*entry.class)) {
        let (file, bytes) = (&entry.file, read(&entry.file));
        let started = Instant::now();
        let copies: Vec<Bytes> =
            (0..2 * COPIES).map(|copy| damaged(&bytes, copy, &mut random)).collect();
        let parses = stream::iter(copies).map(|copy| outcome(&sandbox, file, copy));
        let outcomes: Vec<_> = parses.buffer_unordered(PARALLELISM).collect().await;
        let slowest = outcomes.iter().map(|(_, time)| *time).max().unwrap_or_default();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (code, _) in outcomes {
            *counts.entry(code).or_default() += 1;
            *totals.entry(code).or_default() += 1;
        }
        let seconds = started.elapsed().as_secs_f32();
        println!("{file}: {seconds:.1} s, slowest {} ms, {counts:?}", slowest.as_millis());
        for bad in ["timeout", "memory", "expansion"] {
            assert!(!counts.contains_key(bad), "{file}: {counts:?}");
        }
    }
    println!("all: {totals:?}");
}
