//! Experiments: counting how questions came out by variant, and what the counts say.

mod report;

use std::time::Duration;

use futures::future::join_all;
use lectern_core::{
    auth::{Caller, Permission},
    errors::chain,
    ids::{CollectionId, QueryId},
    time::Timestamp,
};
use lectern_tables::{
    Tables,
    experiments::{Assigned, Outcome},
    feedback::Rating,
};
use tracing::warn;

pub use self::report::{Difference, ExperimentReport, VariantReport};
use crate::{ask::Asked, collections::settings_of, errors::FlowError};

/// How long feedback finds the variants its question was answered with.
pub const ASSIGNMENT_TTL: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Reads how experiments came out.
#[derive(Clone, Debug)]
pub struct Experiments {
    /// The table.
    pub tables: Tables,
}

impl Experiments {
    /// Returns what was counted of a collection's experiments: those declared, in their order, then those that
    /// were.
    ///
    /// # Errors
    /// When the caller lacks the permission `admin`, the collection does not exist or is not the caller's to
    /// touch, or the table fails.
    pub async fn report(
        &self,
        caller: &Caller,
        collection: &CollectionId,
    ) -> Result<Vec<ExperimentReport>, FlowError> {
        if !caller.may(Permission::Admin) {
            return Err(FlowError::Forbidden("it lacks the permission `admin`"));
        }
        if !caller.may_touch(collection) {
            return Err(FlowError::NotFound("collection"));
        }
        let (collections, experiments) = (self.tables.collections(), self.tables.experiments());
        let (found, tallies) = tokio::try_join!(
            collections.get(&caller.tenant, collection),
            experiments.tallies(&caller.tenant, collection)
        )?;
        let found = found.ok_or(FlowError::NotFound("collection"))?;
        Ok(report::report(&settings_of(&found).experiments, &tallies))
    }
}

/// Counts how a question came out, and remembers its variants for feedback. Counts may be lost: what fails is
/// logged.
pub(crate) async fn count(
    tables: &Tables,
    caller: &Caller,
    collection: &CollectionId,
    asked: &Asked,
    now: Timestamp,
) {
    if asked.experiment.0.is_empty() {
        return;
    }
    let experiments = tables.experiments();
    let outcome = Outcome {
        refused: asked.answer.is_refused(),
        latency_us: micros(asked.timings.total),
        cost: asked.spent.cost,
    };
    let counts = asked.experiment.0.iter().map(|(experiment, variant)| {
        experiments.count(&caller.tenant, collection, (experiment, variant), outcome)
    });
    let assigned = Assigned {
        tenant: caller.tenant.clone(),
        collection: collection.clone(),
        query_id: asked.query_id.clone(),
        assignments: asked.experiment.clone(),
    };
    let (counted, remembered) =
        tokio::join!(join_all(counts), experiments.remember(&assigned, now + ASSIGNMENT_TTL));
    for error in counted.into_iter().chain([remembered]).filter_map(Result::err) {
        warn!(query.id = %asked.query_id, error = %chain(&error), "failed to count a question for its experiments");
    }
}

/// Counts a rating for the variants of its question; what fails is logged.
pub(crate) async fn count_rating(
    tables: &Tables,
    caller: &Caller,
    query_id: &QueryId,
    rating: Rating,
    now: Timestamp,
) {
    let counted = tables.experiments().rate(&caller.tenant, query_id, rating, now).await;
    if let Err(error) = counted {
        warn!(query.id = %query_id, error = %chain(&error), "failed to count a rating for its experiments");
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time budget in microseconds is far below 2^53"
)]
fn micros(millis: f64) -> u64 {
    (millis * 1_000.0).round() as u64
}
