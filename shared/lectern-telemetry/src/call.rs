//! What Lectern depends on, and the words for how a call of it ended.

use lectern_core::errors::ErrorKind;

/// What Lectern depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// The files.
    Blobs,
    /// What writes answers.
    Chat,
    /// What makes vectors.
    Embedder,
    /// The passages.
    Index,
    /// The rings for the ingestion worker.
    Queue,
    /// What reorders passages.
    Reranker,
    /// The records.
    Table,
}

impl Dependency {
    /// Returns the word of labels, spans and health checks.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blobs => "blobs",
            Self::Chat => "chat",
            Self::Embedder => "embedder",
            Self::Index => "index",
            Self::Queue => "queue",
            Self::Reranker => "reranker",
            Self::Table => "table",
        }
    }
}

/// What stands for a call that went well.
pub const OK: &str = "ok";
/// What stands for a call nobody waited for to its end: its time was over, or its asker gone.
pub const CANCELLED: &str = "cancelled";

/// Returns the word that labels and spans have for a kind of error.
#[must_use]
pub fn word_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::Unauthenticated => "unauthenticated",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::RateLimited { .. } => "rate_limited",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Internal => "internal",
    }
}
