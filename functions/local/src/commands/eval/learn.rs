//! Which way to fuse suits a golden set best, and whether that is more than chance.

use lectern_app::eval::{
    report::{Report, RunReport},
    row::Metric,
};
use lectern_core::{
    fusion::Fusion,
    metrics::{
        share::Share,
        significance::{SIGNIFICANT, paired},
    },
};
use serde::Serialize;
use serde_json::json;

use super::fusions::AskedFusion;

/// What was learned from the named sets together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Learned {
    /// The best fusion; the default where nothing is better than it beyond chance.
    pub(super) fusion: Fusion,
    /// How much higher its nDCG@10 is than the default's.
    pub(super) gain: f64,
    /// The chance of such a gain where there is none, times the fusions that were tried (Bonferroni).
    pub(super) p: f64,
}

impl Learned {
    /// Whether another fusion than the default should be used.
    fn is_better(&self) -> bool {
        self.fusion != Fusion::default()
    }

    /// Returns what a person reads.
    pub(super) fn sentence(&self) -> String {
        if !self.is_better() {
            return "nothing is better than the default beyond chance: leave `retrieval.fusion` unset"
                .to_owned();
        }
        let settings = json!({ "retrieval": { "fusion": self.fusion } });
        let (gain, p) = (self.gain, self.p);
        format!(
            "nDCG@10 {gain:+.4} over the default (p = {p:.4}); use it with\n  lectern collections set default '{settings}'"
        )
    }
}

/// Returns the fusions that are tried; the default stands first.
pub(super) fn candidates() -> Vec<AskedFusion> {
    let asked = |fusion: Fusion, label: Option<&str>| AskedFusion {
        label: label.map_or_else(|| json!(fusion).to_string(), str::to_owned),
        fusion,
    };
    let mut all = vec![
        asked(Fusion::default(), Some("default")),
        asked(Fusion::SparseOnly, Some("bm25")),
        asked(Fusion::DenseOnly, Some("dense")),
    ];
    let weights = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
    all.extend(weights.map(|dense_weight| asked(Fusion::MinMax { dense_weight }, None)));
    all.extend([10.0, 60.0].map(|k| asked(Fusion::Rrf { k }, None)));
    all.push(asked(Fusion::DistributionBased, None));
    all
}

/// Returns the best of the runs of [`candidates`] by nDCG@10 over the questions of all sets; `None` when no
/// question has relevant documents.
pub(super) fn learn(report: &Report) -> Option<Learned> {
    let runs = report.sets.first()?.runs.len();
    let questions = |at: usize| -> Vec<Share> {
        let runs = report.sets.iter().filter_map(|set| set.runs.get(at));
        runs.flat_map(ndcgs).collect()
    };
    let mean =
        |shares: &[Share]| shares.iter().copied().fold(Share::default(), |a, b| a + b).value();
    let default = questions(0);
    let before = mean(&default)?;
    let scored = (1..runs).filter_map(|at| {
        let shares = questions(at);
        Some((mean(&shares)?, at, shares))
    });
    let (value, at, shares) = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    let pairs: Vec<(Share, Share)> = shares.into_iter().zip(default).collect();
    #[expect(clippy::cast_precision_loss, reason = "a dozen fusions")]
    let p = (paired(&pairs) * (runs - 1) as f64).min(1.0);
    let gain = value - before;
    if gain > 0.0 && p < SIGNIFICANT {
        let fusion = report.sets.first()?.runs.get(at)?.method;
        Some(Learned { fusion, gain, p })
    } else {
        Some(Learned { fusion: Fusion::default(), gain: 0.0, p: 1.0 })
    }
}

fn ndcgs(run: &RunReport) -> impl Iterator<Item = Share> {
    run.rows.iter().filter_map(|row| row.metrics.get(&Metric::Ndcg10).copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lectern_app::eval::{
        report::{Configuration, FORM, SetReport},
        row::Row,
    };

    use super::*;

    fn report(ndcg: impl Fn(usize, usize) -> f64, questions: usize) -> Report {
        let row = |at: usize, number: usize| Row {
            id: number.to_string(),
            answerable: true,
            refused: false,
            confidence: None,
            failed: None,
            metrics: BTreeMap::from([(Metric::Ndcg10, Share::of_one(ndcg(at, number)))]),
        };
        let runs = candidates().into_iter().enumerate().map(|(at, asked)| {
            let rows = (0..questions).map(|number| row(at, number)).collect();
            RunReport::new(&asked.label, asked.fusion, rows, &[])
        });
        let set = SetReport {
            name: "own".into(),
            corpus_digest: String::new(),
            questions_digest: String::new(),
            documents: 1,
            not_ingested: 0,
            runs: runs.collect(),
        };
        let configuration = Configuration {
            embedder: "none".into(),
            chat: "extractive".into(),
            chunk_tokens: None,
            limit: None,
            qrels: None,
        };
        Report { form: FORM, lectern: String::new(), configuration, sets: vec![set] }
    }

    #[test]
    fn a_fusion_that_is_better_everywhere_is_learned() {
        let learned = learn(&report(|at, _| if at == 1 { 0.9 } else { 0.5 }, 40)).unwrap();
        assert_eq!(learned.fusion, Fusion::SparseOnly);
        assert!((learned.gain - 0.4).abs() < 1e-9 && learned.p < 0.05);
        assert!(
            learned.sentence().contains(r#"{"retrieval":{"fusion":{"method":"sparse_only"}}}"#)
        );
    }

    #[test]
    fn chance_is_not_learned_from() {
        // One question more is right with it, one of forty.
        let by_chance = |at: usize, number: usize| if at == 1 && number == 0 { 1.0 } else { 0.5 };
        let learned = learn(&report(by_chance, 40)).unwrap();
        assert_eq!(learned.fusion, Fusion::default());
        assert!(learned.sentence().starts_with("nothing is better"));
        assert_eq!(learn(&report(|_, _| 0.5, 0)), None);
    }
}
