//! Whether documents became ready: `documents.…`.

use lectern_app::health::MAX_QUEUE_AGE;
use lectern_core::time::Timestamp;

use super::{
    Finding,
    bodies::{Documents, Listed},
};
use crate::output::one_line;

/// Documents that are named at most.
const MAX_NAMED: usize = 3;
/// Characters of a name.
const NAME_CHARS: usize = 40;

/// Whether a document failed.
pub(super) fn failed(documents: &Documents) -> Finding {
    let failed: Vec<&Listed> =
        documents.listed.iter().filter(|document| document.state == "failed").collect();
    if failed.is_empty() {
        return Finding::ok(format!("none of {} documents failed", counted(documents)));
    }
    let found =
        format!("{} of {} documents failed: {}", failed.len(), counted(documents), names(&failed));
    let next = "`lectern documents show ID` says why; then `retry` or `delete`: docs/runbooks/ingestion-stuck.md";
    Finding::attention(found, next)
}

/// Whether a document waits for longer than ingestion promises.
pub(super) fn stuck(documents: &Documents, now: Timestamp) -> Finding {
    let stuck: Vec<&Listed> =
        documents.listed.iter().filter(|document| document.is_stuck(now)).collect();
    let minutes = MAX_QUEUE_AGE.as_secs() / 60;
    if stuck.is_empty() {
        return Finding::ok(format!("no document waits for more than {minutes} minutes"));
    }
    let found = format!(
        "{} documents wait for more than {minutes} minutes: {}",
        stuck.len(),
        names(&stuck)
    );
    let next = "see whether ingestion runs (`lectern serve`, the jobs queue): docs/runbooks/ingestion-stuck.md";
    Finding::failed(found, next)
}

/// Returns how many were looked at, as it is told.
fn counted(documents: &Documents) -> String {
    let listed = documents.listed.len();
    if documents.is_cut { format!("the newest {listed}") } else { listed.to_string() }
}

fn names(documents: &[&Listed]) -> String {
    let named = documents
        .iter()
        .take(MAX_NAMED)
        .map(|document| format!("`{}` ({})", one_line(&document.name, NAME_CHARS), document.id));
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::doctor::production::Verdict;

    fn documents(state: &str, updated_at: &str) -> Documents {
        let listed = json!([{ "id": "1", "collection": "a", "name": "one.md", "state": state, "updated_at": updated_at,
            "live_version": null, "latest_version": 1, "progress": { "chunks_total": 0 } }]);
        Documents { listed: serde_json::from_value(listed).unwrap(), is_cut: false }
    }

    #[test]
    fn what_failed_is_named() {
        let found = failed(&documents("failed", ""));
        assert_eq!(found.verdict, Verdict::Attention);
        assert_eq!(found.found, "1 of 1 documents failed: `one.md` (1)");
        assert_eq!(failed(&documents("ready", "")).verdict, Verdict::Ok);
    }

    #[test]
    fn who_waits_too_long_is_stuck() {
        let now = Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap();
        for (state, since, verdict) in [
            ("queued", "2026-11-23T11:55:00Z", Verdict::Ok),
            ("queued", "2026-11-23T11:54:59Z", Verdict::Failed),
            ("processing", "2026-11-23T11:00:00Z", Verdict::Failed),
            ("deleting", "2026-11-23T11:00:00Z", Verdict::Failed),
            ("ready", "2026-11-23T11:00:00Z", Verdict::Ok),
            ("failed", "2026-11-23T11:00:00Z", Verdict::Ok),
        ] {
            assert_eq!(stuck(&documents(state, since), now).verdict, verdict, "{state} {since}");
        }
    }
}
