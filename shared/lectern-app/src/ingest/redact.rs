//! Personal data is covered before anything of a document is stored, where its collection wants that.

use lectern_core::{
    document::DocumentVersion,
    errors::{ErrorKind, PortError},
    text::ParsedText,
};

use super::Ingest;
use crate::collections::settings_of;

impl Ingest {
    /// Returns the text without what the collection's settings keep from the index; they are read once for each version.
    pub(super) async fn redact(
        &self,
        version: &DocumentVersion,
        mut text: ParsedText,
    ) -> Result<ParsedText, PortError> {
        let collections = self.tables.collections();
        let collection = collections.get(&version.tenant, &version.collection).await?;
        let safety = collection.map(|collection| settings_of(&collection).safety);
        let kinds = safety.unwrap_or_default().redact_at_ingestion();
        if kinds.is_empty() {
            return Ok(text);
        }
        let redacting = tokio::task::spawn_blocking(move || {
            text.redact(kinds);
            text
        });
        redacting.await.map_err(|panic| PortError::new(ErrorKind::Internal, "redact", panic))
    }
}
