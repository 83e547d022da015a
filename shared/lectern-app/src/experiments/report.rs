//! What counts say: estimates by variant, and how each variant differs from the first.

use lectern_core::{
    experiment::estimates::{Estimate, Moments, Share},
    ids::{ExperimentName, VariantName},
    settings::Experiment,
};
use lectern_tables::experiments::Tally;

/// Milliseconds in a microsecond.
const MS: f64 = 1e-3;
/// Dollars in a millionth of one.
const USD: f64 = 1e-6;

/// How an experiment came out so far.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentReport {
    /// Its name.
    pub name: ExperimentName,
    /// Whether the collection declares it now.
    pub running: bool,
    /// Its variants; the first is what the others are compared with.
    pub variants: Vec<VariantReport>,
}

/// How a variant came out so far. An estimate is `None` where nothing was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantReport {
    /// Its name.
    pub name: VariantName,
    /// Its weight; `None` when it is not declared now.
    pub weight: Option<u32>,
    /// Questions answered with it.
    pub questions: u64,
    /// Those that were refused.
    pub refusals: u64,
    /// Thumbs up.
    pub thumbs_up: u64,
    /// Thumbs down.
    pub thumbs_down: u64,
    /// Refusals among questions.
    pub refusal_rate: Option<Estimate>,
    /// Thumbs up among all thumbs.
    pub thumbs_up_share: Option<Estimate>,
    /// Mean milliseconds until an answer.
    pub latency_ms: Option<Estimate>,
    /// Mean dollars of an answer.
    pub cost_usd: Option<Estimate>,
    /// This variant minus the first; `None` for the first.
    pub difference: Option<Difference>,
}

/// A variant's values minus those of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The other.
    pub from: VariantName,
    /// Of the refusal rates.
    pub refusal_rate: Option<Estimate>,
    /// Of the shares of thumbs up.
    pub thumbs_up_share: Option<Estimate>,
    /// Of the mean milliseconds.
    pub latency_ms: Option<Estimate>,
    /// Of the mean dollars.
    pub cost_usd: Option<Estimate>,
}

/// What was measured of a variant, in the report's units.
#[derive(Clone, Copy, Default)]
struct Measured {
    refusals: Share,
    thumbs_up: Share,
    latency_ms: Moments,
    cost_usd: Moments,
}

impl From<&Tally> for Measured {
    fn from(tally: &Tally) -> Self {
        let thumbs = tally.thumbs_up + tally.thumbs_down;
        let moments = |sum: f64, squares: f64| Moments { count: tally.questions, sum, squares };
        let latency = moments(tally.latency_us_sum, tally.latency_us_squares);
        let cost = moments(tally.cost_micro_usd_sum, tally.cost_micro_usd_squares);
        Self {
            refusals: Share { successes: tally.refusals, trials: tally.questions },
            thumbs_up: Share { successes: tally.thumbs_up, trials: thumbs },
            latency_ms: latency.scaled(MS),
            cost_usd: cost.scaled(USD),
        }
    }
}

impl Measured {
    fn minus(self, other: Self, from: VariantName) -> Difference {
        Difference {
            from,
            refusal_rate: self.refusals.minus(other.refusals),
            thumbs_up_share: self.thumbs_up.minus(other.thumbs_up),
            latency_ms: self.latency_ms.minus(other.latency_ms),
            cost_usd: self.cost_usd.minus(other.cost_usd),
        }
    }
}

/// Returns the declared experiments with their variants in order, each followed by variants that were declared
/// once; then experiments that were, by name.
pub(super) fn report(declared: &[Experiment], tallies: &[Tally]) -> Vec<ExperimentReport> {
    let mut names: Vec<&ExperimentName> =
        declared.iter().map(|experiment| &experiment.name).collect();
    for tally in tallies {
        if !names.contains(&&tally.experiment) {
            names.push(&tally.experiment);
        }
    }
    let outcome = |name: &ExperimentName| {
        let running = declared.iter().find(|experiment| experiment.name == *name);
        let counted: Vec<&Tally> =
            tallies.iter().filter(|tally| tally.experiment == *name).collect();
        ExperimentReport {
            name: name.clone(),
            running: running.is_some(),
            variants: variants(running, &counted),
        }
    };
    names.into_iter().map(outcome).collect()
}

