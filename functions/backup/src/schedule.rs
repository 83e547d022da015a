//! What the schedules ask for.

use std::time::{Duration, Instant};

use lectern_app::{
    back_up::{Round, standing::Standing},
    errors::FlowError,
    restore::{Restore, RestoreState},
};
use lectern_core::{
    auth::Caller,
    errors::chain,
    ids::{BackupId, DocumentId, RestoreId, TenantId},
};
use lectern_runtime::{deadline::Deadline, lambda};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

/// Time kept back from the invocation for recording that the time was over.
const MARGIN: Duration = Duration::from_secs(5);

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Task {
    /// Backs every tenant up, or goes on with that, and removes old backups.
    Backup,
    /// Goes on with backups and drills that one run had no time for.
    Continue,
    /// Restores every tenant's newest backup beside what is live, compares it and removes it.
    Drill,
    /// Restores a backup beside what is live, or goes on with that; an operator's.
    Restore {
        /// Whose.
        tenant: TenantId,
        /// Which.
        backup: BackupId,
    },
    /// Makes a restoration live.
    Switch {
        /// Whose.
        tenant: TenantId,
        /// Which.
        restoration: RestoreId,
    },
    /// Removes what a restoration took the place of.
    Confirm {
        /// Whose.
        tenant: TenantId,
        /// Which.
        restoration: RestoreId,
    },
    /// Makes live again what a restoration took the place of.
    Undo {
        /// Whose.
        tenant: TenantId,
        /// Which.
        restoration: RestoreId,
    },
    /// Erases a deleted document from all backups.
    Erase {
        /// Whose.
        tenant: TenantId,
        /// Which.
        document: DocumentId,
    },
}

/// Does a task for all tenants and returns how many there were. What failed for one fails the invocation in the end: the
/// platform then tries all of them again, which stores nothing twice, and the alarm on errors sees it.
///
/// # Errors
/// When the event asks for something else, or anything failed.
pub(crate) async fn run(
    restore: &Restore,
    event: Value,
    deadline: Deadline,
) -> Result<Value, lambda::Error> {
    let task: Task = serde_json::from_value(event)?;
    let until = deadline.0.checked_sub(MARGIN).unwrap_or(deadline.0);
    let done = carry_out(restore, task, until).await;
    // How old backups are is told after each run, whatever came of it: an alarm looks at that.
    match Standing::read(&restore.back_up.tables).await {
        Ok(standing) => standing.measure(restore.back_up.clock.now()),
        Err(error) => warn!(error = %chain(&error), "failed to tell how old backups are"),
    }
    done
}

async fn carry_out(restore: &Restore, task: Task, until: Instant) -> Result<Value, lambda::Error> {
    match task {
        Task::Backup => reply(restore.back_up.everybody(until).await?),
        Task::Continue => reply(restore.go_on(until).await?),
        Task::Drill => reply(restore.drill(until).await?),
        Task::Erase { tenant, document } => {
            let caller = Caller::operator(tenant);
            let left = until.saturating_duration_since(Instant::now());
            let erasure = restore.back_up.erase(&caller, &document, left).await?;
            Ok(json!({
                "document": erasure.document_id, "rewritten": erasure.rewritten,
                "objects": erasure.objects, "locked": erasure.locked,
            }))
        }
        operator => Ok(operate(restore, operator, until).await?),
    }
}

/// Does what an operator asks with `aws lambda invoke`: IAM says who may.
async fn operate(restore: &Restore, task: Task, until: Instant) -> Result<Value, FlowError> {
    let restoration = match task {
        Task::Restore { tenant, backup } => {
            let left = until.saturating_duration_since(Instant::now());
            restore.restore_or_leave(&Caller::operator(tenant), &backup, left).await?
        }
        Task::Switch { tenant, restoration } => {
            restore.switch(&Caller::operator(tenant), &restoration).await?
        }
        Task::Confirm { tenant, restoration } => {
            restore.confirm(&Caller::operator(tenant), &restoration).await?
        }
        Task::Undo { tenant, restoration } => {
            restore.undo(&Caller::operator(tenant), &restoration).await?
        }
        Task::Backup | Task::Continue | Task::Drill | Task::Erase { .. } => {
            unreachable!("`run` does these")
        }
    };
    let next = match restoration.state {
        RestoreState::Ready => "switch",
        RestoreState::Live => "confirm or undo",
        RestoreState::Running => "wait, or ask again",
        _ => "nothing",
    };
    Ok(json!({
        "restoration": restoration.id, "state": restoration.state, "next": next,
        "documents": restoration.counts.documents, "passages": restoration.counts.passages,
    }))
}

fn reply(round: Round) -> Result<Value, lambda::Error> {
    let Round { done, unfinished, failed, without } = round;
    if failed > 0 {
        let tenants = done + unfinished + failed + without;
        return Err(format!("failed for {failed} of {tenants} tenants; the log says why").into());
    }
    Ok(json!({ "done": done, "unfinished": unfinished, "failed": failed, "without": without }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_tasks_and_nothing_else() {
        let task = |event: Value| serde_json::from_value::<Task>(event).ok();
        assert_eq!(task(json!({"task": "backup"})), Some(Task::Backup));
        assert_eq!(task(json!({"task": "drill"})), Some(Task::Drill));
        assert_eq!(task(json!({"task": "continue"})), Some(Task::Continue));
        assert_eq!(task(json!({"task": "restore"})), None);
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let restore = json!({"task": "restore", "tenant": "acme", "backup": id});
        assert!(matches!(task(restore), Some(Task::Restore { .. })));
    }

    #[test]
    fn one_failure_fails_the_invocation_after_all_were_tried() {
        assert_eq!(
            reply(Round { done: 2, unfinished: 1, failed: 0, without: 1 }).unwrap(),
            json!({"done": 2, "unfinished": 1, "failed": 0, "without": 1})
        );
        let error = reply(Round { done: 2, unfinished: 0, failed: 1, without: 0 }).unwrap_err();
        assert_eq!(error.to_string(), "failed for 1 of 3 tenants; the log says why");
    }
}
