//! Whether data could be restored: `backups.…`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use lectern_app::health::{MAX_BACKUP_AGE, MAX_DRILL_AGE};
use lectern_core::time::Timestamp;
use serde::Deserialize;

use super::{
    Finding,
    bodies::Backup,
    facts::{Fact, within},
    place::Place,
};
use crate::{api::Api, compose::LOCAL_TENANT, output::harmless};

/// How long looking at every part of a backup may take.
const VERIFY_TIME: Duration = Duration::from_secs(120);
const HOUR: u64 = 60 * 60;
/// Why a line about the store is left out.
const ELSEWHERE: &str = "the store of backups is elsewhere: name the data directory with --data; on AWS see docs/PRODUCTION.md#data-safety";

#[derive(Deserialize)]
struct Verification {
    is_whole: bool,
    parts: u64,
    damaged: u64,
}

/// The one field of a manifest that is looked at.
#[derive(Deserialize)]
struct Manifest {
    sealed_for: Option<String>,
}

/// Returns the newest complete backup.
fn newest(backups: &[Backup]) -> Option<&Backup> {
    let complete = backups.iter().filter(|backup| backup.state == "complete");
    complete.max_by(|one, other| one.begun_at.cmp(&other.begun_at))
}

fn hours_since(at: &str, now: Timestamp) -> Option<(Duration, u64)> {
    let age = now.since(Timestamp::parse_rfc3339(at)?);
    Some((age, age.as_secs() / HOUR))
}

/// Whether there is a backup of today.
pub(super) fn fresh(backups: &[Backup], now: Timestamp) -> Finding {
    let next = "`lectern backup create` (POST /v1/backups) daily: docs/BACKUPS.md; deployed docs/runbooks/data-loss.md#6-backups-are-old";
    let age = newest(backups).and_then(|backup| hours_since(&backup.begun_at, now));
    match age {
        None => Finding::failed("there is no complete backup", next),
        Some((age, hours)) if age > MAX_BACKUP_AGE => {
            Finding::failed(format!("the newest backup is {hours} hours old, more than 26"), next)
        }
        Some((_, hours)) => Finding::ok(format!("the newest backup is {hours} hours old")),
    }
}

/// Whether a backup was restored lately, to see that it can be.
pub(super) fn drill(backups: &[Backup], now: Timestamp) -> Finding {
    let next =
        "`lectern backup drill` weekly; deployed docs/runbooks/data-loss.md#6-backups-are-old";
    let drills = backups.iter().filter_map(|backup| backup.drill.as_ref());
    let Some(last) = drills.max_by(|one, other| one.at.cmp(&other.at)) else {
        return Finding::attention("no backup was ever restored for a drill", next);
    };
    if let Some(failure) = &last.failure {
        return Finding::failed(format!("the last drill failed: {}", harmless(failure)), next);
    }
    match hours_since(&last.at, now) {
        Some((age, hours)) if age <= MAX_DRILL_AGE => {
            Finding::ok(format!("the last drill was {} days ago", hours / 24))
        }
        _ => Finding::attention("the last drill was more than 8 days ago", next),
    }
}

/// Whether all of the newest backup is in its store.
pub(super) async fn whole(api: &Api, backups: &Fact<Vec<Backup>>) -> Finding {
    let newest = match backups.as_deref().map(newest) {
        Ok(Some(backup)) => backup,
        Ok(None) => return Finding::skipped("there is no backup to verify: see `backups.fresh`"),
        Err(finding) => return finding.clone(),
    };
    let path = format!("/v1/backups/{}/verify", harmless(&newest.id));
    match within(VERIFY_TIME, api.post::<Verification>(&path)).await {
        Ok(Verification { is_whole: true, parts, .. }) => {
            Finding::ok(format!("all {parts} parts and files of {} are there", newest.id))
        }
        Ok(Verification { damaged, parts, .. }) => {
            let found =
                format!("{damaged} of {parts} parts and files of {} are damaged", newest.id);
            let next = "`lectern backup verify latest --read-data` names them; make another: docs/runbooks/data-loss.md";
            Finding::failed(found, next)
        }
        Err(finding) => finding,
    }
}

/// Whether the newest backup is encrypted by a key that is kept apart.
pub(super) fn encrypted(place: &Place, backups: &Fact<Vec<Backup>>) -> Finding {
    let Some(store) = store(place) else { return Finding::skipped(ELSEWHERE) };
    let newest = match backups.as_deref().map(newest) {
        Ok(Some(backup)) => backup,
        Ok(None) => return Finding::skipped("there is no backup to look at: see `backups.fresh`"),
        Err(finding) => return finding.clone(),
    };
    match manifest(&store, &newest.id) {
        Ok(Manifest { sealed_for: Some(_) }) => Finding::ok("the newest backup is encrypted"),
        Ok(Manifest { sealed_for: None }) => {
            let next = "set LECTERN_BACKUP_IDENTITY: docs/BACKUPS.md#encrypted-before-they-leave";
            Finding::attention("who reads the store of backups reads all documents", next)
        }
        Err(error) => {
            let found = format!("the manifest of {} cannot be read: {error}", newest.id);
            Finding::failed(
                found,
                "see that LECTERN_BACKUPS_DIRECTORY is the server's; docs/runbooks/data-loss.md",
            )
        }
    }
}

