//! How backups look to people and programs.

use lectern_app::back_up::{
    Backup, BackupState,
    prune::{Pruning, reasons},
    verify::{Damage, Fault},
};
use serde_json::{Value, json};

use crate::{failure::Failure, output::Output};

/// Returns a number of bytes for people, in powers of 1 000.
pub(super) fn bytes(bytes: u64) -> String {
    let mut unit = 1_u64;
    for name in ["B", "kB", "MB", "GB"] {
        if bytes < unit * 1_000 {
            let whole = bytes / unit;
            let tenth = bytes % unit * 10 / unit;
            return if whole < 10 && unit > 1 {
                format!("{whole}.{tenth} {name}")
            } else {
                format!("{whole} {name}")
            };
        }
        unit *= 1_000;
    }
    format!("{} TB", bytes / unit)
}

fn state(backup: &Backup) -> &'static str {
    match backup.state {
        BackupState::Running => "running",
        BackupState::Complete => "complete",
        BackupState::Failed => "failed",
    }
}

pub(super) fn row(backup: &Backup) -> Vec<String> {
    let drill = backup.drill.as_ref().map(|drill| match &drill.failure {
        None => format!("restored {}", drill.at.day()),
        Some(_) => format!("failed {}", drill.at.day()),
    });
    vec![
        backup.id.to_string(),
        backup.begun_at.to_rfc3339(),
        state(backup).to_owned(),
        backup.counts.documents.to_string(),
        backup.counts.passages.to_string(),
        bytes(backup.size_bytes + backup.counts.original_bytes),
        bytes(backup.new_bytes),
        drill.unwrap_or_default(),
    ]
}

pub(super) fn record(backup: &Backup) -> Value {
    json!({
        "id": backup.id, "state": backup.state, "is_exact": backup.is_exact, "counts": backup.counts,
        "parts": backup.parts, "size_bytes": backup.size_bytes, "new_parts": backup.new_parts,
        "new_bytes": backup.new_bytes, "digest": backup.digest, "state_digest": backup.state_digest,
        "begun_at": backup.begun_at.to_rfc3339(),
        "ended_at": backup.ended_at.map(lectern_core::time::Timestamp::to_rfc3339),
        "failure": backup.failure, "drill": backup.drill,
    })
}

pub(super) fn show(backup: &Backup, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json(&record(backup))?);
    }
    let counts = backup.counts;
    let lost = counts.missing_texts + counts.missing_passages + counts.missing_originals;
    let mut lines = vec![
        format!("id         {}", backup.id),
        format!("state      {}", state(backup)),
        format!("begun      {}", backup.begun_at.to_rfc3339()),
        format!("documents  {} in {} collections", counts.documents, counts.collections),
        format!("passages   {}", counts.passages),
        format!("files      {}, {}", counts.originals, bytes(counts.original_bytes)),
        format!("keys       {}, by their hashes", counts.keys),
        format!("parts      {}, {}", backup.parts, bytes(backup.size_bytes)),
        format!("new        {}", bytes(backup.new_bytes)),
        format!("moment     {}", if backup.is_exact { "one" } else { "more than one" }),
    ];
    lines.extend(backup.state_digest.as_ref().map(|digest| format!("digest     {digest}")));
    lines.extend(backup.failure.as_ref().map(|failure| format!("failure    {failure}")));
    if lost > 0 {
        lines.push(format!(
            "lost       {} texts, {} passages, {} files were lost before it was made",
            counts.missing_texts, counts.missing_passages, counts.missing_originals
        ));
    }
    if let Some(drill) = &backup.drill {
        let verdict = drill.failure.as_deref().unwrap_or("restored");
        lines.push(format!(
            "drill      {verdict}, {}, {} ms",
            drill.at.to_rfc3339(),
            drill.took_ms
        ));
    }
    Ok(lines.into_iter().try_for_each(|line| output.line(line))?)
}

pub(super) fn damage(damage: &Damage) -> String {
    let fault = match damage.fault {
        Fault::Missing => "missing",
        Fault::WrongSize => "wrong size",
        Fault::WrongBytes => "wrong bytes",
        Fault::Newer => "written by a newer release",
        Fault::Unreadable => "unreadable",
        Fault::Sealed => "encrypted for an identity that is not here",
    };
    format!("{}  {fault}", damage.part)
}

pub(super) fn pruned(pruning: &Pruning, is_dry_run: bool, output: &Output) -> Result<(), Failure> {
    let words = |reasons: &[lectern_app::back_up::prune::KeptBecause]| -> Vec<&'static str> {
        reasons.iter().map(|reason| reason.as_str()).collect()
    };
    if output.is_json() {
        let kept: Vec<Value> = pruning
            .kept
            .iter()
            .map(|(id, reasons)| json!({ "id": id, "because": words(reasons) }))
            .collect();
        return Ok(output.json(&json!({
            "dry_run": is_dry_run, "kept": kept, "removed": pruning.removed,
            "objects": pruning.objects, "bytes": pruning.bytes, "locked": pruning.locked,
            "reasons": reasons(pruning),
        }))?);
    }
    for (id, reasons) in &pruning.kept {
        output.line(format_args!("{id}  kept: {}", words(reasons).join(", ")))?;
    }
    let (goes, gone) = if is_dry_run { ("would go", "would be") } else { ("removed", "were") };
    for id in &pruning.removed {
        output.line(format_args!("{id}  {goes}"))?;
    }
    if pruning.locked > 0 {
        output.note(format_args!("{} objects are locked for now and stay", pruning.locked));
    }
    Ok(output.line(format_args!(
        "{} backups, {} parts and files, {} {gone} removed",
        pruning.removed.len(),
        pruning.objects,
        bytes(pruning.bytes)
    ))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_readable() {
        let shown = [0, 999, 1_000, 1_550, 12_345, 2_000_000, 7_800_000_000, 5_000_000_000_000];
        assert_eq!(
            shown.map(bytes),
            ["0 B", "999 B", "1.0 kB", "1.5 kB", "12 kB", "2.0 MB", "7.8 GB", "5 TB"]
        );
    }
}
