//! Opening, configuring and maintaining a shard; everything here blocks.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use lectern_core::errors::{ErrorKind, PortError};
use qdrant_edge::{
    CreateIndex, Distance, EdgeConfig, EdgeOptimizersConfig, EdgeShard, EdgeSparseVectorParams,
    EdgeVectorParams, FieldIndexOperations, IntegerIndexParamsBuilder, KeywordIndexParamsBuilder,
    Memory, Modifier, OperationError, PayloadFieldSchema, PayloadSchemaParams,
    PointInsertOperations, PointOperations, PointStructPersisted, QuantizationConfig,
    ScalarQuantizationConfig, ScalarType, UpdateOperation,
};

use super::convert;
use crate::{
    payload::{FIELD_INDEXES, FieldIndex},
    settings::{DENSE, IndexSettings, QUANTILE, SPARSE},
};

/// Points written without an fsync in between. `kill -9` loses none of them: they are in the log,
/// whose pages belong to the kernel. A power cut may lose them, and a start replays them: 14 000 in 2 to
/// 3 seconds.
pub const FLUSH_AFTER_POINTS: usize = 20_000;
/// Points that are scanned exactly before a graph is worth building: below, a scan takes under 8 ms.
pub const SCANNED_POINTS: usize = 20_000;
/// Bytes of an average sparse vector: some hundred terms of eight bytes.
const SPARSE_BYTES: usize = 800;
/// Written by the engine when a shard exists.
const CONFIG_FILE: &str = "edge_config.json";

/// A shard and the right to use its directory.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) shard: EdgeShard,
    unflushed: AtomicUsize,
    // Dropped after the shard: fields drop in order.
    _lock: File,
}

impl Engine {
    /// Opens or creates the shard of `settings` under `directory`, and replays its log.
    pub(super) fn open(directory: &Path, settings: &IndexSettings) -> Result<Self, PortError> {
        const OPERATION: &str = "edge open";
        let shard_directory = directory.join(settings.name());
        fs::create_dir_all(&shard_directory).map_err(|error| io_error(OPERATION, error))?;
        let lock = lock(&directory.join(format!("{}.lock", settings.name())))?;
        let config = config(settings);
        let shard = if shard_directory.join(CONFIG_FILE).exists() {
            EdgeShard::load(&shard_directory, Some(config))
        } else {
            EdgeShard::new(&shard_directory, config)
        }
        .map_err(|error| convert::port_error(OPERATION, error))?;
        let engine = Self { shard, unflushed: AtomicUsize::new(0), _lock: lock };
        engine.index_fields().map_err(|error| convert::port_error(OPERATION, error))?;
        Ok(engine)
    }

    /// Creates the field indexes that are not there: all of a new shard's, or those an earlier
    /// process had no time for.
    fn index_fields(&self) -> Result<(), OperationError> {
        let present = self.shard.info()?.payload_schema;
        for (name, index) in FIELD_INDEXES {
            let field_name = convert::path(name);
            if present.contains_key(&field_name) {
                continue;
            }
            let field_schema = Some(PayloadFieldSchema::FieldParams(schema(index)));
            let create = CreateIndex { field_name, field_schema };
            self.shard.update(UpdateOperation::FieldIndexOperation(
                FieldIndexOperations::CreateIndex(create),
            ))?;
        }
        Ok(())
    }

    /// Writes one batch to the log and the segments.
    pub(super) fn upsert(&self, batch: Vec<PointStructPersisted>) -> Result<(), OperationError> {
        let written = batch.len();
        self.update(
            PointOperations::UpsertPoints(PointInsertOperations::PointsList(batch)),
            written,
        )
    }

    /// Applies an operation, and flushes when enough of them wait.
    pub(super) fn update(
        &self,
        operation: PointOperations,
        weight: usize,
    ) -> Result<(), OperationError> {
        self.shard.update(UpdateOperation::PointOperation(operation))?;
        let waiting = self.unflushed.fetch_add(weight, Ordering::Relaxed) + weight;
        if waiting >= FLUSH_AFTER_POINTS { self.flush() } else { Ok(()) }
    }

    /// Brings the log and the segments to the disk, when something was written since the last time.
    pub(super) fn flush(&self) -> Result<(), OperationError> {
        let waiting = self.unflushed.swap(0, Ordering::Relaxed);
        if waiting == 0 {
            return Ok(());
        }
        self.shard.flush().inspect_err(|_| {
            self.unflushed.fetch_add(waiting, Ordering::Relaxed);
        })
    }

    /// Flushes, then builds graphs and drops deleted points where the engine's planner finds it worthwhile.
    /// Returns whether it did.
    pub(super) fn maintain(&self) -> Result<bool, OperationError> {
        self.flush()?;
        let optimized = self.shard.optimize()?;
        if optimized {
            self.shard.flush()?;
        }
        Ok(optimized)
    }
}

/// The engine locks its log too, but reports a held lock as a plain text; this one can be told apart.
fn lock(path: &Path) -> Result<File, PortError> {
    const OPERATION: &str = "edge lock";
    let file = File::create(path).map_err(|error| io_error(OPERATION, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let reason = "another process uses this data directory; talk to it with --api";
            Err(PortError::new(ErrorKind::Conflict, OPERATION, reason))
        }
        Err(TryLockError::Error(error)) => Err(io_error(OPERATION, error)),
    }
}

fn io_error(operation: &'static str, error: std::io::Error) -> PortError {
    PortError::new(ErrorKind::Internal, operation, error)
}

fn config(settings: &IndexSettings) -> EdgeConfig {
    let mut point_bytes = SPARSE_BYTES;
    let bm25 = EdgeSparseVectorParams::builder().modifier(Modifier::Idf).build();
    let mut builder = EdgeConfig::builder().sparse_vector(SPARSE, bm25);
    if let Some(dimensions) = settings.dimensions() {
        point_bytes = point_bytes.max(4 * dimensions);
        let dense = EdgeVectorParams::builder(dimensions, Distance::Cosine)
            .quantization_config(int8())
            .build();
        builder = builder.vector(DENSE, dense);
    }
    let optimizers = EdgeOptimizersConfig {
        indexing_threshold: Some((SCANNED_POINTS * point_bytes).div_ceil(1_024)),
        ..EdgeOptimizersConfig::default()
    };
    builder.optimizers(optimizers).build()
}

/// Takes effect in optimised segments; scanned ones hold the exact vectors only.
#[expect(deprecated, reason = "the engine's struct has no constructor without `always_ram`")]
fn int8() -> QuantizationConfig {
    QuantizationConfig::from(ScalarQuantizationConfig {
        r#type: ScalarType::Int8,
        quantile: Some(QUANTILE),
        always_ram: None,
        memory: Some(Memory::Pinned),
    })
}

fn schema(index: FieldIndex) -> PayloadSchemaParams {
    match index {
        FieldIndex::Tenant => PayloadSchemaParams::Keyword(
            KeywordIndexParamsBuilder::default().is_tenant(true).build(),
        ),
        FieldIndex::Keyword => {
            PayloadSchemaParams::Keyword(KeywordIndexParamsBuilder::default().build())
        }
        FieldIndex::Integer => {
            PayloadSchemaParams::Integer(IntegerIndexParamsBuilder::default().build())
        }
    }
}
