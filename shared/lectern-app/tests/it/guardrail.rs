//! What a guardrail keeps back: refused for a reason, paid for, and never kept.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures::stream;
use lectern_app::ask::{Ask, AskEvent};
use lectern_core::{
    answer::{Mode, Refusal, WITHHELD},
    errors::PortError,
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream, TokenCount},
    pricing::MicroDollars,
};

use crate::world::{World, ask_with, request};

const USED: TokenCount = TokenCount { prompt: 900, completion: 4 };

/// A model behind a guardrail that lets its own message through and nothing else.
#[derive(Debug, Default)]
struct Guarded(AtomicUsize);

#[async_trait]
impl ChatModel for Guarded {
    fn model(&self) -> &str {
        "gpt-4o"
    }

    async fn stream(&self, _: ChatRequest) -> Result<ChatStream, PortError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let message = ChatEvent::Token("Sorry, I cannot help with that.".into());
        let events = [Ok(message), Ok(ChatEvent::Withheld { usage: Some(USED) })];
        Ok(Box::pin(stream::iter(events)))
    }
}

async fn process(world: &World) -> (Ask, Arc<Guarded>) {
    world.add("Herons breed in reeds.", &["*"]).await;
    let model = Arc::new(Guarded::default());
    let mut process = world.process();
    process.chat = Some(Arc::<Guarded>::clone(&model));
    (process, model)
}

#[tokio::test]
async fn what_is_withheld_is_a_refusal_that_says_why_and_shows_nothing() {
    let world = World::new().await;
    let (process, model) = process(&world).await;
    let caller = world.caller(&["*"]);
    for asked_before in 0..2 {
        let (asked, events) = ask_with(&process, &caller, &request("Where do herons breed?")).await;
        let asked = asked.unwrap();
        let answer = &asked.answer;
        assert_eq!((answer.text(), answer.mode()), (WITHHELD, Mode::Generated));
        assert_eq!(answer.refused_for(), Some(Refusal::Guardrail));
        assert!(answer.is_refused() && answer.citations().is_empty());
        assert!(asked.nearest.is_empty(), "not given in another form either");
        assert!(!events.iter().any(|event| matches!(event, AskEvent::Citation(_))));
        assert_eq!(asked.spent.tokens, USED);
        assert!(asked.spent.cost > MicroDollars(0), "the model read it");
        assert_eq!(asked.cache.as_str(), "miss");
        assert_eq!(model.0.load(Ordering::SeqCst), asked_before + 1, "it is not kept");
    }
}

#[tokio::test]
async fn a_follow_up_whose_rewriting_is_withheld_is_read_by_the_rule() {
    let world = World::new().await;
    let (process, model) = process(&world).await;
    let caller = world.caller(&["*"]);
    let (first, _) = ask_with(&process, &caller, &request("Where do herons breed?")).await;
    let mut follow_up = request("And when do they?");
    follow_up.session_id = Some(first.unwrap().session_id);
    let (asked, _) = ask_with(&process, &caller, &follow_up).await;
    assert_eq!(asked.unwrap().answer.refused_for(), Some(Refusal::Guardrail));
    assert_eq!(model.0.load(Ordering::SeqCst), 3, "asked to rewrite, and to answer");
}

#[tokio::test]
async fn nothing_found_is_another_reason() {
    let world = World::new().await;
    let caller = world.caller(&["*"]);
    let (asked, _) = ask_with(&world.process(), &caller, &request("Where do herons breed?")).await;
    assert_eq!(asked.unwrap().answer.refused_for(), Some(Refusal::Unsupported));
}
