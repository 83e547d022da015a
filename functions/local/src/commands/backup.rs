//! `lectern backup`: backups of a data directory, and what is restored from them.

mod restoring;
mod shown;

use std::time::Duration;

use lectern_app::{
    back_up::{Backup, prune::Pruning, verify::Depth},
    errors::FlowError,
};
use lectern_core::{auth::Caller, ids::DocumentId};
use serde_json::json;

use self::shown::{bytes, damage, pruned, record, row, show};
use crate::{
    compose::Local,
    failure::{FAILED, Failure},
    main_arguments::backup::{BackupCommand, PruneArguments, Which},
    output::Output,
    session::Session,
    text_table::{Align, text_table},
};

/// Longest time a command works on a backup or restoration. What is left then goes on with the next call.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

pub(super) async fn run(
    session: &Session,
    command: BackupCommand,
    output: &Output,
) -> Result<(), Failure> {
    let Some(local) = &session.local else {
        let reason = "backups are managed where the data is: leave --api and LECTERN_API_URL out, and name the directory with --data; a deployment makes them by itself, see docs/DEPLOYMENT.md";
        return Err(Failure::Usage(reason.into()));
    };
    let here = Here { local, caller: Caller::operator(local.tenant.clone()), output };
    match command {
        BackupCommand::Create { no_originals } => here.create(no_originals).await,
        BackupCommand::List { limit } => here.list(limit.into()).await,
        BackupCommand::Show { backup } => show(&here.find(&backup).await?, output),
        BackupCommand::Verify { backup, read_data, read_data_subset } => {
            let depth = match (read_data, read_data_subset) {
                (true, _) => Depth::ReadData,
                (false, Some(percent)) => Depth::ReadSubset(percent),
                (false, None) => Depth::Structure,
            };
            here.verify(&backup, depth).await
        }
        BackupCommand::Restore { backup, dry_run: true, .. } => here.plan(&backup).await,
        BackupCommand::Restore { backup, beside, .. } => here.restore(&backup, beside).await,
        BackupCommand::Restorations => here.restorations().await,
        BackupCommand::Switch { restoration } => here.switch(&restoration).await,
        BackupCommand::Confirm { restoration } => here.confirm(&restoration).await,
        BackupCommand::Undo { restoration } => here.undo(&restoration).await,
        BackupCommand::Discard { restoration } => here.discard(&restoration).await,
        BackupCommand::Erase { document } => here.erase(&document).await,
        BackupCommand::Prune(arguments) => here.prune(&arguments).await,
        BackupCommand::Drill => here.drill().await,
    }
}

/// Erases a deleted document from all backups of a data directory.
///
/// # Errors
/// When there is no data directory, or it cannot be erased.
pub(super) async fn erase(
    session: &Session,
    document: &DocumentId,
    output: &Output,
) -> Result<(), Failure> {
    run(session, BackupCommand::Erase { document: document.clone() }, output).await
}

/// A data directory, who asks, and where answers go.
struct Here<'session> {
    local: &'session Local,
    caller: Caller,
    output: &'session Output,
}

