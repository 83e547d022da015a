//! Prints how well the verifier tells corrupted sentences from true ones, on the half of the articles that
//! thresholds were chosen by and on the half held back.
//!
//! `cargo run -p lectern-core --example verifier_eval [tune|held-back] [errors KIND LANGUAGE]`

#![allow(clippy::print_stdout, reason = "an example prints its result")]
#![allow(clippy::expect_used, reason = "an example stops at what it does not understand")]

#[path = "../tests/it/verifier_measure.rs"]
mod verifier_measure;

use lectern_testkit::corruptions::{Half, Kind};
use verifier_measure::{Measured, measure};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let half = match arguments.first().map(String::as_str) {
        Some("tune") => Some(Half::Tune),
        Some("held-back") => Some(Half::HeldBack),
        _ => None,
    };
    let measured = measure(half);
    for (shown, name) in [(Half::Tune, "tune"), (Half::HeldBack, "held back")] {
        if half.is_none_or(|half| half == shown) {
            println!("## {name}\n\n{}", measured.scores(shown).table());
        }
    }
    if let [_, _, kind, language] = &arguments[..] {
        print_errors(&measured, kind, language);
    }
}

/// Prints the sentences that were judged wrongly. Only ever asked of the half that is tuned on.
fn print_errors(measured: &Measured, kind: &str, language: &str) {
    for (example, support) in measured.examples.iter().zip(&measured.supports) {
        let source = &measured.sources[example.passage];
        let is_wrong =
            support.is_some_and(|support| support.is_full()) != (example.kind == Kind::True);
        if example.half == Half::Tune
            && is_wrong
            && format!("{:?}", example.kind) == kind
            && source.language == language
        {
            let said = support.and_then(|support| support.span.of(&source.text));
            println!(
                "{:?} {:?}\n  {}\n  {}\n  {support:?}\n",
                example.twin,
                example.paraphrases,
                example.sentence,
                said.unwrap_or_default()
            );
        }
    }
}
