//! `lectern audit`.

use std::path::PathBuf;

use clap::Subcommand;
use lectern_core::time::Timestamp;

/// What is done with the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that the records are those that were written, and all of them
    Verify {
        /// Files of records, `.jsonl` or `.gz`, and folders of them; the data directory's without
        paths: Vec<PathBuf>,
        /// First UTC day whose records should all be there; 400 days ago without
        #[arg(long, value_name = "DAY", value_parser = day)]
        since: Option<Timestamp>,
    },
}

fn day(raw: &str) -> Result<Timestamp, &'static str> {
    let begin = Timestamp::parse_rfc3339(&format!("{raw}T00:00:00Z"));
    begin.ok_or("must be a day, 2026-11-01")
}
