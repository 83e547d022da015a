//! What the canary's question is asked with.

use std::sync::Arc;

use lectern_app::{
    ask::{Ask, ChatModels},
    cache::{CacheLimits, Caches},
    clock::Clock,
    search::Search,
    spending::Spending,
};
use lectern_core::{
    fusion::Fusion,
    ports::{ChatModel, Embedder, PassageReader},
    pricing::PriceTable,
    prompt::PromptBudget,
    spending::SpendingLimits,
};
use lectern_tables::Tables;

/// Returns what answers as `query` does, for one who asks seldom: nothing is kept, and nobody's budget is asked.
pub(crate) fn asking(
    tables: &Tables,
    passages: Arc<dyn PassageReader>,
    embedder: Option<Arc<dyn Embedder>>,
    chat: Option<Arc<dyn ChatModel>>,
    clock: &Clock,
) -> Ask {
    let search = Search {
        tables: tables.clone(),
        passages,
        embedder,
        reranker: None,
        fusion: Fusion::default(),
        caches: Caches::new(None, CacheLimits::default(), clock.clone()),
    };
    let spending = Spending {
        tables: tables.clone(),
        prices: Arc::new(PriceTable::built_in()),
        limits: SpendingLimits::default(),
        clock: clock.clone(),
    };
    Ask {
        search,
        tables: tables.clone(),
        chat,
        chat_models: ChatModels::new(),
        spending,
        function: None,
        budget: PromptBudget::default(),
        clock: clock.clone(),
    }
}
