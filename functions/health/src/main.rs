//! The `health` Lambda: composition only.

use std::{process::ExitCode, sync::Arc};

use health::{Health, router, settings::Settings};
use lectern_app::health::Health as HealthFlow;
use lectern_aws::sqs::Queue;
use lectern_runtime::lambda;
use lectern_stack::{blobs, index, models, secrets::Secrets};
use lectern_tables::Tables;

fn main() -> ExitCode {
    lambda::main(|settings: &Settings| settings.process.log.as_deref(), run)
}

/// Nothing is warmed: the probes themselves connect, and `/health` must not wait for anything.
async fn run(settings: Settings) -> Result<(), lambda::Error> {
    let given = [&settings.index.api_key, &settings.model_api.key];
    let secrets = Secrets::prefetch(given.into_iter().flatten()).await;
    let api = models::api(&settings.model_api, &secrets);
    let (chat, _) = models::chats(&settings.chat, &[], None, &api)?;
    let health = HealthFlow {
        tables: Tables::connect(&settings.table.url).await?,
        blobs: blobs::open(&settings.blobs_url)?,
        passages: index::open(&settings.index, secrets.optional(settings.index.api_key.as_ref()))?,
        jobs: Arc::new(Queue::connect(&settings.queue_url).await),
        embedder: models::embedder_to_ping(&settings.index.embedder, &api)?,
        chat,
    };
    lambda::http::serve(router(Health { health })).await
}
