//! The `health` Lambda: composition only.

mod asking;

use std::{process::ExitCode, sync::Arc, time::Duration};

use health::{Health, router, settings::Settings};
use lectern_app::{
    canary::Canary,
    clock::Clock,
    health::{Dependencies, Health as HealthFlow},
    status::Statuses,
};
use lectern_aws::{cloudwatch::CloudWatch, sqs::Queue};
use lectern_core::secret::SecretSetting;
use lectern_runtime::{lambda, log_levels::LogLevels};
use lectern_stack::{blobs, index, models, secrets::Secrets};
use lectern_tables::Tables;

use self::asking::asking;

/// How long connections may take before the first request is waited for. What is down then is for that request to say.
const WARM_UP: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    lambda::main(env!("CARGO_PKG_NAME"), |settings: &Settings| &settings.process.telemetry, run)
}

async fn run(settings: Settings) -> Result<(), lambda::Error> {
    let Settings { callers, model_api, .. } = &settings;
    let given: Vec<_> = [&settings.index.api_key, &model_api.key].into_iter().flatten().collect();
    let all = given.iter().copied().chain([&callers.key_pepper]);
    let managed = all.clone().filter(|setting| matches!(setting, SecretSetting::Managed(_)));
    let secrets = Secrets::prefetch(all).await;
    let api = models::api(model_api, &secrets);
    let (chat, _) = models::chats(&settings.chat, &[], None, &api)?;
    let (tables, clock) = (Tables::connect(&settings.table.url).await?, Clock::system());
    let index = index::open(&settings.index, secrets.optional(settings.index.api_key.as_ref()))?;
    let health = HealthFlow::of(Dependencies {
        tables: tables.clone(),
        blobs: blobs::open(&settings.blobs_url)?,
        passages: Arc::<_>::clone(&index) as _,
        jobs: Arc::new(Queue::connect(&settings.queue_url).await),
        embedder: models::embedder_to_ping(&settings.index.embedder, &api)?,
        chat: chat.clone(),
        secrets: managed.map(|setting| secrets.get(setting)).collect(),
        clock: clock.clone(),
    });
    let gate = callers.gate(secrets.get(&callers.key_pepper), &tables, &clock);
    let stack = &settings.process.telemetry.stack;
    let measured = Arc::new(CloudWatch::connect(stack).await);
    health.warm_up(WARM_UP).await;
    let embedder = models::embedder_elsewhere(&settings.index.embedder, &api)?;
    let ask = asking(&tables, index, embedder, chat, &clock);
    // The sweep of ingestion plants its document: it may write, and this function may not.
    let canary = Canary::new(ask, None);
    let statuses = Statuses { health: health.clone(), measured, clock: clock.clone() };
    let routes = router(Health { gate, health, canary, statuses });
    lambda::http::serve(LogLevels::of(tables, clock).around(routes)).await
}
