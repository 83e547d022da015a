//! What a person reads.

use lectern_app::eval::{
    compare::{Comparison, Difference},
    report::{Report, RunReport},
    row::Metric,
};
use lectern_core::metrics::significance::SIGNIFICANT;

use crate::text_table::{Align, text_table};

/// Shown where there is nothing to measure.
const NOTHING: &str = "–";
/// Changes smaller than this are none.
const UNCHANGED: f64 = 5e-5;

/// Columns of the figures, in this order.
const COLUMNS: [(&str, Metric); 21] = [
    ("nDCG@10", Metric::Ndcg10),
    ("R@5", Metric::Recall5),
    ("R@10", Metric::Recall10),
    ("R@100", Metric::Recall100),
    ("MRR@10", Metric::Mrr10),
    ("S@1", Metric::Success1),
    ("HIT@1", Metric::FirstHit),
    ("HIT", Metric::AnswerHit),
    ("F1", Metric::F1),
    ("CITE P", Metric::CitationPrecision),
    ("CITE R", Metric::CitationRecall),
    ("BYTES", Metric::CitationValid),
    ("DOC", Metric::CitedDocument),
    ("SPAN", Metric::CitedSpan),
    ("REF P", Metric::RefusalPrecision),
    ("REF R", Metric::RefusalRecall),
    ("FALSE", Metric::FalseRefusal),
    ("FAITH", Metric::Faithfulness),
    ("RELEV", Metric::AnswerRelevancy),
    ("CTX P", Metric::ContextPrecision),
    ("CTX R", Metric::ContextRecall),
];

/// Returns the lines of the one table of figures. Columns nothing was measured for are left out.
pub(super) fn figures(report: &Report) -> Vec<String> {
    let runs: Vec<(&str, &RunReport)> = report
        .sets
        .iter()
        .flat_map(|set| set.runs.iter().map(|run| (set.name.as_str(), run)))
        .collect();
    let measured: Vec<&(&str, Metric)> = COLUMNS
        .iter()
        .filter(|(_, metric)| runs.iter().any(|(_, run)| run.value(*metric).is_some()))
        .collect();
    let mut columns =
        vec![("SET", Align::Left), ("FUSION", Align::Left), ("QUESTIONS", Align::Right)];
    columns.extend(measured.iter().map(|(heading, _)| (*heading, Align::Right)));
    let has_auroc = runs.iter().any(|(_, run)| run.refusal_auroc.is_some());
    columns.extend(has_auroc.then_some(("AUROC", Align::Right)));
    columns.extend(["p50 ms", "p95 ms", "$/QUERY"].map(|heading| (heading, Align::Right)));
    let row = |(set, run): &(&str, &RunReport)| {
        let mut cells = vec![(*set).to_owned(), run.fusion.clone(), run.questions.to_string()];
        cells.extend(measured.iter().map(|(_, metric)| figure(run.value(*metric), 4)));
        cells.extend(has_auroc.then(|| figure(run.refusal_auroc, 4)));
        let total = run.latency_ms.get("ask.total");
        cells.push(figure(total.map(|total| total.p50), 1));
        cells.push(figure(total.map(|total| total.p95), 1));
        cells.push(format!("{:.5}", run.usage.cost_usd_per_question));
        cells
    };
    text_table(&columns, &runs.iter().map(row).collect::<Vec<_>>())
}

/// Four decimals.
const ROUNDING: f64 = 10_000.0;

/// Returns the lines that say what `/answers/min_confidence` would buy; none where questions of one kind are missing.
pub(super) fn curve(report: &Report) -> Vec<String> {
    let columns = [
        ("SET", Align::Left),
        ("FUSION", Align::Left),
        ("min_confidence", Align::Right),
        ("FALSE", Align::Right),
        ("REF R", Align::Right),
    ];
    let runs = report.sets.iter().flat_map(|set| set.runs.iter().map(|run| (&set.name, run)));
    let rows: Vec<Vec<String>> = runs
        .flat_map(|(set, run)| run.refusal_curve.iter().map(move |point| (set, run, point)))
        .map(|(set, run, point)| {
            // Rounded up, the threshold would refuse the question it was taken from.
            let threshold = (point.threshold * ROUNDING).floor() / ROUNDING;
            let shares = [threshold, point.false_refusal, point.refusal_recall];
            let mut cells = vec![set.clone(), run.fusion.clone()];
            cells.extend(shares.map(|share| format!("{share:.4}")));
            cells
        })
        .collect();
    if rows.is_empty() { Vec::new() } else { text_table(&columns, &rows) }
}

/// Returns the lines of the comparison: what changed, then a sentence.
pub(super) fn differences(comparison: &Comparison) -> Vec<String> {
    let changed: Vec<&Difference> =
        comparison.differences.iter().filter(|one| one.change.abs() >= UNCHANGED).collect();
    let columns = [
        ("SET", Align::Left),
        ("FUSION", Align::Left),
        ("METRIC", Align::Left),
        ("BASELINE", Align::Right),
        ("NOW", Align::Right),
        ("CHANGE", Align::Right),
        ("p", Align::Right),
        ("", Align::Left),
    ];
    let row = |one: &&Difference| {
        let verdict = match (one.fails, one.p < SIGNIFICANT) {
            (true, _) => "WORSE",
            (false, true) => "changed",
            (false, false) => "may be chance",
        };
        vec![
            one.set.clone(),
            one.fusion.clone(),
            one.metric.clone(),
            figure(one.baseline, 4),
            figure(one.now, 4),
            format!("{:+.4}", one.change),
            format!("{:.4}", one.p),
            verdict.to_owned(),
        ]
    };
    let mut lines = match changed.as_slice() {
        [] => Vec::new(),
        some => text_table(&columns, &some.iter().map(row).collect::<Vec<_>>()),
    };
    let worse = comparison.differences.iter().filter(|one| one.fails).count();
    let same = comparison.differences.len() - changed.len();
    lines.push(match comparison.mismatches.as_slice() {
        [] => {
            format!("{worse} worse than the baseline, {} changed, {same} the same", changed.len())
        }
        some => format!(
            "{worse} worse than the baseline; {} reasons why it is not the same thing",
            some.len()
        ),
    });
    lines
}

fn figure(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.decimals$}"))
}
