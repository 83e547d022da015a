//! What vectors cost: paid by the question, the search or the account that wants them, once.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lectern_app::{ask::Ask, cache::CachedEmbedder};
use lectern_core::{
    auth::Caller,
    errors::{ErrorKind, PortError},
    ids::{CollectionId, KeyId},
    ports::{Embedded, Embedder, EmbeddingModel},
    pricing::{Estimates, Function, MicroDollars, NanoDollars, PriceTable},
};
use lectern_tables::{budget::Ledger, usage::Usage};

use crate::world::{BagOfWords, World, ask, ask_with, request};

/// A million dollars a million tokens: a token is a dollar.
const PRICES: &str = r#"{"bag-of-words":{"embedding":1000000}}"#;
const DOLLAR: u64 = 1_000_000;
/// What the provider says it counted, by text, and what an estimate says.
const COUNTED: u64 = 3;
const ESTIMATED: u64 = 5;

/// A model whose provider bills.
#[derive(Debug)]
struct Billed(Arc<BagOfWords>);

#[async_trait]
impl Embedder for Billed {
    fn model(&self) -> &EmbeddingModel {
        self.0.model()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        self.0.embed(texts).await
    }

    async fn embed_counted(&self, texts: &[String]) -> Result<Embedded, PortError> {
        Ok(Embedded { vectors: self.embed(texts).await?, tokens: COUNTED * texts.len() as u64 })
    }

    fn estimate(&self, texts: &[String]) -> u64 {
        ESTIMATED * texts.len() as u64
    }
}

/// Returns a process whose embedder bills.
fn process(world: &World) -> Ask {
    let mut process = world.process();
    let billed = Arc::new(Billed(Arc::clone(&world.embedder)));
    let caches = process.search.caches.clone();
    process.search.embedder = Some(Arc::new(CachedEmbedder::new(billed, caches)));
    process.spending.prices = Arc::new(PriceTable::overridden(PRICES).unwrap());
    process
}

async fn world() -> (World, Caller) {
    let world = World::new().await;
    world.add("Herons breed in reeds.", &["*"]).await;
    let mut caller = world.caller(&["*"]);
    caller.key_id = Some(KeyId::new(world.now(), 7));
    (world, caller)
}

/// Returns what is counted for today, and what the two ledgers say.
async fn counted(world: &World, caller: &Caller) -> (Usage, MicroDollars, MicroDollars) {
    let now = world.now();
    let rows = world.tables.usage().range(&caller.tenant, now, now, 9, None).await.unwrap().items;
    assert!(rows.len() <= 1, "{rows:?}");
    let ledger = |key| Ledger { tenant: &caller.tenant, key };
    let budgets = world.tables.budgets();
    let account = budgets.standing(ledger(None), now).await.unwrap().day.spent;
    let key = budgets.standing(ledger(caller.key_id.as_ref()), now).await.unwrap().day.spent;
    (rows.first().map(|row| row.usage).unwrap_or_default(), account, key)
}

#[tokio::test]
async fn a_question_pays_for_its_vector_and_nobody_for_one_that_memory_has() {
    let (world, caller) = world().await;
    let process = process(&world);
    let first = ask(&process, &caller, "Where do herons breed?").await;
    assert_eq!(first.spent.embedding_tokens, COUNTED, "what the provider says, not the estimate");
    assert_eq!(first.spent.cost, MicroDollars(COUNTED * DOLLAR));
    // Not the answer, whose hit wants no vector: the vector.
    let mut again = request("Where do herons breed?");
    again.cache = false;
    let second = ask_with(&process, &caller, &again).await.0.unwrap();
    assert_eq!((second.spent.embedding_tokens, second.spent.cost), (0, MicroDollars(0)));
    let (usage, account, key) = counted(&world, &caller).await;
    assert_eq!((usage.requests, usage.embedding_tokens), (2, COUNTED));
    assert_eq!((account, key), (first.spent.cost, first.spent.cost));
}

