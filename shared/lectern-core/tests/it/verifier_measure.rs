//! Runs the verifier over the corrupted set.

use std::path::PathBuf;

use lectern_core::{
    ids::DocumentId,
    passage::{Passage, Span},
    support::{Evidence, Support},
    time::Timestamp,
};
use lectern_testkit::corruptions::{
    Example, Half, Kind, SEED, Scores, Source, examples, read_sources,
};

/// Threads that share the work.
const THREADS: usize = 2;

/// The set and what the verifier says about it.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) sources: Vec<Source>,
    pub(crate) examples: Vec<Example>,
    pub(crate) supports: Vec<Option<Support>>,
}

/// Makes the set and verifies every sentence of `half` (both without one) against its passage.
///
/// # Panics
/// When the data are missing.
#[must_use]
pub(crate) fn measure(half: Option<Half>) -> Measured {
    let directory = std::env::var_os("LECTERN_TEST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let sources = read_sources(&directory);
    let examples = examples(&sources, half, SEED);
    let passages: Vec<Passage> = sources.iter().map(passage).collect();
    let evidence = Evidence::of(&passages);
    let size = examples.len().div_ceil(THREADS).max(1);
    let verify = |chunk: &[Example]| -> Vec<Option<Support>> {
        let verified =
            chunk.iter().map(|example| evidence.best_support(&example.sentence, example.passage));
        verified.collect()
    };
    let supports = std::thread::scope(|scope| {
        let running: Vec<_> =
            examples.chunks(size).map(|chunk| scope.spawn(|| verify(chunk))).collect();
        let results =
            running.into_iter().map(|thread| thread.join().expect("the verifier does not panic"));
        results.flatten().collect()
    });
    Measured { sources, examples, supports }
}

fn passage(source: &Source) -> Passage {
    Passage {
        tenant: "acme".parse().expect("a tenant"),
        collection: "default".parse().expect("a collection"),
        document_id: DocumentId::new(Timestamp::from_millis(1), 1),
        version: 1,
        ordinal: 0,
        document_name: source.title.clone(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: 0, end: source.text.len() },
        text: source.text.clone(),
        text_sha256: String::new(),
        hostility: None,
        personal: None,
        language: source.language.clone(),
        acl: vec!["*".into()],
        metadata: serde_json::Map::new(),
    }
}

impl Measured {
    /// Returns the outcomes of one half.
    #[must_use]
    pub(crate) fn scores(&self, half: Half) -> Scores {
        self.scores_by(half, Support::is_full)
    }

    /// Returns the outcomes of one half when `is_full` decides what is supported.
    #[must_use]
    pub(crate) fn scores_by(&self, half: Half, is_full: impl Fn(&Support) -> bool) -> Scores {
        let mut scores = Scores::default();
        for (example, support) in self.examples.iter().zip(&self.supports) {
            let is_reported = !support.as_ref().is_some_and(&is_full);
            let language = &self.sources[example.passage].language;
            if example.half == half {
                scores.add(example.twin, language, example.kind != Kind::True, is_reported);
            }
        }
        scores
    }
}
