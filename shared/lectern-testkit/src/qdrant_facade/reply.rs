//! The engine's answers as wire replies.

use std::collections::HashMap;

use qdrant_client::{
    Payload as WirePayload,
    qdrant::{
        DenseVector, NamedVectorsOutput, PointId as WirePointId, RetrievedPoint,
        ScoredPoint as WireScoredPoint, SparseVector as WireSparseVector, Value, VectorOutput,
        VectorsOutput, point_id::PointIdOptions, vector_output::Vector as OutputKind,
        vectors_output::VectorsOptions,
    },
};
use qdrant_edge::{Payload, PointId, Record, ScoredPoint, VectorInternal, VectorStructInternal};

pub(super) fn point_id(id: PointId) -> WirePointId {
    let options = match id {
        PointId::NumId(number) => PointIdOptions::Num(number),
        PointId::Uuid(uuid) => PointIdOptions::Uuid(uuid.to_string()),
    };
    WirePointId { point_id_options: Some(options) }
}

pub(super) fn scored(point: ScoredPoint) -> WireScoredPoint {
    WireScoredPoint {
        id: Some(point_id(point.id)),
        payload: payload(point.payload),
        score: point.score,
        version: point.version,
        ..WireScoredPoint::default()
    }
}

pub(super) fn retrieved(record: Record) -> RetrievedPoint {
    RetrievedPoint {
        id: Some(point_id(record.id)),
        payload: payload(record.payload),
        vectors: record.vector.map(vectors),
        ..RetrievedPoint::default()
    }
}

fn payload(payload: Option<Payload>) -> HashMap<String, Value> {
    WirePayload::from(payload.unwrap_or_default().0).into()
}

fn vectors(stored: VectorStructInternal) -> VectorsOutput {
    let named = match stored {
        VectorStructInternal::Named(named) => named,
        VectorStructInternal::Single(_) | VectorStructInternal::MultiDense(_) => {
            unreachable!("collections with unnamed vectors are refused at creation")
        }
    };
    let output = |(name, vector): (String, VectorInternal)| {
        let kind = match vector {
            VectorInternal::Dense(data) => OutputKind::Dense(DenseVector { data }),
            VectorInternal::Sparse(sparse) => OutputKind::Sparse(WireSparseVector {
                values: sparse.values,
                indices: sparse.indices,
            }),
            VectorInternal::MultiDense(_) => {
                unreachable!("collections with multi-vectors are refused at creation")
            }
        };
        (name, VectorOutput { vector: Some(kind), ..VectorOutput::default() })
    };
    let vectors = named.into_iter().map(output).collect();
    VectorsOutput { vectors_options: Some(VectorsOptions::Vectors(NamedVectorsOutput { vectors })) }
}
