//! Outcomes of experiments, counted by variant, and which variants a question was answered with.

use aws_sdk_dynamodb::types::AttributeValue;
use lectern_core::{
    errors::{ErrorKind, PortError},
    experiment::Assignments,
    ids::{CollectionId, ExperimentName, QueryId, TenantId, VariantName},
    pricing::MicroDollars,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    MAX_PAGE,
    feedback::Rating,
    item::{from_item, number, text, to_item},
    layout,
    range::Range,
    table::{Table, alive, expiry},
    transaction::{Change, Condition, Transacted, Write},
};

/// Most tallies that are read of one collection. Experiments that ended stay counted; what goes beyond comes
/// last in the alphabet.
pub const MAX_TALLIES: usize = 500;
/// How often a rating that met another of the same question is tried again.
const MAX_REPEATS: usize = 5;

/// How a question came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was refused.
    pub refused: bool,
    /// Microseconds until it was answered.
    pub latency_us: u64,
    /// What it cost.
    pub cost: MicroDollars,
}

/// What was counted of one variant.
///
/// The sums are exact in the table and read as floating point: squares outgrow 64 bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// The experiment.
    pub experiment: ExperimentName,
    /// The variant.
    pub variant: VariantName,
    /// Questions answered with it.
    #[serde(default)]
    pub questions: u64,
    /// Those of them that were refused.
    #[serde(default)]
    pub refusals: u64,
    /// Those whose last rating is a thumb up.
    #[serde(default)]
    pub thumbs_up: u64,
    /// Those whose last rating is a thumb down.
    #[serde(default)]
    pub thumbs_down: u64,
    /// Sum of microseconds.
    #[serde(default)]
    pub latency_us_sum: f64,
    /// Sum of their squares.
    #[serde(default)]
    pub latency_us_squares: f64,
    /// Sum of millionths of a dollar.
    #[serde(default)]
    pub cost_micro_usd_sum: f64,
    /// Sum of their squares.
    #[serde(default)]
    pub cost_micro_usd_squares: f64,
}

/// Which variants a question was answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// Whose question.
    pub tenant: TenantId,
    /// The collection that was asked.
    pub collection: CollectionId,
    /// The question.
    pub query_id: QueryId,
    /// The variants.
    pub assignments: Assignments,
}

/// The part of an assignment that feedback reads.
#[derive(Deserialize)]
struct Rated {
    #[serde(flatten)]
    assigned: Assigned,
    rating: Option<Rating>,
}

/// The experiments of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Experiments<'tables> {
    pub(crate) table: &'tables Table,
}

