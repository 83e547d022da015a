//! The audit log of a data directory: a file for each UTC day.

use std::path::{Path, PathBuf};

use lectern_app::clock::Clock;
use lectern_core::errors::{ErrorKind, PortError};
use lectern_runtime::audit::Audit;
use lectern_tables::audit::AuditHeads;
use tracing_appender::rolling::{RollingFileAppender, Rotation};

use super::Local;

/// What the files' names begin with.
const PREFIX: &str = "audit";
/// What they end with: JSON Lines.
const SUFFIX: &str = "jsonl";

/// Returns where the files are.
pub(crate) fn directory(data: &Path) -> PathBuf {
    data.join("audit")
}

/// Opens the log; of older files than `days` the oldest are removed.
pub(super) fn open(data: &Path, days: usize, clock: &Clock) -> Result<Audit, PortError> {
    let failed = |error| PortError::new(ErrorKind::Unavailable, "open the audit log", error);
    // The appender looks for old files first, and says on standard error when there is no directory yet.
    std::fs::create_dir_all(directory(data)).map_err(failed)?;
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(PREFIX)
        .filename_suffix(SUFFIX)
        .max_log_files(days.max(1))
        .build(directory(data))
        .map_err(|error| PortError::new(ErrorKind::Unavailable, "open the audit log", error))?;
    Ok(Audit::new(files, clock.clone()))
}

impl Local {
    /// Tells the table where the log ends, when anything was written to it.
    pub(super) async fn tell_end(&self, heads: &AuditHeads<'_>) -> Result<(), PortError> {
        let head = self.audit.head();
        if head.length == 0 { Ok(()) } else { heads.keep(&head).await }
    }
}
