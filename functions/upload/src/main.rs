//! The `upload` Lambda: composition only.

use std::{process::ExitCode, sync::Arc};

use lectern_app::{
    backlog::Backlog, clock::Clock, collections::Collections, documents::Documents, fetch::Fetch,
    forget::Forget, upload::Upload as UploadFlow, uploads::Uploads,
};
use lectern_aws::sqs::Queue;
use lectern_core::{ports::JobQueue as _, retention::Retention};
use lectern_runtime::{lambda, log_levels::LogLevels};
use lectern_stack::{blobs, index, pages, secrets::Secrets, warm::warm_up};
use lectern_tables::Tables;
use upload::{Upload, router, settings::Settings};

fn main() -> ExitCode {
    lambda::main(env!("CARGO_PKG_NAME"), |settings: &Settings| &settings.process.telemetry, run)
}

async fn run(settings: Settings) -> Result<(), lambda::Error> {
    let Settings { table, index, files, callers, backup_days, .. } = &settings;
    let secrets = Secrets::prefetch(index.api_key.iter().chain([&callers.key_pepper])).await;
    let tables = Tables::connect(&table.url).await?;
    let blobs = blobs::open(&files.url)?;
    let index = index::open(index, secrets.optional(index.api_key.as_ref()))?;
    let (jobs, clock) = (Queue::connect(&settings.queue_url).await, Clock::system());
    let gate = callers.gate(secrets.get(&callers.key_pepper), &tables, &clock);
    warm_up(vec![
        ("table", Box::pin(tables.ping())),
        ("blobs", Box::pin(blobs.ping())),
        ("queue", Box::pin(jobs.ping())),
        ("issuers", Box::pin(gate.tokens.warm_up())),
    ])
    .await;
    let flow = UploadFlow {
        tables: tables.clone(),
        blobs: blobs.clone(),
        jobs: Arc::new(jobs),
        clock: clock.clone(),
        max_bytes: files.max_document_bytes,
        backlog: Backlog::of(tables.clone(), clock.clone()),
    };
    let upload = Upload {
        gate,
        fetch: Fetch { reader: pages::reader(&settings.fetch_hosts)?, upload: flow.clone() },
        uploads: Uploads { upload: flow.clone() },
        upload: flow,
        documents: Documents { tables: tables.clone(), blobs: blobs.clone() },
        forget: Forget {
            tables: tables.clone(),
            blobs,
            reader: Arc::<_>::clone(&index) as _,
            writer: index,
            retention: Retention { daily: *backup_days, ..Retention::default() },
            clock: clock.clone(),
        },
        collections: Collections { tables: tables.clone(), clock: clock.clone() },
    };
    lambda::http::serve(LogLevels::of(tables, clock).around(router(upload))).await
}
