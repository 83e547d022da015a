//! The verifier tells true sentences from corrupted ones as well as it was measured.

use lectern_testkit::corruptions::{Half, Kind};

use crate::verifier_measure::measure;

/// Corrupted sentences of each kind the issue names, over both halves.
const LEAST_OF_A_KIND: usize = 500;

#[test]
fn corrupted_sentences_are_told_from_true_ones_in_articles_never_tuned_on() {
    let measured = measure(Some(Half::HeldBack));
    let scores = measured.scores(Half::HeldBack);
    println!("{}", scores.table());
    let negations = [Kind::NegationAdded, Kind::NegationRemoved];
    let negated: usize =
        negations.iter().map(|kind| scores.sum(Some(*kind), None).corrupted()).sum();
    assert!(negated >= LEAST_OF_A_KIND);
    for kind in [Kind::Number, Kind::Name, Kind::Passage] {
        assert!(scores.sum(Some(kind), None).corrupted() >= LEAST_OF_A_KIND, "{kind:?}");
    }
    let all = scores.sum(None, None);
    assert!(all.f1() >= 0.90 && all.f1_of_true() >= 0.90, "{all:?}");
}
