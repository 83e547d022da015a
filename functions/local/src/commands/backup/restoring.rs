//! `lectern backup restore` and what follows it.

use lectern_app::restore::{Restoration, RestoreState};
use lectern_core::ids::RestoreId;
use serde_json::{Value, json};

use super::{Here, LONGEST, shown::bytes};
use crate::{
    failure::Failure,
    main_arguments::backup::Which,
    text_table::{Align, text_table},
};

impl Here<'_> {
    pub(super) async fn plan(&self, which: &Which) -> Result<(), Failure> {
        let backup = self.find(which).await?;
        let plan = self.local.restore().plan(&self.caller, &backup.id).await?;
        if self.output.is_json() {
            return Ok(self.output.json(&json!({
                "backup": plan.backup_id, "counts": plan.counts, "read_bytes": plan.read_bytes,
                "embeds": plan.embeds, "same": plan.same, "changed": plan.changed,
                "added": plan.added, "removed": plan.removed,
            }))?);
        }
        let lines = [
            format!("{:>9}  documents would answer as they do now", plan.same),
            format!("{:>9}  would answer otherwise", plan.changed),
            format!("{:>9}  would be there again", plan.added),
            format!("{:>9}  would be gone: they came after the backup", plan.removed),
            format!("{:>9}  would be read", bytes(plan.read_bytes)),
        ];
        lines.iter().try_for_each(|line| self.output.line(line))?;
        if plan.embeds {
            self.output
                .note("its vectors are of another model: all passages would be embedded anew");
        }
        Ok(())
    }

    pub(super) async fn restore(&self, which: &Which, beside: bool) -> Result<(), Failure> {
        let backup = self.find(which).await?;
        let restore = self.local.restore();
        self.output.note(format_args!(
            "restoring {} documents beside what is there; nothing changes before that is complete",
            backup.counts.documents
        ));
        let restoration = restore.restore(&self.caller, &backup.id, LONGEST).await?;
        if beside {
            return self.tell(&restoration);
        }
        let live = restore.switch(&self.caller, &restoration.id).await?;
        self.tell(&live)
    }

    pub(super) async fn switch(&self, id: &RestoreId) -> Result<(), Failure> {
        self.tell(&self.local.restore().switch(&self.caller, id).await?)
    }

    pub(super) async fn confirm(&self, id: &RestoreId) -> Result<(), Failure> {
        self.tell(&self.local.restore().confirm(&self.caller, id).await?)
    }

    pub(super) async fn undo(&self, id: &RestoreId) -> Result<(), Failure> {
        self.tell(&self.local.restore().undo(&self.caller, id).await?)
    }

    pub(super) async fn discard(&self, id: &RestoreId) -> Result<(), Failure> {
        self.tell(&self.local.restore().discard(&self.caller, id).await?)
    }

    pub(super) async fn restorations(&self) -> Result<(), Failure> {
        let page = self.local.restore().list(&self.caller, lectern_tables::MAX_PAGE, None).await?;
        if self.output.is_json() {
            let all: Vec<Value> = page.items.iter().map(record).collect();
            return Ok(self.output.json(&json!({ "restorations": all }))?);
        }
        if page.items.is_empty() {
            self.output.note("nothing was ever restored; `lectern backup restore latest` does");
            return Ok(());
        }
        let columns = [
            ("ID", Align::Left),
            ("BEGUN", Align::Left),
            ("STATE", Align::Left),
            ("BACKUP", Align::Left),
            ("DOCUMENTS", Align::Right),
            ("PASSAGES", Align::Right),
        ];
        let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
        Ok(text_table(&columns, &rows).into_iter().try_for_each(|line| self.output.line(line))?)
    }

    fn tell(&self, restoration: &Restoration) -> Result<(), Failure> {
        if self.output.is_json() {
            return Ok(self.output.json(&record(restoration))?);
        }
        let id = &restoration.id;
        let counts = restoration.counts;
        self.output.line(format_args!(
            "{id}  {}  {} documents, {} passages",
            restoration.state.as_str(),
            counts.documents,
            counts.passages
        ))?;
        match restoration.state {
            RestoreState::Ready => self.output.note(format_args!(
                "equal to the backup; `lectern backup switch {id}` makes it answer, `lectern backup discard {id}` removes it"
            )),
            RestoreState::Live => self.output.note(format_args!(
                "it answers; look at it, then `lectern backup confirm {id}` to keep it or `lectern backup undo {id}` to go back"
            )),
            _ => {}
        }
        if restoration.embedded > 0 {
            self.output.note(format_args!("{} passages were embedded anew", restoration.embedded));
        }
        Ok(())
    }
}

fn row(restoration: &Restoration) -> Vec<String> {
    vec![
        restoration.id.to_string(),
        restoration.begun_at.to_rfc3339(),
        match restoration.is_drill {
            true => format!("{} (drill)", restoration.state.as_str()),
            false => restoration.state.as_str().to_owned(),
        },
        restoration.backup_id.to_string(),
        restoration.counts.documents.to_string(),
        restoration.counts.passages.to_string(),
    ]
}

fn record(restoration: &Restoration) -> Value {
    json!({
        "id": restoration.id, "backup": restoration.backup_id, "state": restoration.state,
        "is_drill": restoration.is_drill, "counts": restoration.counts,
        "embedded": restoration.embedded, "begun_at": restoration.begun_at.to_rfc3339(),
        "ready_at": restoration.ready_at.map(lectern_core::time::Timestamp::to_rfc3339),
        "live_at": restoration.live_at.map(lectern_core::time::Timestamp::to_rfc3339),
        "ended_at": restoration.ended_at.map(lectern_core::time::Timestamp::to_rfc3339),
        "failure": restoration.failure,
    })
}
