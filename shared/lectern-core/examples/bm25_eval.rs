//! Prints nDCG@10 of BM25 on every evaluation set, beside the baseline published with the data.
//!
//! `cargo run --release -p lectern-core --example bm25_eval [average words …]`

#![allow(clippy::print_stdout, reason = "an example prints its result")]

#[path = "../tests/it/retrieval.rs"]
mod retrieval;

use lectern_core::analysis::Bm25;
use retrieval::EvaluationSet;

/// Set, judgements, language of its questions, baseline.
const SETS: [(&str, &str, &str, f64); 11] = [
    ("ir-scifact", "qrels.train.tsv", "eng", f64::NAN),
    ("ir-scifact", "qrels.tsv", "eng", 0.679),
    ("ir-cranfield", "qrels.tsv", "eng", 0.376),
    ("qa-squad2", "qrels.tsv", "eng", 0.891),
    ("qa-xquad-en", "qrels.tsv", "eng", 0.969),
    ("qa-xquad-ar", "qrels.tsv", "ara", 0.886),
    ("qa-xquad-hi", "qrels.tsv", "hin", 0.961),
    ("qa-xquad-zh", "qrels.tsv", "cmn", 0.981),
    ("qa-xquad-de", "qrels.tsv", "deu", 0.957),
    ("qa-xquad-es", "qrels.tsv", "spa", 0.978),
    ("qa-urdu-uqad", "qrels.tsv", "urd", 0.955),
];

fn main() {
    let averages: Vec<f32> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let candidates: Vec<Bm25> = if averages.is_empty() {
        vec![Bm25::default()]
    } else {
        averages.into_iter().map(Bm25::with_average_words).collect()
    };
    println!("set            judgements       baseline | language known, not known; per parameter");
    for (name, judgements, language, baseline) in SETS {
        let set = EvaluationSet::open(name, judgements);
        print!("{name:14} {judgements:16} {baseline:.3} |");
        for parameters in &candidates {
            print!(" {:.4} {:.4}", set.ndcg(parameters, language), set.ndcg(parameters, "und"));
        }
        println!();
    }
}
