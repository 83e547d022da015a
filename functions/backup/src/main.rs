//! The `backup` Lambda: composition only.

mod schedule;

use std::{process::ExitCode, sync::Arc, time::Duration};

use backup::{Backup, router, settings::Settings};
use lectern_app::{
    back_up::{BackUp, PartLimits},
    clock::Clock,
    restore::Restore,
};
use lectern_core::{ports::PassageReader, retention::Retention};
use lectern_runtime::{lambda, log_levels::LogLevels};
use lectern_stack::{blobs, index, secrets::Secrets, warm::warm_up};
use lectern_tables::Tables;

/// The gateway ends a request after 29 s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(25);
/// How long a run that gave no sign is taken to be alive: longer than Lambda lets one live.
const LEASE: Duration = Duration::from_secs(16 * 60);

fn main() -> ExitCode {
    lambda::main(env!("CARGO_PKG_NAME"), |settings: &Settings| &settings.process.telemetry, run)
}

async fn run(settings: Settings) -> Result<(), lambda::Error> {
    let secrets = Secrets::prefetch(settings.secrets()).await;
    let tables = Tables::connect(&settings.table.url).await?;
    let index = index::open(&settings.index, secrets.optional(settings.index.api_key.as_ref()))?;
    let (callers, clock) = (&settings.callers, Clock::system());
    let gate = callers.gate(secrets.get(&callers.key_pepper), &tables, &clock);
    warm_up(vec![("table", Box::pin(tables.ping())), ("issuers", Box::pin(gate.tokens.warm_up()))])
        .await;

    let identity = secrets.read(settings.backup_identity.as_ref()).await?;
    let levels = LogLevels::of(tables.clone(), clock.clone());
    let back_up = BackUp {
        tables,
        blobs: blobs::open(&settings.blobs_url)?,
        backups: blobs::open_backups(&settings.backups_url, identity)?,
        reader: Arc::clone(&index) as Arc<dyn PassageReader>,
        model: settings.index.model.clone(),
        originals: true,
        lease: LEASE,
        limits: PartLimits::default(),
        retention: Retention { daily: settings.retention_days, ..Retention::default() },
        clock,
    };
    let restore = Restore { back_up, writer: index, embedder: None, bulk: None };
    let routes =
        router(Backup { gate, restore: restore.clone(), request_timeout: REQUEST_TIMEOUT });
    lambda::events::serve_with_routes(levels.around(routes), |event, deadline| {
        levels.beside(schedule::run(&restore, event, deadline))
    })
    .await
}
