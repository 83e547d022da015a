//! Wire requests as the engine's.

use std::collections::HashMap;

use qdrant_client::{
    Payload as WirePayload,
    qdrant::{
        CreateCollection, CreateFieldIndexCollection, Distance as WireDistance,
        Memory as WireMemory, Modifier as WireModifier, PointId as WirePointId, PointStruct,
        QuantizationConfig as WireQuantization, QueryPoints, ScrollPoints, Value, VectorParams,
        payload_index_params::IndexParams, point_id::PointIdOptions,
        quantization_config::Quantization, query::Variant as QueryVariant,
        vector::Vector as VectorKind, vector_input::Variant as InputVariant,
        vectors::VectorsOptions, vectors_config::Config, with_payload_selector,
        with_vectors_selector,
    },
};
use qdrant_edge::{
    CreateIndex, Distance, EdgeConfig, EdgeSparseVectorParams, EdgeVectorParams,
    IntegerIndexParamsBuilder, KeywordIndexParamsBuilder, Memory, Modifier, NamedQuery, Payload,
    PayloadFieldSchema, PayloadSchemaParams, PointId, PointStructPersisted, QuantizationConfig,
    QuantizationSearchParams, QueryEnum, QueryRequest, ScalarQuantizationConfig, ScalarType,
    ScoringQuery, ScrollRequest, SearchParams, SparseVector, VectorInternal, VectorPersisted,
    VectorStructPersisted, WithPayloadInterface, WithVector, external::uuid::Uuid,
};
use tonic::Status;

use super::{filter, unsupported::unsupported};

fn invalid(message: &str) -> Status {
    Status::invalid_argument(format!("Wrong input: {message}"))
}

pub(super) fn collection(wire: &CreateCollection) -> Result<EdgeConfig, Status> {
    let mut builder = EdgeConfig::builder();
    match wire.vectors_config.as_ref().and_then(|vectors| vectors.config.as_ref()) {
        None => {}
        Some(Config::ParamsMap(named)) => {
            for (name, params) in &named.map {
                builder = builder.vector(name, dense_params(params)?);
            }
        }
        Some(Config::Params(_)) => return Err(unsupported("unnamed vectors")),
    }
    for (name, params) in wire.sparse_vectors_config.iter().flat_map(|config| &config.map) {
        let modifier = match params.modifier() {
            WireModifier::None => Modifier::None,
            WireModifier::Idf => Modifier::Idf,
        };
        let params = EdgeSparseVectorParams::builder().modifier(modifier).build();
        builder = builder.sparse_vector(name, params);
    }
    Ok(builder.build())
}

fn dense_params(wire: &VectorParams) -> Result<EdgeVectorParams, Status> {
    if wire.distance() != WireDistance::Cosine {
        return Err(unsupported("distances other than cosine"));
    }
    let size = usize::try_from(wire.size).map_err(|_| invalid("vector size"))?;
    let mut builder = EdgeVectorParams::builder(size, Distance::Cosine);
    if let Some(config) = &wire.quantization_config {
        builder = builder.quantization_config(quantization(config)?);
    }
    Ok(builder.build())
}

#[expect(deprecated, reason = "the engine's struct has no constructor without `always_ram`")]
fn quantization(wire: &WireQuantization) -> Result<QuantizationConfig, Status> {
    let Some(Quantization::Scalar(scalar)) = &wire.quantization else {
        return Err(unsupported("quantization other than scalar"));
    };
    let memory = match scalar.memory() {
        WireMemory::Unknown => None,
        WireMemory::Cold => Some(Memory::Cold),
        WireMemory::Cached => Some(Memory::Cached),
        WireMemory::Pinned => Some(Memory::Pinned),
    };
    Ok(QuantizationConfig::from(ScalarQuantizationConfig {
        r#type: ScalarType::Int8,
        quantile: scalar.quantile,
        always_ram: None,
        memory,
    }))
}

pub(super) fn field_index(wire: CreateFieldIndexCollection) -> Result<CreateIndex, Status> {
    let schema = match wire.field_index_params.and_then(|params| params.index_params) {
        Some(IndexParams::KeywordIndexParams(params)) => {
            let mut builder = KeywordIndexParamsBuilder::default();
            if let Some(is_tenant) = params.is_tenant {
                builder = builder.is_tenant(is_tenant);
            }
            PayloadSchemaParams::Keyword(builder.build())
        }
        Some(IndexParams::IntegerIndexParams(params)) => {
            let builder = IntegerIndexParamsBuilder::default()
                .lookup(params.lookup.unwrap_or(true))
                .range(params.range.unwrap_or(true));
            PayloadSchemaParams::Integer(builder.build())
        }
        _ => return Err(unsupported("this kind of field index")),
    };
    let field_schema = Some(PayloadFieldSchema::FieldParams(schema));
    Ok(CreateIndex { field_name: filter::path(&wire.field_name)?, field_schema })
}

