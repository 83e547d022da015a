//! Lines become parts of bounded size.
//!
//! A document's lines go to the partition its id hashes to, and stand there in the order of ids. A part ends when it is
//! full; once it is large enough it also ends after any document whose id hashes to an end. Such ends stay where they are
//! when documents before them come, go or grow, so that the parts behind a change are the parts of the last backup.

use std::collections::BTreeMap;

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::DocumentId,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    digest::LineDigest,
    records::Kind,
    store::{Store, Stored},
};

/// Partitions of a tenant's documents. Changing it makes every part a new one.
pub const PARTITIONS: usize = 16;
/// One document among so many is one after which a part may end.
const ENDS_AMONG: u8 = 2;

/// About the bytes of a passage with a vector of 384 numbers: what is right to begin with spares copying what was written.
const USUAL_LINE_BYTES: usize = 4 << 10;

/// How large parts are, in bytes before compression. A part is larger than `max_bytes` by no more than its last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartLimits {
    /// With less a part does not end before its time; one of texts or files, with half of it.
    pub min_bytes: usize,
    /// With as much it ends.
    pub max_bytes: usize,
    /// Bytes of lines after which is kept how far a backup is.
    pub checkpoint_bytes: u64,
    /// A file as uploaded that is no larger stands in a part; one that is lies by itself. Many small objects take a store longer
    /// than their bytes do.
    pub inline_bytes: u64,
}

impl Default for PartLimits {
    /// Returns sizes with which all that is buffered of a tenant is at most 40 MiB: six kinds of lines by partition.
    fn default() -> Self {
        Self {
            min_bytes: 64 << 10,
            max_bytes: 512 << 10,
            checkpoint_bytes: 1 << 30,
            inline_bytes: 64 << 10,
        }
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
    /// How far it is.
    pub(super) state: PartitionState,
    /// Where its parts go; nowhere when only their digest is wanted.
    sink: Option<Store>,
    limits: PartLimits,
}

/// How far a partition is: all that is needed to go on with it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PartitionState {
    /// What was stored of it, in the order of its lines by kind.
    pub(super) parts: Vec<Part>,
    /// Parts that were not there before.
    pub(super) new_parts: u64,
    /// Bytes of them.
    pub(super) new_bytes: u64,
    /// Bytes of all lines.
    pub(super) line_bytes: u64,
    number: usize,
    open: BTreeMap<Kind, Lines>,
}

/// Lines that are no part yet.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Lines {
    text: String,
    records: u64,
}

/// Returns the partitions of a tenant, all empty. Without a `sink` nothing of them is stored.
pub(super) fn partitions(sink: Option<&Store>, limits: PartLimits) -> Vec<Partition> {
    let empty = |number| PartitionState { number, ..PartitionState::default() };
    resumed((0..PARTITIONS).map(empty).collect(), sink, limits)
}

/// Returns partitions that go on where they were.
pub(super) fn resumed(
    states: Vec<PartitionState>,
    sink: Option<&Store>,
    limits: PartLimits,
) -> Vec<Partition> {
    let partition = |state| Partition { state, sink: sink.cloned(), limits };
    states.into_iter().map(partition).collect()
}

/// Lines, each with its line feed, and the sum of their digests without.
struct Written {
    text: String,
    /// Bytes of each.
    lengths: Vec<usize>,
    digest: LineDigest,
}

fn written<T: Serialize>(kind: Kind, lines: &[T]) -> Written {
    let mut text = Vec::with_capacity(lines.len() * USUAL_LINE_BYTES);
    let (mut lengths, mut digest) = (Vec::with_capacity(lines.len()), LineDigest::default());
    for line in lines {
        let start = text.len();
        serde_json::to_writer(&mut text, line).expect("lines have string keys");
        digest += LineDigest::of(kind, &text[start..]);
        text.push(b'\n');
        lengths.push(text.len() - start);
    }
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    Written { text, lengths, digest }
}

/// Returns the number of a document's partition.
pub(super) fn partition_of(document: &DocumentId) -> usize {
    usize::from(Sha256::digest(document.as_str())[0]) % PARTITIONS
}

impl Partition {
    /// Returns where its parts go.
    pub(super) fn store(&self) -> Option<&Store> {
        self.sink.as_ref()
    }

    /// Adds a line and returns its digest.
    pub(super) async fn push<T: Serialize + Sync>(
        &mut self,
        kind: Kind,
        line: &T,
    ) -> Result<LineDigest, PortError> {
        let written = written(kind, std::slice::from_ref(line));
        self.take(kind, &written).await?;
        Ok(written.digest)
    }

    /// Adds lines and returns the sum of their digests. They are written elsewhere than on this thread, where other
    /// partitions are read meanwhile: digits of vectors are most of the work of a backup.
    pub(super) async fn push_all<T: Serialize + Send + 'static>(
        &mut self,
        kind: Kind,
        lines: Vec<T>,
    ) -> Result<LineDigest, PortError> {
        let written = tokio::task::spawn_blocking(move || written(kind, &lines)).await;
        let written =
            written.map_err(|panic| PortError::new(ErrorKind::Internal, "write lines", panic))?;
        self.take(kind, &written).await?;
        Ok(written.digest)
    }

    async fn take(&mut self, kind: Kind, written: &Written) -> Result<(), PortError> {
        self.state.line_bytes += written.text.len() as u64;
        if self.sink.is_none() {
            return Ok(());
        }
        let mut start = 0;
        for length in &written.lengths {
            let lines = self.state.open.entry(kind).or_default();
            if lines.text.is_empty() {
                // Address space only, until it is written: growing would copy it several times.
                lines.text.reserve(self.limits.max_bytes + USUAL_LINE_BYTES);
            }
            lines.text.push_str(&written.text[start..start + length]);
            lines.records += 1;
            start += length;
            if lines.text.len() >= self.limits.max_bytes {
                self.close(kind).await?;
            }
        }
        Ok(())
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
        let large = self.state.open.iter().filter(|(kind, lines)| {
            // Of texts and files a document has a fifth of what its vectors take: in parts as large, a change of one would
            // store many others again.
            let is_small = matches!(kind, Kind::Text | Kind::File);
            lines.text.len() >= if is_small { least_bytes / 2 } else { least_bytes }
        });
        let kinds: Vec<Kind> = large.map(|(kind, _)| *kind).collect();
        for kind in kinds {
            self.close(kind).await?;
        }
        Ok(())
    }

    async fn close(&mut self, kind: Kind) -> Result<(), PortError> {
        let state = &mut self.state;
        let (Some(store), Some(Lines { text, records })) = (&self.sink, state.open.remove(&kind))
        else {
            return Ok(());
        };
        let Stored { sha256, size_bytes, is_new } = store.put_part(kind, text).await?;
        if is_new {
            state.new_parts += 1;
            state.new_bytes += size_bytes;
        }
        state.parts.push(Part { kind, partition: state.number, sha256, size_bytes, records });
        Ok(())
    }
}
