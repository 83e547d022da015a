//! The audit log.

use lectern_core::audit::Head;
use serde::Serialize;
use utoipa::ToSchema;

/// Where a stream of the audit log ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditHeadBody {
    /// Which stream: what one process writes.
    pub stream: String,
    /// How many records it had, at least.
    pub length: u64,
    /// SHA-256 of the last of them, lower-case hex.
    pub hash: String,
    /// When that was, RFC 3339.
    #[schema(format = DateTime)]
    pub at: String,
}

impl From<Head> for AuditHeadBody {
    fn from(head: Head) -> Self {
        let Head { stream, length, hash, at } = head;
        Self { stream: stream.into(), length, hash, at: at.to_rfc3339() }
    }
}

/// Where the streams of the audit log end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditHeadsBody {
    /// The streams, oldest first.
    pub heads: Vec<AuditHeadBody>,
}
