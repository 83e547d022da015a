//! The `query` Lambda: composition only.

use std::{process::ExitCode, sync::Arc};

use lectern_app::{
    ask::Ask,
    cache::{CacheLimits, CachedEmbedder, Caches},
    clock::Clock,
    search::Search,
    spending::Spending,
};
use lectern_core::{fusion::Fusion, ports::Embedder, prompt::PromptBudget};
use lectern_runtime::{lambda, log_levels::LogLevels};
use lectern_stack::{index, models, secrets::Secrets, settings::Budget, warm::warm_up};
use lectern_tables::Tables;
use query::{Query, router, settings::Settings};

fn main() -> ExitCode {
    lambda::main(env!("CARGO_PKG_NAME"), |settings: &Settings| &settings.process.telemetry, run)
}

async fn run(settings: Settings) -> Result<(), lambda::Error> {
    let Settings { table, callers, model_api, reranking, .. } = &settings;
    let given = [&settings.index.api_key, &model_api.key, &reranking.key];
    let secrets = Secrets::prefetch(given.into_iter().flatten().chain([&callers.key_pepper])).await;
    let tables = Tables::connect(&table.url).await?;
    let index = index::open(&settings.index, secrets.optional(settings.index.api_key.as_ref()))?;
    let api = models::api(model_api, &secrets);
    let embedder =
        models::embedder(&settings.index.embedder, &api, model_api.directory.as_deref())?;
    let Settings { chat, chat_alternatives: others, guardrail, .. } = &settings;
    let (chat, chat_models) = models::chats(chat, others, guardrail.as_ref(), &api)?;
    let (reranker, clock) = (models::reranker(reranking, &secrets)?, Clock::system());
    let gate = callers.gate(secrets.get(&callers.key_pepper), &tables, &clock);
    warm_up(vec![
        ("table", Box::pin(tables.ping())),
        ("index", Box::pin(index.ensure())),
        ("issuers", Box::pin(gate.tokens.warm_up())),
    ])
    .await;
    let caches = Caches::new(Some(tables.clone()), CacheLimits::default(), clock.clone());
    let embedder = embedder.map(|embedder| -> Arc<dyn Embedder> {
        Arc::new(CachedEmbedder::new(embedder, caches.clone()))
    });
    let search = Search {
        tables: tables.clone(),
        passages: index,
        embedder,
        reranker,
        fusion: Fusion::default(),
        caches,
    };
    let Budget { prices, limits } = settings.budget;
    let spending = Spending { tables: tables.clone(), prices, limits, clock: clock.clone() };
    let budget = PromptBudget::default();
    let Settings { function, answer_timeout, .. } = settings;
    let ask = Ask { search, tables, chat, chat_models, spending, function, budget, clock };
    let levels = LogLevels::of(ask.tables.clone(), ask.clock.clone());
    lambda::http::serve_streaming(levels.around(router(Query { gate, ask, answer_timeout }))).await
}
