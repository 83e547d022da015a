//! How far a backup is, kept beside its parts: whoever goes on with it reads nothing twice and makes the same parts.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::DocumentId,
};
use lectern_tables::backups::Backup;
use serde::{Deserialize, Serialize};

use super::{
    copied::Copied,
    manifest::SCHEMA,
    parts::{PartLimits, Partition, PartitionState, partitions, resumed},
    store::{LEVEL, Store},
};

/// Most bytes of a checkpoint: the open parts of all partitions, and a hundred bytes a document.
const MAX_BYTES: u64 = 1 << 30;
const OPERATION: &str = "keep how far a backup is";

/// The documents whose content is copied, and the parts it is in.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) partitions: Vec<Partition>,
    pub(super) copied: Copied,
    /// The document after which to go on.
    pub(super) cursor: Option<DocumentId>,
    /// Whether no document is left.
    pub(super) is_over: bool,
    /// Bytes of lines when it was kept last.
    pub(super) kept_at: u64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// The form of the lines. Those of two releases are not mixed.
    schema: u32,
    partitions: Vec<PartitionState>,
    copied: Copied,
    cursor: Option<DocumentId>,
    is_over: bool,
}

impl Reading {
    /// Returns a reading at its beginning.
    pub(super) fn begin(sink: Option<&Store>, limits: PartLimits) -> Self {
        let partitions = partitions(sink, limits);
        let (copied, cursor) = (Copied::default(), None);
        Self { partitions, copied, cursor, is_over: false, kept_at: 0 }
    }

    /// Returns the reading of a backup where it was left, at its beginning where nothing was kept.
    pub(super) async fn resume(
        store: &Store,
        backup: &Backup,
        limits: PartLimits,
    ) -> Result<Self, PortError> {
        let Some(bytes) = store.bytes(&store.checkpoint(&backup.id)).await? else {
            return Ok(Self::begin(Some(store), limits));
        };
        let read = tokio::task::spawn_blocking(move || {
            let text = zstd::stream::read::Decoder::new(&*bytes)?;
            serde_json::from_reader::<_, Kept>(std::io::Read::take(text, MAX_BYTES))
                .map_err(std::io::Error::other)
        });
        let read = read.await;
        let read = read.map_err(|panic| PortError::new(ErrorKind::Internal, OPERATION, panic))?;
        // One that is torn or of another release is as good as none.
        let Ok(kept) = read else { return Ok(Self::begin(Some(store), limits)) };
        if kept.schema != SCHEMA {
            return Ok(Self::begin(Some(store), limits));
        }
        let Kept { partitions, copied, cursor, is_over, .. } = kept;
        let partitions = resumed(partitions, Some(store), limits);
        let mut reading = Self { partitions, copied, cursor, is_over, kept_at: 0 };
        reading.kept_at = reading.line_bytes();
        Ok(reading)
    }

    /// Keeps how far it is.
    pub(super) async fn keep(&mut self, store: &Store, backup: &Backup) -> Result<(), PortError> {
        // Lent to another thread, not copied: it can be a good part of the memory a backup takes.
        let states = self.partitions.iter_mut().map(|one| std::mem::take(&mut one.state));
        let kept = Kept {
            schema: SCHEMA,
            partitions: states.collect(),
            copied: std::mem::take(&mut self.copied),
            cursor: self.cursor.clone(),
            is_over: self.is_over,
        };
        let packed = tokio::task::spawn_blocking(move || (pack(&kept), kept)).await;
        let (bytes, kept) =
            packed.map_err(|panic| PortError::new(ErrorKind::Internal, OPERATION, panic))?;
        self.copied = kept.copied;
        for (partition, state) in self.partitions.iter_mut().zip(kept.partitions) {
            partition.state = state;
        }
        let bytes = bytes.map_err(|error| PortError::new(ErrorKind::Internal, OPERATION, error))?;
        // The parts it names must outlive it.
        store.sync().await?;
        store.put(&store.checkpoint(&backup.id), bytes.into()).await?;
        self.kept_at = self.line_bytes();
        Ok(())
    }

    /// Returns how many bytes all lines had so far.
    pub(super) fn line_bytes(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.state.line_bytes).sum()
    }
}

fn pack(kept: &Kept) -> std::io::Result<Vec<u8>> {
    let mut packed = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
    serde_json::to_writer(&mut packed, kept)?;
    packed.finish()
}
