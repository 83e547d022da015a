//! Lines become parts of bounded size.
//!
//! A document's lines go to the partition its id hashes to, and stand there in the order of ids. A part ends when it is
//! full; once it is large enough it also ends after any document whose id hashes to an end. Such ends stay where they are
//! when documents before them come, go or grow, so that the parts behind a change are the parts of the last backup.

use std::collections::BTreeMap;

use lectern_core::{errors::PortError, ids::DocumentId};
use lectern_tables::backups::BackupCounts;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    records::Kind,
    store::{Store, Stored},
};

/// Partitions of a tenant's documents. Changing it makes every part a new one.
pub const PARTITIONS: usize = 16;
/// One document among so many is one after which a part may end.
const ENDS_AMONG: u8 = 4;

/// How large parts are, in bytes before compression. A part is larger than `max_bytes` by no more than its last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartLimits {
    /// With less a part does not end before its time.
    pub min_bytes: usize,
    /// With as much it ends.
    pub max_bytes: usize,
}

impl Default for PartLimits {
    /// Returns sizes with which all that is buffered of a tenant is at most 64 MiB: four kinds of lines by partition.
    fn default() -> Self {
        Self { min_bytes: 256 << 10, max_bytes: 1 << 20 }
    }
}

/// A part, as a manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What its lines are.
    pub kind: Kind,
    /// Which documents they are about.
    pub partition: usize,
    /// SHA-256 of its bytes as stored, and its name.
    pub sha256: String,
    /// Its bytes as stored.
    pub size_bytes: u64,
    /// Its lines.
    pub records: u64,
}

/// The lines of some of a tenant's documents.
#[derive(Debug)]
pub(super) struct Partition {
    /// What was stored of it, in the order of its lines by kind.
    pub(super) parts: Vec<Part>,
    /// Parts that were not there before, and their bytes.
    pub(super) new_parts: u64,
    pub(super) new_bytes: u64,
    /// What its lines are about.
    pub(super) counts: BackupCounts,
    number: usize,
    store: Store,
    limits: PartLimits,
    open: BTreeMap<Kind, Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    records: u64,
}

/// Returns the partitions of a tenant, all empty.
pub(super) fn partitions(store: &Store, limits: PartLimits) -> Vec<Partition> {
    let empty = |number| Partition {
        parts: Vec::new(),
        new_parts: 0,
        new_bytes: 0,
        counts: BackupCounts::default(),
        number,
        store: store.clone(),
        limits,
        open: BTreeMap::new(),
    };
    (0..PARTITIONS).map(empty).collect()
}

/// Returns the number of a document's partition.
pub(super) fn partition_of(document: &DocumentId) -> usize {
    usize::from(Sha256::digest(document.as_str())[0]) % PARTITIONS
}

impl Partition {
    /// Adds a line.
    pub(super) async fn push<T: Serialize + Sync>(
        &mut self,
        kind: Kind,
        line: &T,
    ) -> Result<(), PortError> {
        let lines = self.open.entry(kind).or_default();
        serde_json::to_writer(&mut lines.bytes, line)
            .expect("lines have string keys, and memory takes what is written");
        lines.bytes.push(b'\n');
        lines.records += 1;
        if lines.bytes.len() >= self.limits.max_bytes { self.close(kind).await } else { Ok(()) }
    }

    /// Ends the parts that may end after a document.
    pub(super) async fn end(&mut self, document: &DocumentId) -> Result<(), PortError> {
        if !Sha256::digest(document.as_str())[1].is_multiple_of(ENDS_AMONG) {
            return Ok(());
        }
        self.close_from(self.limits.min_bytes).await
    }

    /// Ends all parts.
    pub(super) async fn close_all(&mut self) -> Result<(), PortError> {
        self.close_from(0).await
    }

    async fn close_from(&mut self, least_bytes: usize) -> Result<(), PortError> {
        let large = self.open.iter().filter(|(_, lines)| lines.bytes.len() >= least_bytes);
        let kinds: Vec<Kind> = large.map(|(kind, _)| *kind).collect();
        for kind in kinds {
            self.close(kind).await?;
        }
        Ok(())
    }

    async fn close(&mut self, kind: Kind) -> Result<(), PortError> {
        let Some(Lines { bytes, records }) = self.open.remove(&kind) else { return Ok(()) };
        let Stored { sha256, size_bytes, is_new } = self.store.put_part(bytes).await?;
        if is_new {
            self.new_parts += 1;
            self.new_bytes += size_bytes;
        }
        self.parts.push(Part { kind, partition: self.number, sha256, size_bytes, records });
        Ok(())
    }
}