fn variants(running: Option<&Experiment>, counted: &[&Tally]) -> Vec<VariantReport> {
    let declared = running.map(|experiment| experiment.variants.as_slice()).unwrap_or_default();
    let mut names: Vec<(&VariantName, Option<u32>)> =
        declared.iter().map(|variant| (&variant.name, Some(variant.weight))).collect();
    for tally in counted {
        if names.iter().all(|(name, _)| **name != tally.variant) {
            names.push((&tally.variant, None));
        }
    }
    let measured = |name: &VariantName| counted.iter().find(|tally| tally.variant == *name);
    let first = names.first().map(|(name, _)| *name);
    let variant = |&(name, weight): &(&VariantName, Option<u32>)| {
        let first = first.filter(|first| *first != name);
        let baseline = first.map(|first| (first, of(measured(first))));
        variant_report(name, weight, measured(name).copied(), baseline)
    };
    names.iter().map(variant).collect()
}

fn variant_report(
    name: &VariantName,
    weight: Option<u32>,
    tally: Option<&Tally>,
    baseline: Option<(&VariantName, Measured)>,
) -> VariantReport {
    let measured = tally.map(Measured::from).unwrap_or_default();
    let count = |of: fn(&Tally) -> u64| tally.map_or(0, of);
    VariantReport {
        name: name.clone(),
        weight,
        questions: count(|tally| tally.questions),
        refusals: count(|tally| tally.refusals),
        thumbs_up: count(|tally| tally.thumbs_up),
        thumbs_down: count(|tally| tally.thumbs_down),
        refusal_rate: measured.refusals.estimate(),
        thumbs_up_share: measured.thumbs_up.estimate(),
        latency_ms: measured.latency_ms.estimate(),
        cost_usd: measured.cost_usd.estimate(),
        difference: baseline.map(|(first, other)| measured.minus(other, first.clone())),
    }
}

fn of(tally: Option<&&Tally>) -> Measured {
    tally.map(|tally| Measured::from(*tally)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tally(experiment: &str, variant: &str, questions: u64) -> Tally {
        Tally {
            experiment: experiment.parse().unwrap(),
            variant: variant.parse().unwrap(),
            questions,
            refusals: questions / 10,
            thumbs_up: 3,
            thumbs_down: 1,
            // Half of the answers after 1 ms, half after 3 ms.
            latency_us_sum: 2_000.0 * questions as f64,
            latency_us_squares: 5_000_000.0 * questions as f64,
            cost_micro_usd_sum: 0.0,
            cost_micro_usd_squares: 0.0,
        }
    }

    fn declared() -> Vec<Experiment> {
        let tone = json!([{"name": "tone", "variants": [
            {"name": "control", "weight": 3}, {"name": "short", "weight": 1, "prompt": "concise"},
        ]}]);
        serde_json::from_value(tone).unwrap()
    }

    #[test]
    fn declared_experiments_come_first_in_their_own_order() {
        let tallies =
            [tally("old", "b", 5), tally("tone", "ancient", 5), tally("tone", "short", 100)];
        let found = report(&declared(), &tallies);
        let shape = found.iter().map(|one| {
            let variants = one
                .variants
                .iter()
                .map(|it| format!("{} {:?} {}", it.name, it.weight, it.questions));
            format!("{} {}: {}", one.name, one.running, variants.collect::<Vec<_>>().join(", "))
        });
        assert_eq!(
            shape.collect::<Vec<_>>(),
            [
                "tone true: control Some(3) 0, short Some(1) 100, ancient None 5",
                "old false: b None 5"
            ]
        );
        assert!(report(&[], &[]).is_empty());
    }

    #[test]
    fn values_are_in_their_units_and_compared_with_the_first() {
        let tallies = [tally("tone", "control", 100), tally("tone", "short", 50)];
        let found = report(&declared(), &tallies);
        let [control, short] = found[0].variants.as_slice() else { panic!("{found:?}") };
        assert_eq!(control.difference, None);
        assert_eq!(control.refusal_rate.unwrap().value, 0.1);
        assert_eq!(control.thumbs_up_share.unwrap().value, 0.75);
        let latency = control.latency_ms.unwrap();
        assert!((latency.value - 2.0).abs() < 1e-9, "{latency:?}");
        // s = 1.005 ms of 100, t(99) = 1.984.
        assert!((latency.interval.unwrap().high - 2.1994).abs() < 1e-3, "{latency:?}");
        let difference = short.difference.as_ref().unwrap();
        assert_eq!(difference.from, control.name);
        assert_eq!(difference.refusal_rate.unwrap().value, 0.0);
        let interval = difference.latency_ms.unwrap().interval.unwrap();
        assert!(interval.low < 0.0 && interval.high > 0.0, "{interval:?}");
        assert_eq!(difference.cost_usd.unwrap().value, 0.0);
    }

    #[test]
    fn nothing_measured_says_nothing() {
        let found = report(&declared(), &[]);
        let short = &found[0].variants[1];
        assert_eq!((short.refusal_rate, short.latency_ms), (None, None));
        let difference = short.difference.as_ref().unwrap();
        assert_eq!((difference.thumbs_up_share, difference.cost_usd), (None, None));
    }
}