/// Reads the manifest of a backup, which is readable whoever its parts are encrypted for.
fn manifest(store: &Path, id: &str) -> io::Result<Manifest> {
    let folder = store.join("manifests").join(LOCAL_TENANT);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&format!("{id}-")) {
            return Ok(serde_json::from_slice(&fs::read(entry.path())?)?);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Whether backups outlive the disk with the data.
pub(super) fn apart(place: &Place) -> Finding {
    let (Some(data), Some(store)) = (&place.data, store(place)) else {
        return Finding::skipped(ELSEWHERE);
    };
    match (disk(data), disk(&store)) {
        (Ok(data), Ok(store)) => judge_disks(data, store),
        (Err(error), _) | (_, Err(error)) => {
            let found = format!("the disk of {} cannot be told: {error}", store.display());
            Finding::failed(found, "see that LECTERN_BACKUPS_DIRECTORY is the server's")
        }
    }
}

fn judge_disks(data: Option<u64>, store: Option<u64>) -> Finding {
    match (data, store) {
        (Some(data), Some(store)) if data != store => {
            Finding::ok("backups lie on another disk than the data")
        }
        (Some(_), Some(_)) => {
            let next = "put LECTERN_BACKUPS_DIRECTORY on another disk, or copy the folder elsewhere each day";
            Finding::attention("backups lie on the disk with the data and are lost with it", next)
        }
        _ => Finding::skipped("disks cannot be told apart here; look at it yourself"),
    }
}

/// Returns where backups are kept.
fn store(place: &Place) -> Option<PathBuf> {
    let settings = place.settings.as_ref()?;
    let data = place.data.as_ref()?;
    Some(settings.backups_directory.clone().unwrap_or_else(|| data.join("backups")))
}

#[cfg(unix)]
fn disk(path: &Path) -> io::Result<Option<u64>> {
    Ok(Some(std::os::unix::fs::MetadataExt::dev(&fs::metadata(path)?)))
}

#[cfg(not(unix))]
fn disk(path: &Path) -> io::Result<Option<u64>> {
    fs::metadata(path).map(|_| None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::doctor::production::Verdict;

    fn now() -> Timestamp {
        Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap()
    }

    fn backup(state: &str, begun_at: &str, drill: Option<(&str, Option<&str>)>) -> Backup {
        let drill = drill.map(|(at, failure)| json!({ "at": at, "failure": failure }));
        serde_json::from_value(
            json!({ "id": begun_at, "state": state, "begun_at": begun_at, "drill": drill }),
        )
        .unwrap()
    }

    #[test]
    fn a_backup_is_fresh_for_26_hours() {
        let (fresh_one, old) = ("2026-11-22T10:00:00Z", "2026-11-22T09:59:59Z");
        for (backups, verdict) in [
            (vec![], Verdict::Failed),
            (vec![backup("running", fresh_one, None)], Verdict::Failed),
            (vec![backup("complete", old, None)], Verdict::Failed),
            (
                vec![backup("failed", fresh_one, None), backup("complete", old, None)],
                Verdict::Failed,
            ),
            (vec![backup("complete", old, None), backup("complete", fresh_one, None)], Verdict::Ok),
        ] {
            assert_eq!(fresh(&backups, now()).verdict, verdict, "{backups:?}");
        }
    }

    #[test]
    fn the_last_drill_counts() {
        let at = "2026-11-22T00:00:00Z";
        let one = |drill| [backup("complete", at, drill)];
        for (backups, verdict) in [
            (one(None), Verdict::Attention),
            (one(Some(("2026-11-15T12:00:00Z", None))), Verdict::Ok),
            (one(Some(("2026-11-15T11:59:59Z", None))), Verdict::Attention),
            (one(Some((at, Some("differs")))), Verdict::Failed),
        ] {
            assert_eq!(drill(&backups, now()).verdict, verdict, "{backups:?}");
        }
        let mended = [
            backup("complete", at, Some(("2026-11-22T03:00:00Z", Some("differs")))),
            backup("complete", at, Some(("2026-11-22T04:00:00Z", None))),
        ];
        assert_eq!(drill(&mended, now()).verdict, Verdict::Ok);
    }

    #[test]
    fn a_disk_of_its_own_is_wanted() {
        assert_eq!(judge_disks(Some(1), Some(2)).verdict, Verdict::Ok);
        assert_eq!(judge_disks(Some(1), Some(1)).verdict, Verdict::Attention);
        assert_eq!(judge_disks(None, None).verdict, Verdict::Skipped);
    }
}