#[tokio::test]
async fn estimates_are_shown_with_every_answer_and_held_against_nobody() {
    let (world, caller) = world().await;
    let mut process = process(&world);
    let elsewhere = ask(&process, &caller, "Where do otters breed?").await;
    assert_eq!(elsewhere.estimates, Estimates::default());
    let before = counted(&world, &caller).await;

    let prices = r#"{"lambda":{"gb_second":1,"request":1},"index":{"question":2}}"#;
    process.spending.prices = Arc::new(PriceTable::overridden(prices).unwrap());
    process.function = Some(Function { memory_mb: 1_024 });
    // Made, then kept: both took time, and a request.
    for cache in ["miss", "hit"] {
        let asked = ask(&process, &caller, "Where do herons breed?").await;
        assert_eq!(asked.cache.as_str(), cache);
        let Estimates { compute, index } = asked.estimates;
        assert!(compute > NanoDollars(1_000_000_000), "{cache}: {compute:?}");
        assert_eq!(index, NanoDollars(2_000_000_000), "{cache}");
    }
    let (usage, account, key) = counted(&world, &caller).await;
    // The vector alone was paid for, by the built-in price of a model that is not listed.
    let vector = process.spending.prices.embedding_cost("bag-of-words", COUNTED).0;
    assert_eq!(usage.cost_micro_usd, MicroDollars(before.0.cost_micro_usd.0 + vector));
    assert_eq!((account, key), (usage.cost_micro_usd, usage.cost_micro_usd));
}

#[tokio::test]
async fn what_answers_say_adds_up_to_what_is_counted() {
    let (world, caller) = world().await;
    let process = process(&world);
    let (mut tokens, mut cost) = (0, 0);
    for number in 0..12 {
        // Some are asked twice, some of another process, which asks the model beside the table.
        let of = if number % 4 == 3 { &self::process(&world) } else { &process };
        let asked = ask(of, &caller, &format!("Where do {} herons breed?", number / 2)).await;
        tokens += asked.spent.embedding_tokens;
        cost += asked.spent.cost.0;
    }
    let (usage, account, key) = counted(&world, &caller).await;
    assert!(tokens > 0);
    assert_eq!((usage.requests, usage.embedding_tokens), (12, tokens));
    assert_eq!(usage.cost_micro_usd, MicroDollars(cost));
    assert_eq!((account, key), (MicroDollars(cost), MicroDollars(cost)));
}

#[tokio::test]
async fn what_is_refused_costs_nothing_and_what_is_given_up_on_costs_the_estimate() {
    let (world, caller) = world().await;
    let process = process(&world);
    for (kind, tokens) in [(ErrorKind::Unavailable, 0), (ErrorKind::Timeout, ESTIMATED)] {
        world.embedder.faults.fail_all(kind);
        let mut failing = request("Where do herons breed?");
        failing.cache = false;
        let asked = ask_with(&process, &caller, &failing).await.0.unwrap();
        assert_eq!(asked.spent.embedding_tokens, tokens, "{kind:?}");
    }
}

#[tokio::test]
async fn a_search_pays_for_its_vector_and_is_no_question() {
    let (world, caller) = world().await;
    let process = process(&world);
    let wanted = lectern_app::search::SearchRequest {
        collection: CollectionId::default_collection(),
        question: "Where do herons breed?".parse().unwrap(),
        filter: None,
        limit: None,
        mmr: None,
        per_document: None,
        grouped: false,
        collapses: false,
        time_budget: Duration::from_secs(60),
        cache: true,
        session_id: None,
    };
    for _ in 0..2 {
        assert!(!process.passages(&caller, &wanted).await.unwrap().passages.is_empty());
    }
    let (usage, account, key) = counted(&world, &caller).await;
    let cost = MicroDollars(COUNTED * DOLLAR);
    let expected = Usage { embedding_tokens: COUNTED, cost_micro_usd: cost, ..Usage::default() };
    assert_eq!((usage, account, key), (expected, cost, cost));
}

#[tokio::test]
async fn a_model_in_process_costs_nothing() {
    let (world, caller) = world().await;
    let mut process = world.process();
    process.spending.prices = Arc::new(PriceTable::overridden(PRICES).unwrap());
    let asked = ask(&process, &caller, "Where do herons breed?").await;
    assert_eq!((asked.spent.embedding_tokens, asked.spent.cost), (0, MicroDollars(0)));
    let (_, account, key) = counted(&world, &caller).await;
    assert_eq!((account, key), (MicroDollars(0), MicroDollars(0)));
}
