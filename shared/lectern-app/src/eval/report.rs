//! What a run found: figures for people and programs, and the rows they are made of.

mod layout;

use std::collections::BTreeMap;

use lectern_core::{
    fusion::Fusion,
    metrics::{
        discrimination::{OperatingPoint, auroc, operating_points},
        share::{Share, percentile},
    },
    ports::TokenCount,
    pricing::MicroDollars,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::row::{Metric, Row};

/// Form of a report; another number is another form.
pub const FORM: u32 = 1;

/// What `lectern eval` writes and compares with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORM`].
    pub form: u32,
    /// Version of the program that made it.
    pub lectern: String,
    /// What was asked for.
    pub configuration: Configuration,
    /// One for each set.
    pub sets: Vec<SetReport>,
}

/// What was asked for: whatever a user can choose, not what the program makes of it, so that a change of the program
/// is judged by its figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The embedding model's id, `none` for BM25 alone.
    pub embedder: String,
    /// `extractive`, or the chat model.
    pub chat: String,
    /// Tokens a chunk aims at, where it was set.
    pub chunk_tokens: Option<usize>,
    /// Questions per set, where they were limited.
    pub limit: Option<usize>,
    /// The judgements' file, where it was named.
    pub qrels: Option<String>,
}

impl Configuration {
    /// Returns the SHA-256 of all of it, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(format!("{self:?}")))
    }
}

/// Shares of answerable questions that may be refused, for which the curve is drawn.
pub const ALLOWED_FALSE_REFUSALS: [f64; 8] = [0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5];

/// One set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetReport {
    /// Its name.
    pub name: String,
    /// SHA-256 of its documents.
    pub corpus_digest: String,
    /// SHA-256 of its questions and what is right.
    pub questions_digest: String,
    /// Documents in the set.
    pub documents: usize,
    /// Documents that could not be ingested, empty ones among them.
    pub not_ingested: usize,
    /// One for each fusion.
    pub runs: Vec<RunReport>,
}

/// One way to fuse, on one set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// What was asked for: `default`, `bm25`, `dense`, or a fusion as JSON.
    pub fusion: String,
    /// What that means.
    pub method: Fusion,
    /// Questions asked.
    pub questions: usize,
    /// The figures.
    pub metrics: BTreeMap<Metric, Mean>,
    /// Probability that an answerable question's confidence is above an unanswerable one's; only where every
    /// answer has a confidence and there are questions of both kinds.
    pub refusal_auroc: Option<f64>,
    /// What refusing below some confidences would give, by [`ALLOWED_FALSE_REFUSALS`].
    #[serde(default)]
    pub refusal_curve: Vec<OperatingPoint>,
    /// Milliseconds of each stage, `ask.total` and the like.
    pub latency_ms: BTreeMap<String, Percentiles>,
    /// Tokens and money.
    pub usage: UsageTotals,
    /// Who judged faithfulness and the like; `None` when nobody did.
    pub judge: Option<Judging>,
    /// Question by question, in the set's order.
    pub rows: Vec<Row>,
}

/// A figure and how many things it is about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean, or the ratio of sums.
    pub value: f64,
    /// Questions, or for ratios sentences or citations.
    pub of: f64,
}

/// Two percentiles by nearest rank.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half are not above.
    pub p50: f64,
    /// 95 of 100 are not above.
    pub p95: f64,
}

/// What all questions together used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageTotals {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// Dollars.
    pub cost_usd: f64,
    /// Dollars per question that was asked.
    pub cost_usd_per_question: f64,
}

/// Who judged, and what that took. It is not in the answers' cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judging {
    /// The chat model.
    pub model: String,
    /// Calls of it.
    pub calls: u32,
    /// Dollars.
    pub cost_usd: f64,
}

/// What one question used.
#[derive(Clone, Debug, Default)]
pub struct SpentOnOne {
    /// Milliseconds of each stage of the answer.
    pub ask_ms: BTreeMap<String, f64>,
    /// Milliseconds of each stage of the search alone.
    pub search_ms: BTreeMap<String, f64>,
    /// Tokens.
    pub tokens: TokenCount,
    /// Money.
    pub cost: MicroDollars,
}

