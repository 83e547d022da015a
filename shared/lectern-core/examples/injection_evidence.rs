//! Writes what the detector of instructions in documents weighs, for `infra/calibration/injection/fit.py`.
//!
//! `cargo run --release -p lectern-core --example injection_evidence FILE...` reads passages as JSON Lines with a `text`
//! and prints, for each, a line of its sentences: reading, first and last byte, and the clues' numbers and strengths.
//! With `--score` it prints only the score of each passage, with `--speed` only how many megabytes it reads a second.

#![allow(clippy::print_stdout, reason = "an example prints its result")]
#![allow(clippy::expect_used, reason = "an example stops at what it does not understand")]

use std::{
    fs,
    io::{BufWriter, Write},
    time::Instant,
};

use lectern_core::injection::{evidence, inspect};
use serde_json::{Value, json};

fn main() {
    let (options, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let has = |option: &str| options.iter().any(|given| given == option);
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut bytes = 0;
    let started = Instant::now();
    for file in files {
        for line in fs::read_to_string(&file).expect("the file can be read").lines() {
            let passage: Value = serde_json::from_str(line).expect("a line is JSON");
            let text = passage["text"].as_str().expect("a passage has a text");
            bytes += text.len();
            if has("--speed") {
                std::hint::black_box(inspect(text));
                continue;
            }
            let shown = if has("--score") { json!(inspect(text).score) } else { sentences(text) };
            writeln!(out, "{shown}").expect("the output can be written");
        }
    }
    if has("--speed") {
        #[expect(clippy::cast_precision_loss, reason = "megabytes")]
        let megabytes = bytes as f64 / 1e6;
        writeln!(out, "{:.2} MB/s", megabytes / started.elapsed().as_secs_f64())
            .expect("the output can be written");
    }
}

fn sentences(text: &str) -> Value {
    let sentence = |found: lectern_core::injection::Evidence| {
        let (numbers, strengths): (Vec<u32>, Vec<f32>) = found.clues.into_iter().unzip();
        json!([found.reading, found.span.start, found.span.end, numbers, strengths])
    };
    evidence(text).into_iter().map(sentence).collect()
}
