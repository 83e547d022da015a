//! Domain values as Qdrant's engine takes and gives them.

use std::collections::HashMap;

use lectern_core::{
    analysis::SparseVector,
    errors::{ErrorKind, PortError},
    filter::Ends,
    passage::{Passage, Point, PointId, ScoredPassage},
};
use qdrant_edge::{
    AnyVariants, Condition as EdgeCondition, DateTimeWrapper, FieldCondition, Filter,
    HasIdCondition, JsonPath, Match, NamedQuery, OperationError, Payload, PointId as EdgePointId,
    PointStructPersisted, QuantizationSearchParams, QueryEnum, QueryRequest, Range, Record,
    ScoredPoint, ScoringQuery, SearchParams, SparseVector as EdgeSparseVector, ValueVariants,
    VectorInternal, VectorPersisted, VectorStructInternal, VectorStructPersisted,
    WithPayloadInterface,
    external::{ordered_float::OrderedFloat, uuid::Uuid},
};

use crate::{
    conditions::Condition,
    payload,
    settings::{DENSE, OVERSAMPLING, SPARSE},
};

/// Sorts an engine's failure by what the caller can do.
pub(super) fn port_error(operation: &'static str, error: OperationError) -> PortError {
    let kind = match &error {
        OperationError::WrongVectorDimension { .. }
        | OperationError::VectorNameNotExists { .. }
        | OperationError::ValidationError { .. }
        | OperationError::WrongSparse => ErrorKind::Invalid,
        OperationError::OutOfMemory { .. } => ErrorKind::Unavailable,
        OperationError::Timeout { .. } => ErrorKind::Timeout,
        _ => ErrorKind::Internal,
    };
    PortError::new(kind, operation, error)
}

pub(super) fn point_id(id: PointId) -> EdgePointId {
    EdgePointId::Uuid(Uuid::from_bytes(*id.as_bytes()))
}

pub(super) fn point(point: Point) -> PointStructPersisted {
    let mut vectors = HashMap::new();
    if let Some(dense) = point.dense {
        vectors.insert(DENSE.to_owned(), VectorPersisted::Dense(dense));
    }
    if !point.sparse.is_empty() {
        vectors.insert(SPARSE.to_owned(), VectorPersisted::Sparse(sparse(point.sparse)));
    }
    PointStructPersisted {
        id: point_id(point.passage.point_id()),
        vector: VectorStructPersisted::Named(vectors),
        payload: Some(Payload(payload::store(&point.passage))),
    }
}

fn sparse(vector: SparseVector) -> EdgeSparseVector {
    EdgeSparseVector { indices: vector.indices, values: vector.values }
}

pub(super) fn dense_query(vector: Vec<f32>, filter: Filter, limit: usize) -> QueryRequest {
    let mut request = query(VectorInternal::Dense(vector), DENSE, filter, limit);
    let quantization = QuantizationSearchParams {
        ignore: false,
        rescore: Some(true),
        oversampling: Some(OVERSAMPLING),
    };
    request.params =
        Some(SearchParams { quantization: Some(quantization), ..SearchParams::default() });
    request
}

pub(super) fn sparse_query(vector: SparseVector, filter: Filter, limit: usize) -> QueryRequest {
    query(VectorInternal::Sparse(sparse(vector)), SPARSE, filter, limit)
}

fn query(vector: VectorInternal, using: &str, filter: Filter, limit: usize) -> QueryRequest {
    let nearest = NamedQuery { query: vector, using: Some(using.to_owned()) };
    let mut request = QueryRequest::new(limit);
    request.query = Some(ScoringQuery::Vector(QueryEnum::Nearest(nearest)));
    request.filter = Some(filter);
    request.with_payload = WithPayloadInterface::Bool(true);
    request
}

pub(super) fn scored(
    point: ScoredPoint,
    operation: &'static str,
) -> Result<ScoredPassage, PortError> {
    let fields = point.payload.unwrap_or_default().0;
    Ok(ScoredPassage { passage: payload::restore(fields, operation)?, score: point.score })
}

