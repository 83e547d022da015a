//! Prints how well the verifier tells corrupted sentences from true ones, on the half of the articles that
//! thresholds were chosen by and on the half held back.
//!
//! `cargo run -p lectern-core --example verifier_eval [tune|held-back]` prints the tables; `… tune sweep` what other
//! thresholds would give; `… tune errors KIND|all LANGUAGE|all` the sentences that were judged wrongly.

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
    let started = std::time::Instant::now();
    let measured = measure(half);
    println!("{} sentences in {:?}", measured.examples.len(), started.elapsed());
    for (shown, name) in [(Half::Tune, "tune"), (Half::HeldBack, "held back")] {
        if half.is_none_or(|half| half == shown) {
            println!("## {name}\n\n{}", measured.scores(shown).table());
        }
    }
    if arguments.get(1).is_some_and(|argument| argument == "sweep") {
        sweep(&measured);
    }
    if let [_, _, kind, language] = &arguments[..] {
        print_errors(&measured, kind, language);
    }
}

/// Prints F1 on the half that is tuned on for other thresholds than those that are set.
fn sweep(measured: &Measured) {
    println!("coverage, longest missing run, doubts: F1 corrupted, F1 true");
    for coverage in [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9] {
        for missing in [2, 3, 4, 6] {
            for doubts in [0, 1, 2] {
                let scores = measured.scores_by(Half::Tune, |support| {
                    support.conflict.is_none()
                        && support.coverage >= coverage
                        && support.longest_missing <= missing
                        && support.doubts <= doubts
                });
                let all = scores.sum(None, None);
                println!(
                    "{coverage:.2} {missing} {doubts}: {:.4} {:.4}",
                    all.f1(),
                    all.f1_of_true()
                );
            }
        }
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
            && (kind == "all" || format!("{:?}", example.kind) == kind)
            && (language == "all" || source.language == language)
        {
            let said = support.and_then(|support| support.span.of(&source.text));
            println!(
                "{:?} of {:?} {} {:?}\n  {}\n  {}\n  {support:?}\n",
                example.kind,
                example.twin,
                source.language,
                example.paraphrases,
                example.sentence,
                said.unwrap_or_default()
            );
        }
    }
}
