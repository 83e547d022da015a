//! How experiments came out.

use lectern_app::experiments::{Difference, ExperimentReport, VariantReport};
use lectern_core::experiment::estimates::Estimate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which experiments.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentParams {
    /// The collection; `default` without.
    pub collection: Option<String>,
}

/// A measured value with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct EstimateBody {
    /// The value.
    pub value: f64,
    /// Lower end of the interval; `null` where too little was measured.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
}

impl From<Estimate> for EstimateBody {
    fn from(estimate: Estimate) -> Self {
        let Estimate { value, interval } = estimate;
        let (low, high) = (interval.map(|it| it.low), interval.map(|it| it.high));
        Self { value, low, high }
    }
}

/// A variant's values minus those of another: Newcombe's interval (1998, method 10) for shares, Welch's (1947)
/// for means. One that excludes 0 shows a difference, if no more than one is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DifferenceBody {
    /// The other variant.
    pub from: String,
    /// Of the refusal rates.
    pub refusal_rate: Option<EstimateBody>,
    /// Of the shares of thumbs up.
    pub thumbs_up_share: Option<EstimateBody>,
    /// Of the mean milliseconds.
    pub latency_ms: Option<EstimateBody>,
    /// Of the mean dollars.
    pub cost_usd: Option<EstimateBody>,
}

impl From<Difference> for DifferenceBody {
    fn from(difference: Difference) -> Self {
        Self {
            from: difference.from.into(),
            refusal_rate: difference.refusal_rate.map(EstimateBody::from),
            thumbs_up_share: difference.thumbs_up_share.map(EstimateBody::from),
            latency_ms: difference.latency_ms.map(EstimateBody::from),
            cost_usd: difference.cost_usd.map(EstimateBody::from),
        }
    }
}

/// How a variant came out so far. Values are `null` where nothing was measured.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VariantBody {
    /// Its name.
    pub name: String,
    /// Its weight; `null` when the collection does not declare it any more.
    pub weight: Option<u32>,
    /// Questions answered with it.
    pub questions: u64,
    /// Those that were refused.
    pub refusals: u64,
    /// Questions whose last rating is a thumb up.
    pub thumbs_up: u64,
    /// Questions whose last rating is a thumb down.
    pub thumbs_down: u64,
    /// Refusals among questions, with Wilson's interval (1927).
    pub refusal_rate: Option<EstimateBody>,
    /// Thumbs up among all thumbs, with Wilson's interval.
    pub thumbs_up_share: Option<EstimateBody>,
    /// Mean milliseconds until an answer, with Student's t interval.
    pub latency_ms: Option<EstimateBody>,
    /// Mean dollars of an answer, with Student's t interval.
    pub cost_usd: Option<EstimateBody>,
    /// This variant minus the first; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<DifferenceBody>,
}

impl From<VariantReport> for VariantBody {
    fn from(variant: VariantReport) -> Self {
        Self {
            name: variant.name.into(),
            weight: variant.weight,
            questions: variant.questions,
            refusals: variant.refusals,
            thumbs_up: variant.thumbs_up,
            thumbs_down: variant.thumbs_down,
            refusal_rate: variant.refusal_rate.map(EstimateBody::from),
            thumbs_up_share: variant.thumbs_up_share.map(EstimateBody::from),
            latency_ms: variant.latency_ms.map(EstimateBody::from),
            cost_usd: variant.cost_usd.map(EstimateBody::from),
            difference: variant.difference.map(DifferenceBody::from),
        }
    }
}

/// How an experiment came out so far.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ExperimentBody {
    /// Its name.
    pub name: String,
    /// Whether the collection declares it now.
    pub running: bool,
    /// Its variants, the first being what the others are compared with.
    pub variants: Vec<VariantBody>,
}

impl From<ExperimentReport> for ExperimentBody {
    fn from(report: ExperimentReport) -> Self {
        Self {
            name: report.name.into(),
            running: report.running,
            variants: report.variants.into_iter().map(VariantBody::from).collect(),
        }
    }
}

/// The experiments of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ExperimentsBody {
    /// The collection.
    pub collection: String,
    /// Those that run, as declared, then those that ran, by name.
    pub experiments: Vec<ExperimentBody>,
}