pub(super) fn point(wire: PointStruct) -> Result<PointStructPersisted, Status> {
    let id = point_id(wire.id.ok_or_else(|| invalid("empty id"))?)?;
    let Some(VectorsOptions::Vectors(named)) =
        wire.vectors.and_then(|vectors| vectors.vectors_options)
    else {
        return Err(unsupported("unnamed vectors"));
    };
    let vectors = named
        .vectors
        .into_iter()
        .map(|(name, vector)| Ok((name, stored_vector(vector.vector)?)))
        .collect::<Result<HashMap<_, _>, Status>>()?;
    Ok(PointStructPersisted {
        id,
        vector: VectorStructPersisted::Named(vectors),
        payload: Some(payload(wire.payload)),
    })
}

fn payload(fields: HashMap<String, Value>) -> Payload {
    Payload(WirePayload::from(fields).into())
}

fn stored_vector(wire: Option<VectorKind>) -> Result<VectorPersisted, Status> {
    match wire {
        Some(VectorKind::Dense(dense)) => Ok(VectorPersisted::Dense(dense.data)),
        Some(VectorKind::Sparse(sparse)) => {
            let vector = SparseVector::new(sparse.indices, sparse.values)
                .map_err(|error| invalid(&error.to_string()))?;
            Ok(VectorPersisted::Sparse(vector))
        }
        _ => Err(unsupported("this kind of vector")),
    }
}

pub(super) fn point_id(wire: WirePointId) -> Result<PointId, Status> {
    match wire.point_id_options {
        Some(PointIdOptions::Uuid(uuid)) => {
            let uuid = uuid.parse::<Uuid>().map_err(|_| invalid("unable to parse UUID"))?;
            Ok(PointId::Uuid(uuid))
        }
        Some(PointIdOptions::Num(number)) => Ok(PointId::NumId(number)),
        None => Err(invalid("empty id")),
    }
}

pub(super) fn query(wire: QueryPoints) -> Result<QueryRequest, Status> {
    let unplumbed = !wire.prefetch.is_empty()
        || wire.score_threshold.is_some()
        || wire.offset.is_some()
        || wire.with_vectors.is_some()
        || wire.lookup_from.is_some();
    if unplumbed {
        return Err(unsupported("this option of a query"));
    }
    let Some(QueryVariant::Nearest(nearest)) = wire.query.and_then(|query| query.variant) else {
        return Err(unsupported("queries other than nearest"));
    };
    let vector = match nearest.variant {
        Some(InputVariant::Dense(dense)) => VectorInternal::Dense(dense.data),
        Some(InputVariant::Sparse(sparse)) => {
            let vector = SparseVector::new(sparse.indices, sparse.values)
                .map_err(|error| invalid(&error.to_string()))?;
            VectorInternal::Sparse(vector)
        }
        _ => return Err(unsupported("this kind of query vector")),
    };
    let limit = wire.limit.map_or(Ok(10), usize::try_from).map_err(|_| invalid("limit"))?;
    let mut request = QueryRequest::new(limit);
    let named = NamedQuery { query: vector, using: wire.using };
    request.query = Some(ScoringQuery::Vector(QueryEnum::Nearest(named)));
    request.filter = wire.filter.map(filter::filter).transpose()?;
    request.with_payload = WithPayloadInterface::Bool(matches!(
        wire.with_payload.and_then(|selector| selector.selector_options),
        Some(with_payload_selector::SelectorOptions::Enable(true))
    ));
    request.params = wire.params.map(|params| SearchParams {
        hnsw_ef: params.hnsw_ef.and_then(|ef| usize::try_from(ef).ok()),
        exact: params.exact.unwrap_or(false),
        quantization: params.quantization.map(|quantization| QuantizationSearchParams {
            ignore: quantization.ignore.unwrap_or(false),
            rescore: quantization.rescore,
            oversampling: quantization.oversampling,
        }),
        ..SearchParams::default()
    });
    Ok(request)
}

pub(super) fn scroll(wire: ScrollPoints) -> Result<ScrollRequest, Status> {
    if wire.order_by.is_some() {
        return Err(unsupported("order_by"));
    }
    let mut request = ScrollRequest::new();
    request.offset = wire.offset.map(point_id).transpose()?;
    request.limit = Some(wire.limit.unwrap_or(10) as usize);
    request.filter = wire.filter.map(filter::filter).transpose()?;
    request.with_payload = Some(WithPayloadInterface::Bool(matches!(
        wire.with_payload.and_then(|selector| selector.selector_options),
        None | Some(with_payload_selector::SelectorOptions::Enable(true))
    )));
    request.with_vector = WithVector::Bool(matches!(
        wire.with_vectors.and_then(|selector| selector.selector_options),
        Some(with_vectors_selector::SelectorOptions::Enable(true))
    ));
    Ok(request)
}