impl RunReport {
    /// Adds rows up.
    #[must_use]
    pub fn new(label: &str, method: Fusion, rows: Vec<Row>, spent: &[SpentOnOne]) -> Self {
        let mut report = Self {
            fusion: label.to_owned(),
            method,
            questions: rows.len(),
            metrics: BTreeMap::new(),
            refusal_auroc: None,
            refusal_curve: Vec::new(),
            latency_ms: latencies(spent),
            usage: usage(spent),
            judge: None,
            rows,
        };
        report.add_up();
        report
    }

    /// Computes the figures from the rows; to be called when rows were changed.
    pub fn add_up(&mut self) {
        self.metrics = sums(&self.rows)
            .into_iter()
            .filter_map(|(metric, share)| {
                Some((metric, Mean { value: share.value()?, of: share.whole }))
            })
            .collect();
        self.refusal_auroc = refusal_auroc(self.rows.iter());
        self.refusal_curve = refusal_curve(&self.rows);
    }

    /// Returns a figure.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        self.metrics.get(&metric).map(|mean| mean.value)
    }
}

fn sums(rows: &[Row]) -> BTreeMap<Metric, Share> {
    let mut sums: BTreeMap<Metric, Share> = BTreeMap::new();
    for (metric, share) in rows.iter().flat_map(|row| &row.metrics) {
        let sum = sums.entry(*metric).or_default();
        *sum = *sum + *share;
    }
    sums
}

/// Returns how well confidence tells answerable questions from unanswerable ones; `None` when a question
/// has no confidence.
pub(super) fn refusal_auroc<'rows>(rows: impl Iterator<Item = &'rows Row>) -> Option<f64> {
    auroc(&confidences(rows)?)
}

/// Returns what other least confidences would give. What was refused for another reason stays refused, so the curve
/// begins where the rows are.
fn refusal_curve(rows: &[Row]) -> Vec<OperatingPoint> {
    let score = |row: &Row| {
        let confidence = row.confidence?;
        Some((if row.refused { REFUSED } else { confidence }, row.answerable))
    };
    let scored: Option<Vec<(f64, bool)>> = rows.iter().map(score).collect();
    let mut points = operating_points(&scored.unwrap_or_default(), &ALLOWED_FALSE_REFUSALS);
    points.retain(|point| point.threshold > REFUSED);
    points
}

/// Below every confidence.
const REFUSED: f64 = -1.0;

/// Returns each question's confidence and whether it is answerable; `None` when a question has no confidence.
fn confidences<'rows>(rows: impl Iterator<Item = &'rows Row>) -> Option<Vec<(f64, bool)>> {
    rows.map(|row| Some((row.confidence?, row.answerable))).collect()
}

