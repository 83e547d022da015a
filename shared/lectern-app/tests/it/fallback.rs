//! A model that fails: the request fails with it, or sentences of the passages stand for its words, as the collection says.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use lectern_app::{
    ask::{Ask, Asked},
    errors::FlowError,
};
use lectern_core::{
    answer::Mode,
    errors::{ErrorKind, PortError},
    ports::{ChatEvent, ChatModel, ChatRequest, ChatStream},
};
use serde_json::json;

use crate::world::{World, ask_with, question, request, text};

/// How a model fails.
#[derive(Clone, Copy, Debug)]
enum Fails {
    AtOnce(ErrorKind),
    AfterAWord,
    Never,
    /// Ends without saying so.
    Short,
}

#[async_trait]
impl ChatModel for Fails {
    fn model(&self) -> &str {
        "gpt-4o"
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, PortError> {
        let word = || Ok(ChatEvent::Token("The heron".into()));
        match self {
            Self::AtOnce(kind) => Err(PortError::bare(*kind, "chat")),
            Self::AfterAWord => {
                let broken = Err(PortError::bare(ErrorKind::Unavailable, "chat"));
                Ok(Box::pin(stream::iter([word(), broken])))
            }
            Self::Short => Ok(Box::pin(stream::iter([word()]))),
            Self::Never => {
                let late = async move {
                    tokio::time::sleep(request.timeout).await;
                    Err(PortError::bare(ErrorKind::Timeout, "chat"))
                };
                Ok(Box::pin(stream::once(late).boxed()))
            }
        }
    }
}

const ALL: [Fails; 6] = [
    Fails::AtOnce(ErrorKind::Unavailable),
    Fails::AtOnce(ErrorKind::RateLimited { retry_after: None }),
    Fails::AtOnce(ErrorKind::Unauthenticated),
    Fails::AfterAWord,
    Fails::Short,
    Fails::Never,
];

async fn asked(world: &World, model: Fails) -> Result<Asked, FlowError> {
    let process = Ask { chat: Some(Arc::new(model)), ..world.process() };
    let mut request = request(&question("heron"));
    request.time_budget = Duration::from_secs(2);
    ask_with(&process, &world.caller(&["*"]), &request).await.0
}

#[tokio::test]
async fn without_a_word_of_the_collection_the_request_fails() {
    let world = World::new().await;
    world.add(&text("heron", 7), &["*"]).await;
    for model in ALL {
        let failed = asked(&world, model).await;
        assert!(matches!(failed, Err(FlowError::Port(_))), "{model:?}: {failed:?}");
    }
}

#[tokio::test]
async fn sentences_stand_for_the_words_of_a_model_that_fails() {
    let world = World::new().await;
    world.add(&text("heron", 7), &["*"]).await;
    world.set(json!({"answers": {"fallback": "extractive"}})).await;
    for model in ALL {
        let asked = asked(&world, model).await.unwrap();
        assert_eq!(asked.degraded, ["generate"], "{model:?}");
        assert_eq!(asked.answer.mode(), Mode::Extractive);
        assert!(asked.answer.text().starts_with(&text("heron", 7)), "{model:?}");
        assert_eq!(asked.answer.citations().len(), 1);
        assert_eq!(asked.cache.as_str(), "miss", "{model:?}: it is not kept");
    }
}
