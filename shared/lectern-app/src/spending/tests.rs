//! What is booked without a request.

use async_trait::async_trait;
use lectern_core::{
    errors::PortError,
    ports::{Embedder, EmbeddingModel},
};

use super::*;

#[derive(Debug)]
struct Billed(EmbeddingModel);

#[async_trait]
impl Embedder for Billed {
    fn model(&self) -> &EmbeddingModel {
        &self.0
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(vec![vec![1.0]; texts.len()])
    }

    fn estimate(&self, texts: &[String]) -> u64 {
        50 * texts.len() as u64
    }
}

#[tokio::test]
async fn a_document_s_vectors_are_booked_to_the_account_and_to_the_key_that_handed_it_in() {
    let tables = Tables::connect("embedded::memory:").await.unwrap();
    tables.ensure().await.unwrap();
    let clock = Clock::system();
    let (prices, limits) = (Arc::new(PriceTable::built_in()), SpendingLimits::default());
    let spending = Spending { tables: tables.clone(), prices, limits, clock: clock.clone() };
    let tenant: TenantId = "acme".parse().unwrap();
    let (now, key) = (clock.now(), KeyId::new(clock.now(), 1));
    let embedder =
        Billed(EmbeddingModel { id: "openai:text-embedding-3-small".into(), dimensions: 1 });

    for (payer, texts) in [(Some(&key), 2), (None, 1)] {
        let meter = Meter::default();
        meter.embed(&embedder, &vec![String::new(); texts]).await.unwrap();
        spending.book(&tenant, payer, meter).await;
    }
    // Nothing was used: nothing is written.
    spending.book(&tenant, Some(&KeyId::new(now, 2)), Meter::default()).await;

    let rows = tables.usage().range(&tenant, now, now, MAX_PAGE, None).await.unwrap().items;
    let mut used: Vec<(u64, u64, u64)> = rows
        .iter()
        .map(|row| (row.usage.requests, row.usage.embedding_tokens, row.usage.cost_micro_usd.0))
        .collect();
    used.sort_unstable();
    assert_eq!(used, [(0, 50, 1), (0, 100, 2)], "{rows:?}");
    let spent = async |key| {
        let ledger = Ledger { tenant: &tenant, key };
        tables.budgets().standing(ledger, now).await.unwrap().month.spent
    };
    assert_eq!(spent(None).await, MicroDollars(3));
    assert_eq!(spent(Some(&key)).await, MicroDollars(2));
}
