//! Domain values as Qdrant's wire protocol carries them.

use std::collections::HashMap;

use lectern_core::{
    analysis::SparseVector,
    errors::PortError,
    filter::Ends,
    passage::{Passage, Point, PointId, ScoredPassage},
};
use qdrant_client::{
    Payload,
    qdrant::{
        Condition as WireCondition, DatetimeRange, DenseVector, Filter, NamedVectors,
        PointId as WirePointId, PointStruct, QuantizationSearchParams, Query, QueryPoints, Range,
        RetrievedPoint, ScoredPoint, SearchParams, SparseVector as WireSparseVector, Timestamp,
        Value, Vector, VectorInput, VectorsOutput, r#match::MatchValue, point_id::PointIdOptions,
        query::Variant as QueryVariant, vector::Vector as VectorKind,
        vector_input::Variant as InputVariant, vector_output::Vector as OutputKind,
        vectors_output::VectorsOptions, with_payload_selector::SelectorOptions,
    },
};

use crate::{
    conditions::Condition,
    payload,
    settings::{DENSE, OVERSAMPLING, SPARSE},
};

/// Microseconds of a second.
const MICROS: i64 = 1_000_000;

pub(super) fn point_id(id: PointId) -> WirePointId {
    WirePointId { point_id_options: Some(PointIdOptions::Uuid(id.to_uuid())) }
}

pub(super) fn point(point: Point) -> PointStruct {
    let mut vectors = HashMap::new();
    if let Some(data) = point.dense {
        vectors.insert(DENSE.to_owned(), vector(VectorKind::Dense(DenseVector { data })));
    }
    if !point.sparse.is_empty() {
        vectors.insert(SPARSE.to_owned(), vector(VectorKind::Sparse(sparse(point.sparse))));
    }
    PointStruct {
        id: Some(point_id(point.passage.point_id())),
        payload: Payload::from(payload::store(&point.passage)).into(),
        vectors: Some(NamedVectors { vectors }.into()),
    }
}

fn vector(kind: VectorKind) -> Vector {
    Vector { vector: Some(kind), ..Vector::default() }
}

fn sparse(vector: SparseVector) -> WireSparseVector {
    WireSparseVector { values: vector.values, indices: vector.indices }
}

pub(super) fn dense_query(
    collection: &str,
    data: Vec<f32>,
    filter: Filter,
    limit: usize,
) -> QueryPoints {
    let quantization = QuantizationSearchParams {
        ignore: None,
        rescore: Some(true),
        oversampling: Some(OVERSAMPLING),
    };
    let params = SearchParams { quantization: Some(quantization), ..SearchParams::default() };
    let nearest = InputVariant::Dense(DenseVector { data });
    QueryPoints { params: Some(params), ..query(collection, nearest, DENSE, filter, limit) }
}

pub(super) fn sparse_query(
    collection: &str,
    vector: SparseVector,
    filter: Filter,
    limit: usize,
) -> QueryPoints {
    query(collection, InputVariant::Sparse(sparse(vector)), SPARSE, filter, limit)
}

fn query(
    collection: &str,
    nearest: InputVariant,
    using: &str,
    filter: Filter,
    limit: usize,
) -> QueryPoints {
    let nearest = QueryVariant::Nearest(VectorInput { variant: Some(nearest) });
    QueryPoints {
        collection_name: collection.to_owned(),
        query: Some(Query { variant: Some(nearest) }),
        using: Some(using.to_owned()),
        filter: Some(filter),
        limit: Some(limit as u64),
        with_payload: Some(SelectorOptions::Enable(true).into()),
        ..QueryPoints::default()
    }
}

pub(super) fn scored(
    point: ScoredPoint,
    operation: &'static str,
) -> Result<ScoredPassage, PortError> {
    Ok(ScoredPassage { passage: passage(point.payload, operation)?, score: point.score })
}

pub(super) fn restored(
    retrieved: RetrievedPoint,
    operation: &'static str,
) -> Result<Point, PortError> {
    let passage = passage(retrieved.payload, operation)?;
    let mut point = Point { passage, dense: None, sparse: SparseVector::default() };
    let Some(VectorsOutput { vectors_options: Some(VectorsOptions::Vectors(named)) }) =
        retrieved.vectors
    else {
        return Ok(point);
    };
    for output in named.vectors.into_values() {
        match output.into_vector() {
            OutputKind::Dense(dense) => point.dense = Some(dense.data),
            OutputKind::Sparse(WireSparseVector { values, indices }) => {
                point.sparse = SparseVector { indices, values };
            }
            OutputKind::MultiDense(_) => {}
        }
    }
    Ok(point)
}

pub(super) fn passage(
    fields: HashMap<String, Value>,
    operation: &'static str,
) -> Result<Passage, PortError> {
    payload::restore(Payload::from(fields).into(), operation)
}

/// Returns the filter under which every condition holds.
pub(super) fn filter(conditions: &[Condition]) -> Filter {
    Filter::must(conditions.iter().map(condition))
}

fn condition(wanted: &Condition) -> WireCondition {
    match wanted {
        Condition::Text { key, any_of } => WireCondition::matches(key.as_str(), text(any_of)),
        Condition::Integer { key, any_of } => WireCondition::matches(key.as_str(), integer(any_of)),
        Condition::Boolean { key, value } => WireCondition::matches(key.as_str(), *value),
        Condition::Range { key, bounds: Ends { gt, gte, lt, lte } } => {
            let range = Range { gt: *gt, gte: *gte, lt: *lt, lte: *lte };
            WireCondition::range(key.as_str(), range)
        }
        Condition::Dates { key, bounds: Ends { gt, gte, lt, lte } } => {
            let end = |micros: &Option<i64>| micros.map(timestamp);
            let range = DatetimeRange { gt: end(gt), gte: end(gte), lt: end(lt), lte: end(lte) };
            WireCondition::datetime_range(key.as_str(), range)
        }
        Condition::Ids(ids) => WireCondition::has_id(ids.iter().copied().map(point_id)),
        Condition::All(all) => Filter::must(all.iter().map(condition)).into(),
        Condition::Any(any) => Filter::should(any.iter().map(condition)).into(),
        Condition::Not(not) => Filter::must_not([condition(not)]).into(),
    }
}

fn timestamp(micros: i64) -> Timestamp {
    let nanos = micros.rem_euclid(MICROS) * 1_000;
    Timestamp {
        seconds: micros.div_euclid(MICROS),
        nanos: i32::try_from(nanos).expect("less than a second"),
    }
}

/// One value is matched as such: the server estimates it better than a list of one.
fn text(any_of: &[String]) -> MatchValue {
    match any_of {
        [one] => one.clone().into(),
        several => several.to_vec().into(),
    }
}

fn integer(any_of: &[i64]) -> MatchValue {
    match any_of {
        [one] => (*one).into(),
        several => several.to_vec().into(),
    }
}
