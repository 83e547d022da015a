//! One at a time rewrites backups, and what is written is about what was read.

use futures::future::join_all;
use lectern_core::{errors::ErrorKind, ids::BackupId};
use lectern_tables::{
    Tables,
    backups::{Backup, BackupState},
};

use crate::world::{a_tenant, an_id, at};

pub(crate) async fn one_at_a_time_rewrites_backups(tables: &Tables) {
    let (tenant, other) = (a_tenant(), a_tenant());
    let erasures = tables.erasures();
    // Each asks for another time, by which its right is known.
    let asking = (0..8).map(|number| erasures.lock(&tenant, at(1), at(100 + number)));
    let got: Vec<bool> = join_all(asking).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(got.iter().filter(|got| **got).count(), 1);
    let winner = 100 + got.iter().position(|got| *got).unwrap() as u64;
    assert!(erasures.is_locked(&tenant, at(50)).await.unwrap());
    assert!(erasures.lock(&other, at(1), at(100)).await.unwrap(), "another tenant's");

    // Only who has it gives it back; who died had it until then.
    erasures.unlock(&tenant, at(winner + 1)).await.unwrap();
    assert!(!erasures.lock(&tenant, at(50), at(200)).await.unwrap());
    assert!(erasures.lock(&tenant, at(winner), at(300)).await.unwrap());
    erasures.unlock(&tenant, at(winner)).await.unwrap();
    assert!(erasures.is_locked(&tenant, at(250)).await.unwrap(), "its successor's");
    erasures.unlock(&tenant, at(300)).await.unwrap();
    assert!(!erasures.is_locked(&tenant, at(250)).await.unwrap());
}

pub(crate) async fn a_backup_is_amended_only_as_read(tables: &Tables) {
    let (tenant, backups) = (a_tenant(), tables.backups());
    let begun = Backup::begun(&tenant, BackupId::new(at(1), 7), at(1));
    backups.begin(&begun).await.unwrap();
    let ended = Backup {
        state: BackupState::Complete,
        manifest_sha256: Some("one".into()),
        ..begun.clone()
    };
    let early = backups.amend(&ended, &ended).await.unwrap_err();
    assert_eq!(early.kind, ErrorKind::Conflict, "it is running");
    backups.end(&ended).await.unwrap();

    let amended =
        Backup { manifest_sha256: Some("two".into()), erased: vec![an_id(1)], ..ended.clone() };
    backups.amend(&ended, &amended).await.unwrap();
    let late = backups.amend(&ended, &amended).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict, "somebody else amended it");
    assert_eq!(backups.get(&tenant, &begun.id).await.unwrap(), Some(amended));
}
