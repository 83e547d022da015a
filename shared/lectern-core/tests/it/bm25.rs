//! The ranking of BM25 on small sets stays as good as it was measured.

use lectern_core::analysis::{Bm25, UNDETERMINED};

use crate::retrieval::EvaluationSet;

fn assert_ndcg_at_least(set: &str, language: &str, floor: f64) {
    let reached = EvaluationSet::open(set, "qrels.tsv").ndcg(&Bm25::default(), language);
    assert!(reached >= floor, "nDCG@10 of {set} is {reached:.4}, floor {floor}");
}

#[test]
fn english_questions_find_their_paragraph() {
    assert_ndcg_at_least("qa-xquad-en", UNDETERMINED, 0.969);
}

#[test]
fn urdu_questions_find_their_paragraph() {
    assert_ndcg_at_least("qa-urdu-uqad", "urd", 0.955);
}
