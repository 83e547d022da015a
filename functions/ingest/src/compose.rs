//! What a batch is worked off with.

use std::sync::Arc;

use ingest::settings::Settings;
use lectern_app::{
    backlog::Backlog, clock::Clock, forget::Forget, ingest::Ingest, spending::Spending,
    upload::Upload, uploads::Uploads, worker::Worker,
};
use lectern_aws::sqs::Queue;
use lectern_core::{ports::JobQueue as _, retention::Retention};
use lectern_parse::{ParseLimits, Sandbox};
use lectern_runtime::{lambda, log_levels::LogLevels};
use lectern_stack::{blobs, index, models, secrets::Secrets, settings::Budget, warm::warm_up};
use lectern_tables::Tables;

use crate::{
    PARSE_WORKER,
    batch::{self, Batches},
};

/// Connects to everything and returns what works batches off.
pub(crate) async fn batches(settings: &Settings) -> Result<Batches, lambda::Error> {
    let given = [&settings.index.api_key, &settings.model_api.key];
    let secrets = Secrets::prefetch(given.into_iter().flatten()).await;
    let tables = Tables::connect(&settings.table.url).await?;
    let blobs = blobs::open(&settings.files.url)?;
    let index = index::open(&settings.index, secrets.optional(settings.index.api_key.as_ref()))?;
    let jobs = Queue::connect(&settings.queue_url).await;
    let api = models::api(&settings.model_api, &secrets);
    warm_up(vec![
        ("table", Box::pin(tables.ping())),
        ("blobs", Box::pin(blobs.ping())),
        ("queue", Box::pin(jobs.ping())),
        ("index", Box::pin(index.ensure())),
    ])
    .await;

    let clock = Clock::system();
    let Budget { prices, limits } = settings.budget.clone();
    let spending = Spending { tables: tables.clone(), prices, limits, clock: clock.clone() };
    let ingest = Ingest {
        tables: tables.clone(),
        blobs: blobs.clone(),
        reader: Arc::<_>::clone(&index) as _,
        writer: Arc::<_>::clone(&index) as _,
        embedder: models::embedder(
            &settings.index.embedder,
            &api,
            settings.model_api.directory.as_deref(),
        )?,
        sandbox: Arc::new(Sandbox::new(std::env::current_exe()?, vec![PARSE_WORKER.into()])),
        limits: ParseLimits::default(),
        chunking: settings.chunking,
        spending,
        lease: settings.lease,
        clock: clock.clone(),
    };
    let forget = Forget {
        tables: tables.clone(),
        blobs: blobs.clone(),
        reader: Arc::<_>::clone(&index) as _,
        writer: index,
        // For receipts, which only who asked for the deletion gets.
        retention: Retention::none(),
        clock: clock.clone(),
    };
    let concurrency = batch::CONCURRENCY;
    let upload = Upload {
        tables: tables.clone(),
        blobs,
        jobs: Arc::new(jobs.clone()),
        clock: clock.clone(),
        max_bytes: settings.files.max_document_bytes,
        // They are in the store already.
        backlog: Backlog::ignored(),
    };
    Ok(Batches {
        levels: LogLevels::of(tables.clone(), clock.clone()),
        worker: Worker { tables, ingest, forget, clock, concurrency },
        uploads: Uploads { upload },
        has_canary: settings.has_canary,
        dead_letters: jobs.beside(&settings.dead_letter_queue_url),
        jobs,
    })
}