impl Here<'_> {
    async fn create(&self, no_originals: bool) -> Result<(), Failure> {
        let mut back_up = self.local.back_up.clone();
        back_up.originals = !no_originals;
        self.output
            .note("backing up; what did not change since the last backup is not stored again");
        let backup = back_up.back_up(&self.caller, LONGEST).await?;
        if self.output.is_json() {
            return Ok(self.output.json(&record(&backup))?);
        }
        if !backup.is_exact {
            self.output.note("note: documents are of different moments, each whole; writers did not let it be one");
        }
        let counts = backup.counts;
        Ok(self.output.line(format_args!(
            "{}  {} documents, {} passages; {} of {} stored anew",
            backup.id,
            counts.documents,
            counts.passages,
            bytes(backup.new_bytes),
            bytes(backup.size_bytes + counts.original_bytes)
        ))?)
    }

    async fn list(&self, limit: usize) -> Result<(), Failure> {
        let page = self.local.back_up.list(&self.caller, limit, None).await?;
        if self.output.is_json() {
            let backups: Vec<_> = page.items.iter().map(record).collect();
            return Ok(self.output.json(&json!({ "backups": backups }))?);
        }
        if page.items.is_empty() {
            self.output.note("no backups; `lectern backup create` makes one");
            return Ok(());
        }
        let columns = [
            ("ID", Align::Left),
            ("BEGUN", Align::Left),
            ("STATE", Align::Left),
            ("DOCUMENTS", Align::Right),
            ("PASSAGES", Align::Right),
            ("SIZE", Align::Right),
            ("NEW", Align::Right),
            ("DRILL", Align::Left),
        ];
        let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
        Ok(text_table(&columns, &rows).into_iter().try_for_each(|line| self.output.line(line))?)
    }

    /// Returns the backup that is meant.
    async fn find(&self, which: &Which) -> Result<Backup, Failure> {
        match which {
            Which::Of(id) => Ok(self.local.back_up.show(&self.caller, id).await?),
            Which::Latest => {
                // Makes records of what the store has where the table knows nothing.
                self.local.back_up.list(&self.caller, 1, None).await?;
                let tenant = &self.caller.tenant;
                let newest = self.local.back_up.tables.backups().newest_complete(tenant).await?;
                newest.ok_or_else(|| Failure::Failed("there is no complete backup".into()))
            }
        }
    }

    async fn verify(&self, which: &Which, depth: Depth) -> Result<(), Failure> {
        let backup = self.find(which).await?;
        let found = self.local.back_up.verify(&self.caller, &backup.id, depth).await?;
        if self.output.is_json() {
            let damages: Vec<_> = found.damages.iter().map(damage).collect();
            self.output.json(&json!({
                "id": found.backup_id, "is_whole": found.damaged == 0, "parts": found.parts,
                "read_parts": found.read_parts, "read_bytes": found.read_bytes,
                "damaged": found.damaged, "damages": damages, "took_ms": found.took_ms,
            }))?;
        } else {
            for found in &found.damages {
                self.output.line(damage(found))?;
            }
            let how = match depth {
                Depth::Structure => "all there with their sizes; --read-data reads them".to_owned(),
                _ => format!("{} of them read, {}", found.read_parts, bytes(found.read_bytes)),
            };
            let verdict = match found.damaged {
                0 => "whole".to_owned(),
                damaged => format!("damaged: {damaged}"),
            };
            self.output.line(format_args!(
                "{}  {verdict}  {} parts and files, {how}, in {} ms",
                found.backup_id, found.parts, found.took_ms
            ))?;
        }
        if found.damaged == 0 { Ok(()) } else { Err(Failure::Said(FAILED)) }
    }

    async fn prune(&self, arguments: &PruneArguments) -> Result<(), Failure> {
        let (retention, is_dry_run) = (arguments.retention(), arguments.dry_run);
        let pruning: Pruning =
            self.local.back_up.prune(&self.caller, &retention, is_dry_run).await?;
        pruned(&pruning, is_dry_run, self.output)
    }

    async fn erase(&self, document: &DocumentId) -> Result<(), Failure> {
        let erasure = self.local.back_up.erase(&self.caller, document, LONGEST).await?;
        if self.output.is_json() {
            return Ok(self.output.json(&json!({
                "document_id": erasure.document_id, "rewritten": erasure.rewritten,
                "objects": erasure.objects, "bytes": erasure.bytes, "locked": erasure.locked,
            }))?);
        }
        self.output.line(format_args!(
            "{document}  erased from {} backups; {} parts and files removed, {}",
            erasure.rewritten.len(),
            erasure.objects,
            bytes(erasure.bytes)
        ))?;
        if erasure.locked > 0 {
            self.output.note(format_args!(
                "the store holds on to {} of them (Object Lock): they go when it lets them",
                erasure.locked
            ));
        }
        Ok(())
    }

    async fn drill(&self) -> Result<(), Failure> {
        self.output
            .note("restoring the newest backup beside what is there, to see that it can be done");
        let drill = self.local.restore().drill_one(&self.caller.tenant, LONGEST).await;
        let drill = drill.map_err(FlowError::from)?;
        let Some(drill) = drill else {
            return Err(Failure::Failed("there is no complete backup to restore".into()));
        };
        if self.output.is_json() {
            self.output.json(&drill)?;
        } else {
            let verdict = drill.failure.as_deref().unwrap_or("restores");
            self.output.line(format_args!(
                "{verdict}: {} documents, {} passages in {} ms",
                drill.documents, drill.passages, drill.took_ms
            ))?;
        }
        if drill.failure.is_none() { Ok(()) } else { Err(Failure::Said(FAILED)) }
    }
}
