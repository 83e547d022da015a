//! One document is read whole.

use lectern_core::{
    document::{Document, DocumentState, Version},
    errors::{ErrorKind, PortError},
    passage::Scope,
};
use lectern_tables::backups::BackupCounts;
use tracing::warn;

use super::{
    BackUp,
    parts::Partition,
    records::{Kind, PassageLine, TextLine, version_line},
};
use crate::blobs::BlobName;

const OPERATION: &str = "read document";
/// Points read at once.
const POINTS_PER_PAGE: usize = 128;
/// Bytes of a canonical text read at once; a line holds no more of it.
const TEXT_PIECE_BYTES: u64 = 256 << 10;
/// How often a document is read anew because another version of it went live meanwhile.
const MAX_READS: usize = 8;

impl BackUp {
    /// Reads documents of one partition, one after the other.
    pub(super) async fn read_in_order(
        &self,
        partition: &mut Partition,
        documents: Vec<Document>,
    ) -> Result<(), PortError> {
        for document in documents {
            let id = document.id.clone();
            self.read_document(partition, document).await?;
            partition.end(&id).await?;
        }
        Ok(())
    }

    /// Reads what the live version consists of, then the record again: only a record that still shows this version is
    /// backed up. Passages and texts of other versions that are in the parts by then count for nothing, as in a search.
    async fn read_document(
        &self,
        partition: &mut Partition,
        mut document: Document,
    ) -> Result<(), PortError> {
        for _ in 0..MAX_READS {
            if is_leaving(&document) {
                return Ok(());
            }
            let content = self.read_content(partition, &document).await?;
            let now = self.tables.documents().get(&document.tenant, &document.id).await?;
            let Some(now) = now.filter(|now| !is_leaving(now)) else { return Ok(()) };
            let is_same = now.live_version == document.live_version;
            document = now;
            if is_same && self.write_records(partition, &document, &content).await? {
                return Ok(());
            }
        }
        Err(PortError::new(ErrorKind::Conflict, OPERATION, "the document kept changing"))
    }

    /// Writes text and passages of the live version.
    async fn read_content(
        &self,
        partition: &mut Partition,
        document: &Document,
    ) -> Result<Content, PortError> {
        let Some(version) = document.live_version else { return Ok(Content::default()) };
        let has_text = self.read_text(partition, document, version).await?;
        let passages = self.read_passages(partition, document, version).await?;
        Ok(Content { has_text, passages })
    }

    /// Writes the canonical text in pieces; returns whether it was there.
    async fn read_text(
        &self,
        partition: &mut Partition,
        document: &Document,
        version: Version,
    ) -> Result<bool, PortError> {
        let name = BlobName::text(&document.tenant, &document.id, version);
        let Some(total_bytes) = found(self.blobs.size(&name).await)? else { return Ok(false) };
        let mut start = 0;
        loop {
            let end = total_bytes.min(start + TEXT_PIECE_BYTES);
            let Some(bytes) = found(self.blobs.range(&name, start..end).await)? else {
                return Ok(false);
            };
            let Some(text) = whole_characters(&bytes) else { return Ok(false) };
            let (text, document_id) = (text.to_owned(), document.id.clone());
            let read = text.len() as u64;
            let line = TextLine { document_id, version, start, total_bytes, text };
            partition.push(Kind::Text, &line).await?;
            start += read;
            if start >= total_bytes {
                return Ok(true);
            }
            if read == 0 {
                return Ok(false);
            }
        }
    }

    /// Writes the passages in the order of their ids; returns how many there are.
    async fn read_passages(
        &self,
        partition: &mut Partition,
        document: &Document,
        version: Version,
    ) -> Result<u64, PortError> {
        let scope = Scope::document(&document.tenant, &document.id).with_versions(version, version);
        let (mut from, mut read) = (None, 0);
        loop {
            let page = self.reader.scroll(&scope, from, POINTS_PER_PAGE).await?;
            for point in page.points {
                partition.push(Kind::Passage, &PassageLine::from(point)).await?;
                read += 1;
            }
            from = page.next;
            if from.is_none() {
                return Ok(read);
            }
        }
    }

    /// Writes the records of a document whose content was read; returns `false` when one of them left meanwhile.
    async fn write_records(
        &self,
        partition: &mut Partition,
        document: &Document,
        content: &Content,
    ) -> Result<bool, PortError> {
        let Document { tenant, id, live_version, latest_version, .. } = document;
        let older = live_version.filter(|live| live != latest_version);
        let mut versions = Vec::new();
        for number in older.into_iter().chain([*latest_version]) {
            let version = self.tables.versions().get(tenant, id, number).await?;
            let Some(version) = version else { return Ok(false) };
            versions.push(version);
        }

        let live = versions.iter().find(|version| Some(version.version) == *live_version);
        let expected = live.map_or(0, |version| u64::from(version.chunk_count));
        let counts = BackupCounts {
            documents: 1,
            versions: versions.len() as u64,
            texts: u64::from(content.has_text),
            passages: content.passages,
            missing_texts: u64::from(live.is_some() && !content.has_text),
            missing_passages: expected.saturating_sub(content.passages),
            ..BackupCounts::default()
        };
        if counts.missing_texts + counts.missing_passages > 0 {
            warn!(document.id = %id, missing_texts = counts.missing_texts, missing_passages = counts.missing_passages, "a document is backed up without all that its record says it has");
        }
        partition.counts += counts;
        for version in versions {
            partition.push(Kind::Version, &version_line(version)).await?;
        }
        partition.push(Kind::Document, document).await?;
        Ok(true)
    }
}

/// What was read of a live version.
#[derive(Debug, Default)]
struct Content {
    has_text: bool,
    passages: u64,
}

fn is_leaving(document: &Document) -> bool {
    matches!(document.state, DocumentState::Deleting | DocumentState::Deleted)
}

/// Returns what is there, `None` when nothing is.
fn found<T>(read: Result<T, PortError>) -> Result<Option<T>, PortError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the bytes without a character that is cut at their end, `None` when they are no text.
fn whole_characters(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_text_are_whole_characters() {
        let text = "aی😀b";
        for end in 0..=text.len() {
            let piece = whole_characters(&text.as_bytes()[..end]).unwrap();
            assert!(text.starts_with(piece) && end - piece.len() < 4, "{end}");
        }
        assert_eq!(whole_characters(b"a\xffb"), None);
    }
}