impl Experiments<'_> {
    /// Counts a question answered with a variant. Never loses a count; a reply lost on the network can make
    /// the client's retry count one question twice.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn count(
        &self,
        tenant: &TenantId,
        collection: &CollectionId,
        (experiment, variant): (&ExperimentName, &VariantName),
        outcome: Outcome,
    ) -> Result<(), PortError> {
        let (latency, cost) = (outcome.latency_us, outcome.cost.0);
        let change = Change::of(
            layout::tally(tenant, collection, experiment, variant),
            "SET #experiment = :experiment, #variant = :variant \
             ADD #questions :one, #refusals :refusals, \
             #latency_us_sum :latency, #latency_us_squares :latency_square, \
             #cost_micro_usd_sum :cost, #cost_micro_usd_squares :cost_square",
        )
        .with(":experiment", text(experiment.as_str()))
        .with(":variant", text(variant.as_str()))
        .with(":one", number(1_u64))
        .with(":refusals", number(u64::from(outcome.refused)))
        .with(":latency", number(latency))
        .with(":latency_square", square(latency))
        .with(":cost", number(cost))
        .with(":cost_square", square(cost));
        self.table.update("count experiment", change).await.map(|_| ())
    }

    /// Remembers which variants a question was answered with, until `until`.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn remember(&self, assigned: &Assigned, until: Timestamp) -> Result<(), PortError> {
        let mut item = to_item(assigned);
        layout::assignment(&assigned.tenant, &assigned.query_id).put_into(&mut item);
        item.insert("expires_at".to_owned(), expiry(until));
        self.table.put("put assignment", item, Condition::default()).await.map(|_| ())
    }

    /// Counts a rating for the variants its question was answered with; a later rating of the same question
    /// replaces the earlier one, also in the counts. A question without variants, or one that is forgotten,
    /// counts nowhere.
    ///
    /// # Errors
    /// When the table cannot be read or written, or others keep rating the same question.
    pub async fn rate(
        &self,
        tenant: &TenantId,
        query: &QueryId,
        rating: Rating,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let operation = "count rating";
        let key = layout::assignment(tenant, query);
        for _ in 0..MAX_REPEATS {
            let item = self.table.get(operation, &key).await?;
            let Some(item) = item.and_then(|item| alive(item, now)) else { return Ok(()) };
            let Rated { assigned, rating: earlier } = from_item(operation, &item)?;
            if earlier == Some(rating) {
                return Ok(());
            }
            // All or nothing: what is counted is always what is remembered as counted.
            let remembered = Change::of(key.clone(), "SET #rating = :rating")
                .with(":rating", text(word(rating)));
            let remembered = match earlier {
                Some(earlier) => {
                    remembered.when("#rating = :earlier").with(":earlier", text(word(earlier)))
                }
                None => remembered.when("attribute_exists(#PK) AND attribute_not_exists(#rating)"),
            };
            let mut writes = vec![Write::Change(remembered)];
            writes.extend(thumbs(&assigned, earlier, rating));
            if self.table.transact(operation, writes).await? == Transacted::Written {
                return Ok(());
            }
        }
        Err(PortError::new(ErrorKind::Conflict, operation, "others keep rating this question"))
    }

    /// Returns what was counted in a collection, by experiment, then variant; at most [`MAX_TALLIES`].
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn tallies(
        &self,
        tenant: &TenantId,
        collection: &CollectionId,
    ) -> Result<Vec<Tally>, PortError> {
        let operation = "read experiments";
        let partition = layout::experiments(tenant, collection);
        let range = Range::prefixed(partition, layout::EXPERIMENT, MAX_PAGE);
        let pages = MAX_TALLIES / MAX_PAGE;
        let (items, _) = self.table.ranges(operation, range, MAX_TALLIES, pages).await?;
        items.iter().map(|item| from_item(operation, item)).collect()
    }
}

/// Returns the changes of the variants' thumbs.
fn thumbs(assigned: &Assigned, earlier: Option<Rating>, rating: Rating) -> Vec<Write> {
    let step = |thumb: Rating| i32::from(rating == thumb) - i32::from(earlier == Some(thumb));
    let signed = |step: i32| AttributeValue::N(step.to_string());
    let change = |(experiment, variant): (&ExperimentName, &VariantName)| {
        let key = layout::tally(&assigned.tenant, &assigned.collection, experiment, variant);
        let change = Change::of(
            key,
            "SET #experiment = :experiment, #variant = :variant \
             ADD #thumbs_up :up, #thumbs_down :down",
        )
        .with(":experiment", text(experiment.as_str()))
        .with(":variant", text(variant.as_str()))
        .with(":up", signed(step(Rating::Up)))
        .with(":down", signed(step(Rating::Down)));
        Write::Change(change)
    };
    assigned.assignments.0.iter().map(change).collect()
}

/// A rating as it is stored.
fn word(rating: Rating) -> &'static str {
    match rating {
        Rating::Up => "up",
        Rating::Down => "down",
    }
}

/// DynamoDB's numbers have 38 digits; the square of 64 bits has 39 at most, of any time or cost that is real far fewer.
fn square(value: u64) -> AttributeValue {
    AttributeValue::N((u128::from(value) * u128::from(value)).to_string())
}
