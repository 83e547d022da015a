//! How long things are kept: `retention.…`.

use super::{Finding, bodies::Collection, place::Place};

/// Days of the audit log that an audit of a year needs.
const YEAR_DAYS: usize = 365;
/// Collections that are named at most.
const MAX_NAMED: usize = 3;

/// Whether somebody decided how long each collection keeps documents.
pub(super) fn documents(collections: &[Collection]) -> Finding {
    let undecided: Vec<&Collection> = collections
        .iter()
        .filter(|collection| collection.settings["retention"]["days"].is_null())
        .collect();
    if undecided.is_empty() {
        let found = format!("{} collections say how long they keep documents", collections.len());
        return Finding::ok(found);
    }
    let names: Vec<String> =
        undecided.iter().take(MAX_NAMED).map(|one| format!("`{}`", one.id)).collect();
    let found = format!(
        "{} of {} collections keep documents for good, as nobody said otherwise: {}",
        undecided.len(),
        collections.len(),
        names.join(", ")
    );
    let next = "`lectern collections set ID '{\"retention\": {\"days\": 365}}'`; 36500 is for good on purpose: docs/SECURITY.md#erasure-and-retention";
    Finding::attention(found, next)
}

/// Whether the audit log is kept for a year.
pub(super) fn audit(place: &Place) -> Finding {
    match &place.settings {
        Some(settings) => judge_days(settings.audit_days),
        None => Finding::skipped(
            "it is a setting of the server's process, deployed `AuditRetentionDays`",
        ),
    }
}

fn judge_days(days: usize) -> Finding {
    let found = format!("the audit log is kept for {days} days");
    if days >= YEAR_DAYS {
        return Finding::ok(found);
    }
    Finding::attention(
        found,
        "leave LECTERN_AUDIT_DAYS out, for 400: docs/SECURITY.md#the-audit-log",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::doctor::production::Verdict;

    #[test]
    fn each_collection_wants_a_decision() {
        let collection = |id: &str, days: Option<u32>| Collection {
            id: id.into(),
            settings: json!({ "retention": { "days": days } }),
        };
        let decided = [collection("a", Some(30)), collection("b", Some(36_500))];
        assert_eq!(documents(&decided).verdict, Verdict::Ok);
        let one_is_not = [collection("a", Some(30)), collection("b", None)];
        let found = documents(&one_is_not);
        assert_eq!(found.verdict, Verdict::Attention);
        assert!(found.found.ends_with("`b`"), "{found:?}");
    }

    #[test]
    fn a_year_of_the_audit_log_is_wanted() {
        assert_eq!(judge_days(YEAR_DAYS).verdict, Verdict::Ok);
        assert_eq!(judge_days(YEAR_DAYS - 1).verdict, Verdict::Attention);
    }
}