fn latencies(spent: &[SpentOnOne]) -> BTreeMap<String, Percentiles> {
    let mut stages: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for one in spent {
        for (flow, timings) in [("ask", &one.ask_ms), ("search", &one.search_ms)] {
            for (stage, ms) in timings {
                stages.entry(format!("{flow}.{stage}")).or_default().push(*ms);
            }
        }
    }
    let percentiles =
        |ms: &[f64]| Percentiles { p50: percentile(ms, 0.5), p95: percentile(ms, 0.95) };
    stages.into_iter().map(|(stage, ms)| (stage, percentiles(&ms))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of questions are small")]
fn usage(spent: &[SpentOnOne]) -> UsageTotals {
    let cost_usd: f64 = spent.iter().map(|one| one.cost.as_dollars()).sum();
    UsageTotals {
        prompt_tokens: spent.iter().map(|one| u64::from(one.tokens.prompt)).sum(),
        completion_tokens: spent.iter().map(|one| u64::from(one.tokens.completion)).sum(),
        cost_usd,
        cost_usd_per_question: cost_usd / spent.len().max(1) as f64,
    }
}

impl Report {
    /// Returns the report as JSON that differs line by line: one line for each figure and each row.
    ///
    /// # Errors
    /// When a figure is no number.
    pub fn to_json(&self) -> serde_json::Result<String> {
        layout::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, answerable: bool, confidence: Option<f64>, f1: Share) -> Row {
        let metrics = BTreeMap::from([(Metric::F1, f1)]);
        Row { id: id.into(), answerable, refused: false, confidence, failed: None, metrics }
    }

    #[test]
    fn rows_add_up_to_ratios_of_sums() {
        let rows = vec![
            row("a", true, Some(0.9), Share::counted(1, 1)),
            row("b", false, Some(0.1), Share::counted(0, 3)),
        ];
        let report = RunReport::new("default", Fusion::default(), rows, &[]);
        assert_eq!(report.metrics[&Metric::F1], Mean { value: 0.25, of: 4.0 });
        assert_eq!(report.refusal_auroc, Some(1.0));
    }

    #[test]
    fn one_answer_without_a_confidence_leaves_none() {
        let rows = vec![
            row("a", true, Some(0.9), Share::counted(1, 1)),
            row("b", false, None, Share::counted(0, 3)),
        ];
        let report = RunReport::new("default", Fusion::default(), rows, &[]);
        assert_eq!(report.refusal_auroc, None);
    }

    #[test]
    fn the_curve_begins_at_what_is_refused_already() {
        let refused = Row { refused: true, ..row("a", true, Some(0.95), Share::default()) };
        let mut rows = vec![refused, row("near miss", false, Some(0.2), Share::default())];
        let others = (0..9).map(|at| {
            let confidence = 0.1 + f64::from(at) / 10.0;
            row(&at.to_string(), true, Some(confidence), Share::default())
        });
        rows.extend(others);
        let curve = RunReport::new("default", Fusion::default(), rows, &[]).refusal_curve;
        let falsely: Vec<f64> = curve.iter().map(|point| point.false_refusal).collect();
        assert_eq!(falsely, [0.1, 0.2, 0.3, 0.4, 0.5], "none allows less than the one refused");
        assert_eq!((curve[0].threshold, curve[0].refusal_recall), (0.1, 0.0));
        assert_eq!(curve[2].refusal_recall, 1.0);
    }

    #[test]
    fn whatever_stages_there_are_get_percentiles() {
        let one = |ms: f64| SpentOnOne {
            ask_ms: BTreeMap::from([("rerank".to_owned(), ms)]),
            tokens: TokenCount { prompt: 10, completion: 1 },
            ..SpentOnOne::default()
        };
        let spent: Vec<SpentOnOne> = (1..=20).map(|ms| one(f64::from(ms))).collect();
        let report = RunReport::new("default", Fusion::default(), vec![], &spent);
        assert_eq!(report.latency_ms["ask.rerank"], Percentiles { p50: 10.0, p95: 19.0 });
        assert_eq!(report.usage.prompt_tokens, 200);
    }

    #[test]
    fn a_report_is_read_as_it_was_written_and_rows_stand_on_lines() {
        let rows = vec![
            row("a", true, Some(0.5), Share::counted(1, 3)),
            row("b", true, None, Share::of_one(1.0 / 3.0)),
        ];
        let set = SetReport {
            name: "set".into(),
            corpus_digest: "1".into(),
            questions_digest: "2".into(),
            documents: 1,
            not_ingested: 0,
            runs: vec![RunReport::new("default", Fusion::default(), rows, &[])],
        };
        let configuration = Configuration {
            embedder: "none".into(),
            chat: "extractive".into(),
            chunk_tokens: None,
            limit: None,
            qrels: None,
        };
        let report = Report { form: FORM, lectern: "0.1.0".into(), configuration, sets: vec![set] };
        let json = report.to_json().unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        let lines: Vec<&str> = json.lines().map(str::trim).collect();
        assert!(lines.iter().any(|line| line.starts_with(r#"{"id":"a","#)), "{json}");
        assert!(lines.iter().any(|line| line.starts_with(r#""f1": {"value":"#)), "{json}");
    }
}
