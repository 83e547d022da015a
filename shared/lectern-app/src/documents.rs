//! Listing, status, retry, and the text a citation points into.

use lectern_core::{
    auth::Caller,
    document::{Document, DocumentState, Version},
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId},
    personal::Kinds,
    redaction::redacted,
};
use lectern_tables::{Page, Tables};

use crate::{
    blobs::{BlobName, Blobs},
    collections::settings_of,
    errors::FlowError,
};

/// Most documents of one page of a listing.
pub const MAX_PAGE: usize = lectern_tables::MAX_PAGE;
/// Most bytes of one piece of canonical text.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// A piece of a document's canonical text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPiece {
    /// The version it is from.
    pub version: Version,
    /// First byte, moved back to a character boundary.
    pub start: usize,
    /// One past the last byte, moved on to a character boundary.
    pub end: usize,
    /// The bytes at `start..end`.
    pub text: String,
    /// Length of the whole canonical text in bytes.
    pub total_bytes: usize,
}

/// Reads documents.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The table.
    pub tables: Tables,
    /// The files.
    pub blobs: Blobs,
}

impl Documents {
    /// Returns one page of a collection's documents, newest first.
    ///
    /// # Errors
    /// When the caller may not read there, a field is wrong, or a port fails.
    pub async fn list(
        &self,
        caller: &Caller,
        collection: &CollectionId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Document>, FlowError> {
        if !caller.may_touch(collection) {
            return Err(FlowError::NotFound("collection"));
        }
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(FlowError::field("/limit", format!("must be 1 to {MAX_PAGE}")));
        }
        let page =
            self.tables.documents().list(&caller.tenant, collection, None, limit, cursor).await;
        match page {
            Err(error) if error.kind == ErrorKind::Invalid => {
                Err(FlowError::field("/cursor", "must be a `next_cursor` of an earlier page"))
            }
            other => {
                let mut page = other?;
                page.items.retain(|document| caller.may_read(&document.acl));
                Ok(page)
            }
        }
    }

    /// Returns a document's record.
    ///
    /// # Errors
    /// `NotFound` when it does not exist, was deleted, or is not the caller's to see.
    pub async fn get(&self, caller: &Caller, id: &DocumentId) -> Result<Document, FlowError> {
        let document = self.tables.documents().get(&caller.tenant, id).await?;
        let readable = |document: &Document| {
            caller.may_touch(&document.collection)
                && caller.may_read(&document.acl)
                && document.state != DocumentState::Deleted
        };
        document.filter(readable).ok_or(FlowError::NotFound("document"))
    }

    /// Returns canonical text in `start..end`, at most [`MAX_TEXT_BYTES`] of it, of `version` or else of
    /// the live one, with the personal data covered that the collection's settings name.
    ///
    /// # Errors
    /// `NotFound` as in [`Self::get`], or when that version has no text; `Invalid` for a range that is none.
    pub async fn text(
        &self,
        caller: &Caller,
        id: &DocumentId,
        version: Option<Version>,
        start: usize,
        end: Option<usize>,
    ) -> Result<TextPiece, FlowError> {
        let document = self.get(caller, id).await?;
        if document.state == DocumentState::Deleting {
            return Err(FlowError::NotFound("document"));
        }
        let version = version.or(document.live_version).ok_or(FlowError::NotFound("text"))?;

        // Each version has the ACL it was uploaded with; a wider one does not open what was closed.
        let (versions, collections) = (self.tables.versions(), self.tables.collections());
        let (stored, collection) = tokio::try_join!(
            versions.get(&caller.tenant, id, version),
            collections.get(&caller.tenant, &document.collection)
        )?;
        if stored.is_none_or(|stored| !caller.may_read(&stored.acl)) {
            return Err(FlowError::NotFound("text"));
        }
        let name = BlobName::text(&caller.tenant, id, version);
        let kinds = collection.map_or(Kinds::NONE, |it| settings_of(&it).safety.redact);
        let wanted = Wanted { name, version, start, end };
        if kinds.is_empty() {
            self.stored_piece(wanted).await
        } else {
            self.redacted_piece(wanted, kinds).await
        }
    }

    /// Returns a piece of a text as it is stored; nothing but the piece is read.
    async fn stored_piece(&self, wanted: Wanted) -> Result<TextPiece, FlowError> {
        let size = self.blobs.size(&wanted.name).await.map_err(no_text)?;
        let total_bytes = usize::try_from(size).unwrap_or(usize::MAX);
        let (start, end) = (wanted.start, wanted.end_within(total_bytes)?);

        // Up to three bytes more on each side hold the rest of a character that was cut.
        let from = start.saturating_sub(3);
        let to = (end + 3).min(total_bytes);
        let bytes =
            self.blobs.range(&wanted.name, from as u64..to as u64).await.map_err(no_text)?;
        let (first, last) = snap(&bytes, start - from, end - from);
        let text = String::from_utf8_lossy(&bytes[first..last]).into_owned();
        let (start, end) = (from + first, from + last);
        Ok(TextPiece { version: wanted.version, start, end, text, total_bytes })
    }

    /// Returns a piece of a text with personal data covered. What a number is may be said before the piece, so that all of
    /// the text is read, which ingestion bounds.
    async fn redacted_piece(&self, wanted: Wanted, kinds: Kinds) -> Result<TextPiece, FlowError> {
        let bytes = self.blobs.get(&wanted.name).await.map_err(no_text)?;
        let end = wanted.end_within(bytes.len())?;
        let redacting = tokio::task::spawn_blocking(move || {
            redacted(String::from_utf8_lossy(&bytes).into_owned(), kinds)
        });
        let whole = redacting.await;
        let whole = whole.map_err(|panic| PortError::new(ErrorKind::Internal, "redact", panic))?;
        let (start, end) = snap(whole.as_bytes(), wanted.start, end);
        let (text, total_bytes) = (whole[start..end].to_owned(), whole.len());
        Ok(TextPiece { version: wanted.version, start, end, text, total_bytes })
    }
}

/// A piece of a text that is asked for.
struct Wanted {
    name: BlobName,
    version: Version,
    start: usize,
    end: Option<usize>,
}

impl Wanted {
    /// Returns where the piece ends in a text of this length.
    fn end_within(&self, total_bytes: usize) -> Result<usize, FlowError> {
        let longest = self.start.saturating_add(MAX_TEXT_BYTES);
        let end = self.end.unwrap_or(total_bytes).min(total_bytes).min(longest);
        if self.start > end {
            let rule = format!("must be at most `end` and at most {total_bytes}");
            return Err(FlowError::field("/start", rule));
        }
        Ok(end)
    }
}

fn no_text(error: PortError) -> FlowError {
    match error.kind {
        ErrorKind::NotFound => FlowError::NotFound("text"),
        _ => error.into(),
    }
}

/// Moves `start` back and `end` on to the nearest character boundaries.
fn snap(bytes: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    while start > 0 && continues(start) {
        start -= 1;
    }
    while end < bytes.len() && continues(end) {
        end += 1;
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapping_never_cuts_a_character() {
        let text = "aی😀b";
        for start in 0..=text.len() {
            for end in start..=text.len() {
                let (first, last) = snap(text.as_bytes(), start, end);
                assert!(text.get(first..last).is_some(), "{start}..{end}");
                assert!(first <= start && last >= end);
            }
        }
    }
}
