//! What the schedules ask for.

use std::time::Duration;

use lectern_app::back_up::{BackUp, Round};
use lectern_runtime::{deadline::Deadline, lambda};
use serde::Deserialize;
use serde_json::{Value, json};

/// Time kept back from the invocation for recording that the time was over.
const MARGIN: Duration = Duration::from_secs(5);

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Task {
    /// Backs every tenant up.
    Backup,
    /// Reads every tenant's newest backup back.
    Drill,
}

/// Does a task for all tenants and returns how many there were. What failed for one fails the invocation in the end: the
/// platform then tries all of them again, which stores nothing twice, and the alarm on errors sees it.
///
/// # Errors
/// When the event asks for something else, or anything failed.
pub(crate) async fn run(
    back_up: &BackUp,
    event: Value,
    deadline: Deadline,
) -> Result<Value, lambda::Error> {
    let task: Task = serde_json::from_value(event)?;
    let until = deadline.0.checked_sub(MARGIN).unwrap_or(deadline.0);
    let round = match task {
        Task::Backup => back_up.everybody(until).await?,
        Task::Drill => back_up.drill(until).await?,
    };
    reply(round)
}

fn reply(round: Round) -> Result<Value, lambda::Error> {
    let Round { done, failed, without } = round;
    if failed > 0 {
        let tenants = done + failed + without;
        return Err(format!("failed for {failed} of {tenants} tenants; the log says why").into());
    }
    Ok(json!({ "done": done, "failed": failed, "without": without }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_tasks_and_nothing_else() {
        let task = |event: Value| serde_json::from_value::<Task>(event).ok();
        assert_eq!(task(json!({"task": "backup"})), Some(Task::Backup));
        assert_eq!(task(json!({"task": "drill"})), Some(Task::Drill));
        assert_eq!(task(json!({"task": "restore"})), None);
    }

    #[test]
    fn one_failure_fails_the_invocation_after_all_were_tried() {
        assert_eq!(
            reply(Round { done: 2, failed: 0, without: 1 }).unwrap(),
            json!({"done": 2, "failed": 0, "without": 1})
        );
        let error = reply(Round { done: 2, failed: 1, without: 0 }).unwrap_err();
        assert_eq!(error.to_string(), "failed for 1 of 3 tenants; the log says why");
    }
}
