//! The content of one version is copied: its canonical text, its passages, the file it was made from, its record.

use lectern_core::{
    document::{Document, DocumentVersion, Version},
    errors::{ErrorKind, PortError},
};
use lectern_tables::backups::BackupCounts;
use tracing::warn;

use super::{
    BackUp,
    copied::Content,
    digest::LineDigest,
    parts::Partition,
    passages::Passages,
    records::{Kind, OriginalLine, TextLine, version_line},
};
use crate::blobs::BlobName;

/// Bytes of a canonical text read at once; a line holds no more of it.
const TEXT_PIECE_BYTES: u64 = 256 << 10;

impl BackUp {
    /// Copies what a document's live version consists of.
    pub(super) async fn copy_content(
        &self,
        partition: &mut Partition,
        document: &Document,
        version: DocumentVersion,
        passages: Passages,
    ) -> Result<Content, PortError> {
        let live = version.version;
        let mut digest = LineDigest::default();
        let has_text = self.copy_text(partition, document, live, &mut digest).await?;
        let read = self.copy_passages(partition, document, live, passages, &mut digest).await?;
        let expected = u64::from(version.chunk_count);
        let mut counts = BackupCounts {
            versions: 1,
            texts: u64::from(has_text),
            missing_texts: u64::from(!has_text),
            passages: read,
            missing_passages: expected.saturating_sub(read),
            ..BackupCounts::default()
        };
        counts += self.copy_version(partition, version, &mut digest).await?;
        if counts.missing_texts + counts.missing_passages > 0 {
            warn!(document.id = %document.id, missing_texts = counts.missing_texts, missing_passages = counts.missing_passages, "a document is backed up without all that its record says it has");
        }
        let created_at = document.created_at;
        Ok(Content { version: live, created_at, digest, counts })
    }

    /// Copies a version's record and the file it was made from; returns what of the latter there is.
    pub(super) async fn copy_version(
        &self,
        partition: &mut Partition,
        version: DocumentVersion,
        digest: &mut LineDigest,
    ) -> Result<BackupCounts, PortError> {
        let mut counts = BackupCounts::default();
        if self.originals {
            let has_original = self.copy_original(partition, &version).await?;
            counts.originals = u64::from(has_original);
            counts.missing_originals = u64::from(!has_original);
            if has_original {
                counts.original_bytes = version.size_bytes;
                *digest += LineDigest::of_line(Kind::Original, &OriginalLine::of(&version));
            }
        }
        *digest += partition.push(Kind::Version, &version_line(version)).await?;
        Ok(counts)
    }

    /// Writes the canonical text in pieces; returns whether it was there.
    async fn copy_text(
        &self,
        partition: &mut Partition,
        document: &Document,
        version: Version,
        digest: &mut LineDigest,
    ) -> Result<bool, PortError> {
        let name = BlobName::text(&document.tenant, &document.id, version);
        let whole = found(self.blobs.get_small(&name, TEXT_PIECE_BYTES).await)?;
        let Some((total_bytes, mut whole)) = whole else { return Ok(false) };
        let mut start = 0;
        loop {
            let end = total_bytes.min(start + TEXT_PIECE_BYTES);
            let bytes = match whole.take() {
                Some(bytes) => bytes,
                None => match found(self.blobs.range(&name, start..end).await)? {
                    Some(bytes) => bytes,
                    None => return Ok(false),
                },
            };
            let Some(text) = whole_characters(&bytes) else { return Ok(false) };
            let (text, document_id) = (text.to_owned(), document.id.clone());
            let read = text.len() as u64;
            let line = TextLine { document_id, version, start, total_bytes, text };
            *digest += partition.push(Kind::Text, &line).await?;
            start += read;
            if start >= total_bytes {
                return Ok(true);
            }
            if read == 0 {
                return Ok(false);
            }
        }
    }
}

/// Returns what is there, `None` when nothing is.
pub(crate) fn found<T>(read: Result<T, PortError>) -> Result<Option<T>, PortError> {
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
