//! Listing, status, retry, and the text a citation points into.

use lectern_core::{
    auth::Caller,
    document::{Document, DocumentState, Version},
    errors::{ErrorKind, PortError},
    ids::{CollectionId, DocumentId},
};
use lectern_tables::{Page, Tables};

use crate::{
    blobs::{BlobName, Blobs},
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
    /// the live one.
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
        let versions = self.tables.versions();
        let stored = versions.get(&caller.tenant, id, version).await?;
        if stored.is_none_or(|stored| !caller.may_read(&stored.acl)) {
            return Err(FlowError::NotFound("text"));
        }
        let name = BlobName::text(&caller.tenant, id, version);
        let size = self.blobs.size(&name).await.map_err(no_text)?;
        let total_bytes = usize::try_from(size).unwrap_or(usize::MAX);
        let end =
            end.unwrap_or(total_bytes).min(total_bytes).min(start.saturating_add(MAX_TEXT_BYTES));
        if start > end {
            return Err(FlowError::field(
                "/start",
                format!("must be at most `end` and at most {total_bytes}"),
            ));
        }

        // Up to three bytes more on each side hold the rest of a character that was cut.
        let from = start.saturating_sub(3);
        let to = (end + 3).min(total_bytes);
        let bytes = self.blobs.range(&name, from as u64..to as u64).await.map_err(no_text)?;
        let (first, last) = snap(&bytes, start - from, end - from);
        let text = String::from_utf8_lossy(&bytes[first..last]).into_owned();
        Ok(TextPiece { version, start: from + first, end: from + last, text, total_bytes })
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
