//! The collection, its field indexes and its alias, as they are created.

use qdrant_client::qdrant::{
    CollectionInfo, CreateAlias, CreateCollection, CreateFieldIndexCollection, Distance, FieldType,
    IntegerIndexParams, KeywordIndexParams, Memory, Modifier, PayloadIndexParams,
    QuantizationConfig, QuantizationType, ScalarQuantization, SparseVectorConfig,
    SparseVectorParams, StrictModeConfig, VectorParams, VectorParamsMap, VectorsConfig,
    payload_index_params::IndexParams, quantization_config::Quantization, vectors_config::Config,
};

use crate::{
    payload::{FIELD_INDEXES, FieldIndex},
    settings::{DENSE, IndexSettings, QUANTILE, SPARSE},
};

/// Returns the collection behind the alias: a later layout is filled as `-v2` while this one answers.
pub(super) fn collection_name(settings: &IndexSettings) -> String {
    format!("{}-v1", settings.name())
}

pub(super) fn collection(settings: &IndexSettings) -> CreateCollection {
    let bm25 = SparseVectorParams { index: None, modifier: Some(Modifier::Idf.into()) };
    CreateCollection {
        collection_name: collection_name(settings),
        vectors_config: settings.dimensions().map(vectors),
        sparse_vectors_config: Some(SparseVectorConfig { map: [(SPARSE.to_owned(), bm25)].into() }),
        // Hosted servers may refuse filters on fields without an index; metadata fields have none, and the
        // size of a filter is bounded before it gets here.
        strict_mode_config: Some(StrictModeConfig {
            enabled: Some(false),
            ..StrictModeConfig::default()
        }),
        ..CreateCollection::default()
    }
}

fn vectors(dimensions: usize) -> VectorsConfig {
    let int8 = ScalarQuantization {
        r#type: QuantizationType::Int8.into(),
        quantile: Some(QUANTILE),
        memory: Some(Memory::Pinned.into()),
        ..ScalarQuantization::default()
    };
    let dense = VectorParams {
        size: dimensions as u64,
        distance: Distance::Cosine.into(),
        quantization_config: Some(QuantizationConfig {
            quantization: Some(Quantization::Scalar(int8)),
        }),
        ..VectorParams::default()
    };
    let map = VectorParamsMap { map: [(DENSE.to_owned(), dense)].into() };
    VectorsConfig { config: Some(Config::ParamsMap(map)) }
}

pub(super) fn field_indexes(
    settings: &IndexSettings,
) -> impl Iterator<Item = CreateFieldIndexCollection> {
    let collection_name = collection_name(settings);
    FIELD_INDEXES.into_iter().map(move |(field, index)| {
        let (field_type, params) = match index {
            FieldIndex::Tenant => {
                let tenant =
                    KeywordIndexParams { is_tenant: Some(true), ..KeywordIndexParams::default() };
                (FieldType::Keyword, IndexParams::KeywordIndexParams(tenant))
            }
            FieldIndex::Keyword => {
                (FieldType::Keyword, IndexParams::KeywordIndexParams(KeywordIndexParams::default()))
            }
            FieldIndex::Integer => {
                let both = IntegerIndexParams {
                    lookup: Some(true),
                    range: Some(true),
                    ..IntegerIndexParams::default()
                };
                (FieldType::Integer, IndexParams::IntegerIndexParams(both))
            }
        };
        CreateFieldIndexCollection {
            collection_name: collection_name.clone(),
            wait: Some(true),
            field_name: field.to_owned(),
            field_type: Some(field_type.into()),
            field_index_params: Some(PayloadIndexParams { index_params: Some(params) }),
            ..CreateFieldIndexCollection::default()
        }
    })
}

pub(super) fn alias(settings: &IndexSettings) -> CreateAlias {
    CreateAlias { collection_name: collection_name(settings), alias_name: settings.name() }
}

/// Returns the length of the dense vectors of a collection, `None` when it has none of ours.
pub(super) fn dimensions(info: &CollectionInfo) -> Option<usize> {
    let vectors = info.config.as_ref()?.params.as_ref()?.vectors_config.as_ref()?;
    match vectors.config.as_ref()? {
        Config::ParamsMap(named) => usize::try_from(named.map.get(DENSE)?.size).ok(),
        Config::Params(_) => None,
    }
}