pub(super) fn passage(record: Record, operation: &'static str) -> Result<Passage, PortError> {
    payload::restore(record.payload.unwrap_or_default().0, operation)
}

pub(super) fn restored(record: Record, operation: &'static str) -> Result<Point, PortError> {
    let passage = payload::restore(record.payload.unwrap_or_default().0, operation)?;
    let mut point = Point { passage, dense: None, sparse: SparseVector::default() };
    if let Some(VectorStructInternal::Named(vectors)) = record.vector {
        for vector in vectors.into_values() {
            match vector {
                VectorInternal::Dense(dense) => point.dense = Some(dense),
                VectorInternal::Sparse(EdgeSparseVector { indices, values }) => {
                    point.sparse = SparseVector { indices, values };
                }
                VectorInternal::MultiDense(_) => {}
            }
        }
    }
    Ok(point)
}

/// Returns the filter under which every condition holds.
pub(super) fn filter(conditions: &[Condition]) -> Filter {
    Filter { must: Some(conditions.iter().map(condition).collect()), ..Filter::new() }
}

fn condition(wanted: &Condition) -> EdgeCondition {
    let each = |conditions: &[Condition]| Some(conditions.iter().map(condition).collect());
    match wanted {
        Condition::Text { key, any_of } => matches(key, text(any_of)),
        Condition::Integer { key, any_of } => matches(key, integer(any_of)),
        Condition::Boolean { key, value } => {
            matches(key, Match::new_value(ValueVariants::Bool(*value)))
        }
        Condition::Range { key, bounds } => {
            EdgeCondition::Field(FieldCondition::new_range(path(key), range(*bounds)))
        }
        Condition::Dates { key, bounds } => {
            EdgeCondition::Field(FieldCondition::new_datetime_range(path(key), dates(*bounds)))
        }
        Condition::Ids(ids) => {
            EdgeCondition::HasId(HasIdCondition::from_iter(ids.iter().copied().map(point_id)))
        }
        Condition::All(all) => EdgeCondition::Filter(Filter { must: each(all), ..Filter::new() }),
        Condition::Any(any) => EdgeCondition::Filter(Filter { should: each(any), ..Filter::new() }),
        Condition::Not(not) => {
            let must_not = Some(vec![condition(not)]);
            EdgeCondition::Filter(Filter { must_not, ..Filter::new() })
        }
    }
}

/// Returns the path of a payload field.
pub(super) fn path(key: &str) -> JsonPath {
    key.parse().expect("keys are the crate's own names and checked metadata field names")
}

fn matches(key: &str, value: Match) -> EdgeCondition {
    EdgeCondition::Field(FieldCondition::new_match(path(key), value))
}

/// One value is matched as such: the engine estimates it better than a list of one.
fn text(any_of: &[String]) -> Match {
    match any_of {
        [one] => Match::new_value(ValueVariants::String(one.clone())),
        several => Match::new_any(AnyVariants::Strings(several.iter().cloned().collect())),
    }
}

fn integer(any_of: &[i64]) -> Match {
    match any_of {
        [one] => Match::new_value(ValueVariants::Integer(*one)),
        several => Match::new_any(AnyVariants::Integers(several.iter().copied().collect())),
    }
}

fn range(bounds: Ends<f64>) -> Range<OrderedFloat<f64>> {
    Range {
        gt: bounds.gt.map(OrderedFloat),
        gte: bounds.gte.map(OrderedFloat),
        lt: bounds.lt.map(OrderedFloat),
        lte: bounds.lte.map(OrderedFloat),
    }
}

fn dates(bounds: Ends<i64>) -> Range<DateTimeWrapper> {
    let moment = |micros: i64| {
        DateTimeWrapper::from_timestamp(micros).expect("RFC 3339 ends with the year 9999")
    };
    Range {
        gt: bounds.gt.map(moment),
        gte: bounds.gte.map(moment),
        lt: bounds.lt.map(moment),
        lte: bounds.lte.map(moment),
    }
}
