//! The `ingest` Lambda: composition only.

mod batch;
mod compose;
mod message;

use std::process::ExitCode;

use ingest::settings::Settings;
use lectern_runtime::lambda;

/// First argument of the child process that parses.
const PARSE_WORKER: &str = "parse-worker";

fn main() -> ExitCode {
    // Documents are parsed in a child process of this very program, before anything starts a thread.
    if std::env::args_os().nth(1).is_some_and(|first| first == PARSE_WORKER) {
        return lectern_parse::worker_main();
    }
    lambda::main(env!("CARGO_PKG_NAME"), |settings: &Settings| &settings.process.telemetry, run)
}

async fn run(settings: Settings) -> Result<(), lambda::Error> {
    let batches = compose::batches(&settings).await?;
    let levels = &batches.levels;
    lambda::events::serve(|event, deadline| levels.beside(batches.handle(event, deadline))).await
}
