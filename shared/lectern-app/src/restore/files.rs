//! Canonical texts are put together from their pieces, files as uploaded are copied. What is there already stays.

use bytes::Bytes;
use lectern_core::{errors::PortError, ids::TenantId};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::{
    Restore, RestoreError,
    write::{Live, Source},
};
use crate::{
    back_up::{
        found,
        records::{FileLine, Kind, OriginalLine, TextLine},
    },
    blobs::BlobName,
};

/// A text of which some pieces were read.
struct Piecemeal {
    of: TextLine,
    text: String,
}

impl Restore {
    /// Writes the canonical texts of live versions; returns how many.
    pub(super) async fn write_texts(
        &self,
        source: &Source<'_>,
        target: &TenantId,
        live: &Live,
    ) -> Result<u64, RestoreError> {
        let mut written = 0;
        let mut open: Option<Piecemeal> = None;
        for part in source.parts(Kind::Text) {
            let lines: Vec<TextLine> = source.lines(part).await?;
            for line in lines {
                if live.get(&line.document_id) != Some(&line.version) {
                    continue;
                }
                if line.start == 0 {
                    open = Some(Piecemeal { text: String::new(), of: line.clone() });
                }
                let Some(piecemeal) = &mut open else { continue };
                let is_next = piecemeal.of.document_id == line.document_id
                    && piecemeal.text.len() as u64 == line.start;
                if !is_next {
                    open = None;
                    continue;
                }
                piecemeal.text.push_str(&line.text);
                if piecemeal.text.len() as u64 == line.total_bytes {
                    let text = std::mem::take(&mut piecemeal.text);
                    open = None;
                    let name = BlobName::text(target, &line.document_id, line.version);
                    self.put_unless_there(&name, text.into()).await?;
                    written += 1;
                }
            }
        }
        Ok(written)
    }

    /// Copies the files of live and newest versions; returns how many.
    pub(super) async fn write_originals(
        &self,
        source: &Source<'_>,
        target: &TenantId,
        live: &Live,
        newest: &Live,
    ) -> Result<u64, RestoreError> {
        let mut written = 0;
        for part in source.parts(Kind::Original) {
            let lines: Vec<OriginalLine> = source.lines(part).await?;
            for line in lines {
                let number = Some(&line.version);
                let is_wanted = live.get(&line.document_id) == number
                    || newest.get(&line.document_id) == number;
                if is_wanted {
                    self.copy_back(source, target, &line).await?;
                    written += 1;
                }
            }
        }
        for part in source.parts(Kind::File) {
            let lines: Vec<FileLine> = source.lines(part).await?;
            for FileLine { file, content } in lines {
                let number = Some(&file.version);
                let is_wanted = live.get(&file.document_id) == number
                    || newest.get(&file.document_id) == number;
                if is_wanted {
                    let bytes = content.into_bytes().filter(|bytes| is_it(bytes, &file));
                    let bytes = bytes.ok_or_else(|| unusable(&file))?;
                    let name = BlobName::raw(target, &file.document_id, &file.sha256);
                    self.put_unless_there(&name, bytes).await?;
                    written += 1;
                }
            }
        }
        Ok(written)
    }

    async fn copy_back(
        &self,
        source: &Source<'_>,
        target: &TenantId,
        line: &OriginalLine,
    ) -> Result<(), RestoreError> {
        let name = BlobName::raw(target, &line.document_id, &line.sha256);
        if found(self.files().size(&name).await)? == Some(line.size_bytes) {
            return Ok(());
        }
        let bytes = source.store.bytes(&source.store.file(&line.sha256)).await?;
        let bytes = bytes.filter(|bytes| is_it(bytes, line)).ok_or_else(|| unusable(line))?;
        Ok(self.files().put(&name, bytes).await?)
    }

    async fn put_unless_there(&self, name: &BlobName, bytes: Bytes) -> Result<(), PortError> {
        let size = found(self.files().size(name).await)?;
        if size == Some(bytes.len() as u64) {
            return Ok(());
        }
        self.files().put(name, bytes).await
    }
}

fn is_it(bytes: &Bytes, file: &OriginalLine) -> bool {
    hex::encode(Sha256::digest(bytes)) == file.sha256
}

fn unusable(file: &OriginalLine) -> RestoreError {
    warn!(document.id = %file.document_id, "a file as uploaded is missing from the backup, or damaged");
    let reason = format!("the file {} of the backup is missing or damaged", file.sha256);
    RestoreError::Unusable(reason)
}
