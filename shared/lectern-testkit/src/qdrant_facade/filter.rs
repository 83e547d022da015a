//! Wire filters as the engine's.

use qdrant_client::qdrant::{
    Condition as WireCondition, DatetimeRange as WireDates, FieldCondition as WireFieldCondition,
    Filter as WireFilter, Range as WireRange, Timestamp, condition::ConditionOneOf,
    r#match::MatchValue,
};
use qdrant_edge::{
    AnyVariants, Condition, DateTimeWrapper, FieldCondition, Filter, HasIdCondition, JsonPath,
    Match, Range, ValueVariants, external::ordered_float::OrderedFloat,
};
use tonic::Status;

use super::{request::point_id, unsupported::unsupported};

/// An empty list on the wire is an absent one: protobuf cannot tell them apart.
pub(super) fn filter(wire: WireFilter) -> Result<Filter, Status> {
    let WireFilter { should, must, must_not, min_should } = wire;
    if min_should.is_some() {
        return Err(unsupported("min_should"));
    }
    Ok(Filter {
        should: conditions(should)?,
        must: conditions(must)?,
        must_not: conditions(must_not)?,
        ..Filter::new()
    })
}

fn conditions(wire: Vec<WireCondition>) -> Result<Option<Vec<Condition>>, Status> {
    if wire.is_empty() {
        return Ok(None);
    }
    wire.into_iter().map(condition).collect::<Result<Vec<_>, _>>().map(Some)
}

fn condition(wire: WireCondition) -> Result<Condition, Status> {
    match wire.condition_one_of {
        Some(ConditionOneOf::Field(field)) => field_condition(field).map(Condition::Field),
        Some(ConditionOneOf::Filter(nested)) => filter(nested).map(Condition::Filter),
        Some(ConditionOneOf::HasId(wanted)) => {
            let ids = wanted.has_id.into_iter().map(point_id).collect::<Result<Vec<_>, _>>()?;
            Ok(Condition::HasId(HasIdCondition::from_iter(ids)))
        }
        _ => Err(unsupported("this kind of condition")),
    }
}

fn field_condition(wire: WireFieldCondition) -> Result<FieldCondition, Status> {
    let key = path(&wire.key)?;
    let value = wire.r#match.and_then(|wanted| wanted.match_value);
    match (value, wire.range, wire.datetime_range) {
        (Some(value), None, None) => Ok(FieldCondition::new_match(key, matched(value)?)),
        (None, Some(bounds), None) => Ok(FieldCondition::new_range(key, range(bounds))),
        (None, None, Some(bounds)) => Ok(FieldCondition::new_datetime_range(key, dates(bounds)?)),
        _ => Err(unsupported("this kind of field condition")),
    }
}

pub(super) fn path(key: &str) -> Result<JsonPath, Status> {
    key.parse().map_err(|()| Status::invalid_argument(format!("Wrong input: invalid path {key}")))
}

fn matched(wire: MatchValue) -> Result<Match, Status> {
    Ok(match wire {
        MatchValue::Keyword(value) => Match::new_value(ValueVariants::String(value)),
        MatchValue::Integer(value) => Match::new_value(ValueVariants::Integer(value)),
        MatchValue::Boolean(value) => Match::new_value(ValueVariants::Bool(value)),
        MatchValue::Keywords(list) => {
            Match::new_any(AnyVariants::Strings(list.strings.into_iter().collect()))
        }
        MatchValue::Integers(list) => {
            Match::new_any(AnyVariants::Integers(list.integers.into_iter().collect()))
        }
        _ => return Err(unsupported("this kind of match")),
    })
}

fn range(wire: WireRange) -> Range<OrderedFloat<f64>> {
    Range {
        lt: wire.lt.map(OrderedFloat),
        gt: wire.gt.map(OrderedFloat),
        gte: wire.gte.map(OrderedFloat),
        lte: wire.lte.map(OrderedFloat),
    }
}

fn dates(wire: WireDates) -> Result<Range<DateTimeWrapper>, Status> {
    let moment = |end: Option<Timestamp>| end.map(moment).transpose();
    Ok(Range {
        lt: moment(wire.lt)?,
        gt: moment(wire.gt)?,
        gte: moment(wire.gte)?,
        lte: moment(wire.lte)?,
    })
}

fn moment(wire: Timestamp) -> Result<DateTimeWrapper, Status> {
    let micros = wire.seconds.checked_mul(1_000_000);
    let micros = micros.and_then(|micros| micros.checked_add(i64::from(wire.nanos) / 1_000));
    let moment = micros.and_then(DateTimeWrapper::from_timestamp);
    moment.ok_or_else(|| Status::invalid_argument("Wrong input: invalid timestamp"))
}
