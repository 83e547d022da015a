use lectern_core::{
    fusion::Fusion,
    metrics::ranking::{Grades, ndcg, reciprocal_rank},
};

use super::*;
use crate::eval::report::{Configuration, FORM};

const RULES: Rules = Rules { tolerance: TOLERANCE, across_settings: false };

/// A report of questions whose first `right` find their document at the top, the others at rank two.
fn report(fusion: &str, questions: usize, right: usize) -> Report {
    let rows =
        (0..questions).map(|number| ranked(number, if number < right { 0 } else { 1 })).collect();
    of_rows(fusion, rows)
}

fn ranked(number: usize, position: usize) -> Row {
    let grades = Grades::from([("right".to_owned(), 1)]);
    let mut ranking = vec!["wrong"; 10];
    ranking[position] = "right";
    let metrics = BTreeMap::from([
        (Metric::Ndcg10, Share::of_one(ndcg(&ranking, &grades, 10))),
        (Metric::Mrr10, Share::of_one(reciprocal_rank(&ranking, &grades, 10))),
        (Metric::FalseRefusal, Share::yes(position > 0)),
        (Metric::CitedBytes, Share::of_one(position as f64 * 100.0)),
    ]);
    let confidence = Some(1.0 / (position as f64 + 1.0));
    let (id, answerable) = (format!("q{number}"), number.is_multiple_of(2));
    Row { id, answerable, refused: false, confidence, failed: None, metrics }
}

fn of_rows(fusion: &str, rows: Vec<Row>) -> Report {
    let configuration = Configuration {
        embedder: "none".into(),
        chat: "extractive".into(),
        chunk_tokens: None,
        limit: None,
        qrels: None,
    };
    let set = SetReport {
        name: "set".into(),
        corpus_digest: "1".into(),
        questions_digest: "2".into(),
        documents: 10,
        not_ingested: 0,
        runs: vec![RunReport::new(fusion, Fusion::default(), rows, &[])],
    };
    Report { form: FORM, lectern: "0.1.0".into(), configuration, sets: vec![set] }
}

fn failing(comparison: &Comparison) -> Vec<&str> {
    let failing = comparison.differences.iter().filter(|difference| difference.fails);
    failing.map(|difference| difference.metric.as_str()).collect()
}

#[test]
fn a_report_does_not_fail_against_itself() {
    let one = report("default", 40, 30);
    let comparison = compare(&one, &one, RULES);
    assert!(!comparison.fails(), "{comparison:?}");
    assert!(comparison.differences.iter().all(|difference| difference.p > 0.99));
    assert!(comparison.differences.iter().any(|difference| difference.metric == REFUSAL_AUROC));
}

#[test]
fn a_ranking_turned_upside_down_fails() {
    let (good, mut rows) = (report("default", 40, 40), Vec::new());
    rows.extend((0..40).map(|number| ranked(number, 9)));
    let comparison = compare(&good, &of_rows("default", rows), RULES);
    assert_eq!(failing(&comparison), ["ndcg@10", "mrr@10", "false_refusal"]);
    let better = compare(&report("default", 40, 0), &good, RULES);
    assert!(!better.fails(), "what is better does not fail: {better:?}");
}

#[test]
fn a_difference_that_may_be_chance_does_not_fail_and_a_certain_small_one_neither() {
    let before = report("default", 40, 40);
    let few = compare(&before, &report("default", 40, 36), RULES);
    let mrr = few.differences.iter().find(|difference| difference.metric == "mrr@10").unwrap();
    assert!(mrr.change < -RULES.tolerance && mrr.p > SIGNIFICANT && !few.fails(), "{mrr:?}");
    let lenient = Rules { tolerance: 1.0, ..RULES };
    assert!(!compare(&before, &report("default", 40, 0), lenient).fails());
}

#[test]
fn reports_of_something_else_fail() {
    let one = report("default", 10, 5);
    let mut other = one.clone();
    other.configuration.embedder = "all-MiniLM-L6-v2".into();
    let message = &compare(&one, &other, RULES).mismatches[0];
    assert!(message.contains("the settings differ") && message.contains("MiniLM"), "{message}");
    let across = Rules { across_settings: true, ..RULES };
    assert!(!compare(&one, &other, across).fails(), "when that is meant, figures decide");

    for (change, expected) in [
        (
            (|report: &mut Report| report.sets[0].corpus_digest.push('x')) as fn(&mut Report),
            "documents of `set`",
        ),
        (|report| report.sets[0].questions_digest.push('x'), "questions of `set`"),
        (
            |report| report.sets[0].runs[0].fusion = "bm25".into(),
            "no run of `set` with the fusion `bm25`",
        ),
        (|report| report.sets.clear(), "the set `set` of the baseline was not run"),
        (|report| report.form += 1, "form 1, this report 2"),
    ] {
        let mut other = one.clone();
        change(&mut other);
        let comparison = compare(&one, &other, RULES);
        assert!(comparison.fails());
        assert!(comparison.mismatches[0].contains(expected), "{comparison:?}");
    }
}

#[test]
fn another_fusion_is_compared_with_the_baselines_when_that_is_meant() {
    let across = Rules { across_settings: true, ..RULES };
    let comparison = compare(&report("default", 40, 40), &report("dense", 40, 0), across);
    assert!(comparison.mismatches.is_empty());
    assert!(failing(&comparison).contains(&"ndcg@10"), "{comparison:?}");
}

#[test]
fn what_is_no_longer_measured_counts_as_nothing() {
    let before = report("default", 40, 40);
    let mut now = before.clone();
    for row in &mut now.sets[0].runs[0].rows {
        row.metrics.remove(&Metric::Ndcg10);
    }
    now.sets[0].runs[0].add_up();
    let comparison = compare(&before, &now, RULES);
    let ndcg = &comparison.differences[0];
    assert_eq!((ndcg.metric.as_str(), ndcg.now, ndcg.fails), ("ndcg@10", None, true));
}
