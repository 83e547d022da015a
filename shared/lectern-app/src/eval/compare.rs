//! Two reports against each other: the regression gate.
//!
//! A metric fails when it is worse by more than the tolerance **and** the paired randomisation test over questions
//! says that this is not chance. Reports of other documents, questions or settings cannot be compared,
//! which fails too.

use std::collections::BTreeMap;

use lectern_core::metrics::{
    share::Share,
    significance::{SIGNIFICANT, paired, permuted},
};
use serde::Serialize;

use super::{
    report::{Report, RunReport, SetReport, refusal_auroc},
    row::{Direction, Metric, Row},
};

/// How much worse a metric may be when nothing else is said.
pub const TOLERANCE: f64 = 0.01;
/// The name of the one figure that is not a [`Metric`].
pub const REFUSAL_AUROC: &str = "refusal_auroc";

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// How much worse a metric may be.
    pub tolerance: f64,
    /// Whether other settings are meant: then runs of another fusion are compared, and only the figures
    /// decide.
    pub across_settings: bool,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Why the reports are not about the same.
    pub mismatches: Vec<String>,
    /// Every metric that both have.
    pub differences: Vec<Difference>,
}

/// One metric of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The set.
    pub set: String,
    /// The fusion now.
    pub fusion: String,
    /// The metric.
    pub metric: String,
    /// Before; `None` when there was nothing to measure.
    pub baseline: Option<f64>,
    /// Now; `None` when there is nothing to measure.
    pub now: Option<f64>,
    /// Now less before.
    pub change: f64,
    /// How often chance alone changes as much.
    pub p: f64,
    /// Whether it is worse beyond tolerance and chance.
    pub fails: bool,
}

impl Comparison {
    /// Whether anything is worse, or the reports are not about the same.
    #[must_use]
    pub fn fails(&self) -> bool {
        !self.mismatches.is_empty() || self.differences.iter().any(|difference| difference.fails)
    }
}

/// Compares a report with an earlier one.
#[must_use]
pub fn compare(baseline: &Report, now: &Report, rules: Rules) -> Comparison {
    let mut found = Comparison::default();
    if baseline.form != now.form {
        let sentence = format!("the baseline has form {}, this report {}", baseline.form, now.form);
        found.mismatches.push(sentence);
        return found;
    }
    if baseline.configuration.digest() != now.configuration.digest() && !rules.across_settings {
        found.mismatches.push(format!(
            "the settings differ: {:?} in the baseline, {:?} now",
            baseline.configuration, now.configuration
        ));
    }
    for set in &baseline.sets {
        if !now.sets.iter().any(|other| other.name == set.name) {
            found.mismatches.push(format!("the set `{}` of the baseline was not run", set.name));
        }
    }
    for set in &now.sets {
        match baseline.sets.iter().find(|other| other.name == set.name) {
            None => found.mismatches.push(format!("the baseline has no set `{}`", set.name)),
            Some(before) => compare_sets(before, set, rules, &mut found),
        }
    }
    found
}

fn compare_sets(before: &SetReport, now: &SetReport, rules: Rules, found: &mut Comparison) {
    for (what, one, other) in [
        ("documents", &before.corpus_digest, &now.corpus_digest),
        ("questions", &before.questions_digest, &now.questions_digest),
    ] {
        if one != other {
            let sentence = format!("the {what} of `{}` are not those of the baseline", now.name);
            found.mismatches.push(sentence);
            return;
        }
    }
    for run in &now.runs {
        let same = before.runs.iter().find(|other| other.fusion == run.fusion);
        let other = same.or_else(|| before.runs.first().filter(|_| rules.across_settings));
        match other {
            Some(other) => found.differences.extend(compare_runs(&now.name, other, run, rules)),
            None => found.mismatches.push(format!(
                "the baseline has no run of `{}` with the fusion `{}`",
                now.name, run.fusion
            )),
        }
    }
}

fn compare_runs(set: &str, before: &RunReport, now: &RunReport, rules: Rules) -> Vec<Difference> {
    let pairs = pairs(before, now);
    let mut metrics: Vec<Metric> =
        before.metrics.keys().chain(now.metrics.keys()).copied().collect();
    metrics.sort();
    metrics.dedup();
    let difference =
        |metric: String, baseline: Option<f64>, value: Option<f64>, p: f64, direction| {
            let change = value.unwrap_or(0.0) - baseline.unwrap_or(0.0);
            let worse = match direction {
                Direction::Up => -change,
                Direction::Down => change,
                Direction::Neutral => 0.0,
            };
            Difference {
                set: set.to_owned(),
                fusion: now.fusion.clone(),
                metric,
                baseline,
                now: value,
                change,
                p,
                fails: worse > rules.tolerance && p < SIGNIFICANT,
            }
        };
    let mut differences: Vec<Difference> = metrics
        .into_iter()
        .map(|metric| {
            let share = |row: Option<&Row>| -> Share {
                row.and_then(|row| row.metrics.get(&metric)).copied().unwrap_or_default()
            };
            let shares: Vec<(Share, Share)> =
                pairs.iter().map(|(before, now)| (share(*before), share(*now))).collect();
            let (baseline, value) = (before.value(metric), now.value(metric));
            difference(metric.name(), baseline, value, paired(&shares), metric.direction())
        })
        .collect();
    if let (Some(baseline), Some(value)) = (before.refusal_auroc, now.refusal_auroc) {
        let p = auroc_p(&pairs, baseline, value);
        let name = REFUSAL_AUROC.to_owned();
        differences.push(difference(name, Some(baseline), Some(value), p, Direction::Up));
    }
    differences
}

type Pair<'rows> = (Option<&'rows Row>, Option<&'rows Row>);

/// Returns each question's row before and now.
fn pairs<'rows>(before: &'rows RunReport, now: &'rows RunReport) -> Vec<Pair<'rows>> {
    let mut pairs: BTreeMap<&str, Pair<'rows>> = BTreeMap::new();
    for row in &before.rows {
        pairs.entry(&row.id).or_default().0 = Some(row);
    }
    for row in &now.rows {
        pairs.entry(&row.id).or_default().1 = Some(row);
    }
    pairs.into_values().collect()
}

/// Returns the p value of a difference of two areas; equal areas need no test.
fn auroc_p(pairs: &[Pair<'_>], baseline: f64, now: f64) -> f64 {
    if (baseline - now).abs() <= f64::EPSILON {
        return 1.0;
    }
    let both: Vec<(&Row, &Row)> =
        pairs.iter().filter_map(|(one, other)| Some(((*one)?, (*other)?))).collect();
    permuted(&both, |assigned| {
        let before = refusal_auroc(assigned.iter().map(|(one, _)| *one));
        let now = refusal_auroc(assigned.iter().map(|(_, other)| *other));
        now.unwrap_or(0.0) - before.unwrap_or(0.0)
    })
}

#[cfg(test)]
mod tests;
