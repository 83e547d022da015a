use proptest::prelude::*;

use super::*;

fn grades(judged: &[(&str, u32)]) -> Grades {
    judged.iter().map(|(document, grade)| ((*document).to_owned(), *grade)).collect()
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn the_ideal_order_scores_one_and_nothing_found_scores_zero() {
    let judged = grades(&[("a", 2), ("b", 1), ("c", 0)]);
    assert!(close(ndcg(&["a", "b", "x"], &judged, 10), 1.0));
    assert!(close(ndcg(&["x", "y"], &judged, 10), 0.0));
    assert!(close(ndcg(&["a"], &grades(&[("a", 0)]), 10), 0.0));
    assert!(!has_relevant(&grades(&[("a", 0)])) && has_relevant(&judged));
}

#[test]
fn gains_are_discounted_by_rank() {
    let judged = grades(&[("a", 2), ("b", 1)]);
    // (1/log2(2) + 2/log2(3)) / (2/log2(2) + 1/log2(3))
    let expected = (1.0 + 2.0 / 3_f64.log2()) / (2.0 + 1.0 / 3_f64.log2());
    assert!(close(ndcg(&["b", "a"], &judged, 10), expected));
    assert!(close(ndcg(&["x", "a"], &judged, 1), 0.0), "beyond k nothing counts");
}

#[test]
fn recall_counts_relevant_documents_only() {
    let judged = grades(&[("a", 1), ("b", 3), ("c", 0)]);
    assert!(close(recall(&["a", "c", "x"], &judged, 10), 0.5));
    assert!(close(recall(&["x", "a", "b"], &judged, 2), 0.5));
    assert!(close(recall(&["a"], &grades(&[]), 10), 0.0));
}

#[test]
fn the_first_relevant_document_decides_reciprocal_rank_and_success() {
    let judged = grades(&[("a", 1), ("b", 1)]);
    assert!(close(reciprocal_rank(&["x", "y", "b", "a"], &judged, 10), 1.0 / 3.0));
    assert!(close(reciprocal_rank(&["x", "y", "b"], &judged, 2), 0.0));
    assert!(close(success(&["x", "b"], &judged, 2), 1.0));
    assert!(close(success(&["x", "b"], &judged, 1), 0.0));
}

#[test]
fn equal_scores_stand_in_the_order_of_trec_eval() {
    let scored = [("a", 1.0), ("c", 1.0), ("b", 2.0), ("b", 0.5), ("ä", 1.0)];
    let scored = scored.iter().map(|(document, score)| ((*document).to_owned(), *score)).collect();
    assert_eq!(by_score(scored), ["b", "ä", "c", "a"]);
}

#[test]
fn the_best_chunk_of_a_document_decides() {
    assert_eq!(first_of_each(["a", "b", "a", "c", "b"]), ["a", "b", "c"]);
}

/// Up to twelve documents, each judged 0 to 3, in some order, and a depth.
fn rankings() -> impl Strategy<Value = (Vec<String>, Grades, usize)> {
    let judged = prop::collection::vec(0_u32..4, 1..12);
    let order = judged.prop_flat_map(|judged| {
        let names: Vec<String> = (0..judged.len()).map(|number| format!("d{number}")).collect();
        let grades: Grades = names.iter().cloned().zip(judged).collect();
        (Just(names).prop_shuffle(), Just(grades))
    });
    (order, 1_usize..15).prop_map(|((ranking, grades), k)| (ranking, grades, k))
}

proptest! {
    #[test]
    fn every_metric_lies_between_zero_and_one((ranking, grades, k) in rankings()) {
        for value in [
            ndcg(&ranking, &grades, k),
            recall(&ranking, &grades, k),
            reciprocal_rank(&ranking, &grades, k),
            success(&ranking, &grades, k),
        ] {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{value}");
        }
    }

    #[test]
    fn nothing_is_better_than_the_order_of_the_grades((ranking, grades, k) in rankings()) {
        let mut ideal = ranking.clone();
        ideal.sort_by_key(|document| std::cmp::Reverse(grades[document]));
        let best = ndcg(&ideal, &grades, k);
        prop_assert!(ndcg(&ranking, &grades, k) <= best + 1e-12);
        prop_assert!(close(best, f64::from(u8::from(has_relevant(&grades)))));
    }

    #[test]
    fn looking_deeper_never_finds_less((ranking, grades, k) in rankings()) {
        prop_assert!(recall(&ranking, &grades, k) <= recall(&ranking, &grades, k + 1) + 1e-12);
        prop_assert!(reciprocal_rank(&ranking, &grades, k) <= reciprocal_rank(&ranking, &grades, k + 1));
        prop_assert!(success(&ranking, &grades, k) >= reciprocal_rank(&ranking, &grades, k));
    }

    #[test]
    fn distinct_descending_scores_keep_the_order((ranking, _, _) in rankings()) {
        let scored = ranking.iter().cloned().zip((0..ranking.len()).rev().map(|score| score as f64));
        prop_assert_eq!(by_score(scored.collect()), ranking);
    }
}
