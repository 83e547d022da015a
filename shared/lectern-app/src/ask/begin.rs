//! From passages to the beginning of an answer: widened, sent to the model, or measured where there is none.

use std::time::Duration;

use lectern_core::{
    answer::{Answer, Mode},
    auth::Caller,
    errors::PortError,
    passage::{Passage, ScoredPassage},
    ports::{ChatMessage, ChatModel},
    prompt,
    settings::CollectionSettings,
};

use super::{Ask, reply};
use crate::search::{Found, SearchRequest, Widened, degraded};

/// A question that is being answered.
pub(super) struct Asking<'a> {
    pub(super) caller: &'a Caller,
    /// What was searched for.
    pub(super) search: &'a SearchRequest,
    /// How the collection wants it answered.
    pub(super) settings: &'a CollectionSettings,
    /// What the model is told of the conversation, oldest first.
    pub(super) history: &'a [ChatMessage],
}

/// The passages an answer is made from, and the reply to them that has begun, where there is a model.
pub(super) struct Begun<'a> {
    pub(super) widened: Widened,
    pub(super) reply: Option<(&'a dyn ChatModel, reply::Begun)>,
}

impl Begun<'_> {
    /// Nothing to answer from.
    pub(super) fn without_passages() -> Self {
        Self { widened: Widened { passages: Vec::new(), is_degraded: false }, reply: None }
    }
}

impl Asking<'_> {
    /// Returns the confidence below which no passage is used and no model asked; extraction without a setting has
    /// its own.
    fn least(&self) -> Option<f64> {
        let retrieval = Some(self.settings.retrieval.min_confidence).filter(|least| *least > 0.0);
        let answers = self.settings.answers.min_confidence;
        [retrieval, answers].into_iter().flatten().map(f64::from).reduce(f64::max)
    }
}

impl Ask {
    /// Begins before the passages are checked, unless they are to be measured first: a model that need not be
    /// asked is not.
    pub(super) async fn begin_early(
        &self,
        asking: &Asking<'_>,
        passages: &[ScoredPassage],
        timeout: Duration,
    ) -> Option<Result<Begun<'_>, PortError>> {
        match asking.least() {
            None => Some(self.begin(asking, passages, timeout).await),
            Some(_) => None,
        }
    }

    /// Widens the passages and sends the prompt, where there is a model and anything to tell it.
    pub(super) async fn begin(
        &self,
        asking: &Asking<'_>,
        passages: &[ScoredPassage],
        timeout: Duration,
    ) -> Result<Begun<'_>, PortError> {
        let Asking { caller, search, settings, history } = asking;
        let reach = settings.retrieval.neighbours;
        let (room, passages) = (self.budget.passages, passages.to_vec());
        let widened = self.search.widen(caller, &search.collection, passages, reach, room).await;
        let Some(chat) = self.chat(settings).filter(|_| !widened.passages.is_empty()) else {
            return Ok(Begun { widened, reply: None });
        };
        let passages: Vec<Passage> =
            widened.passages.iter().map(|found| found.passage.clone()).collect();
        let prompt = prompt::assemble(
            settings.answers.prompt,
            &search.question,
            &passages,
            history,
            self.budget,
        );
        let begun = reply::begin(chat, prompt, timeout).await?;
        Ok(Begun { widened, reply: Some((chat, begun)) })
    }

    /// Whether the passages are as sure to answer as the collection's settings ask for, where they say.
    pub(super) async fn is_sure(
        &self,
        asking: &Asking<'_>,
        found: &Found,
        remaining: Duration,
    ) -> bool {
        let Some(least) = asking.least() else { return true };
        // Extraction measures by itself, once.
        if self.chat(asking.settings).is_none() && asking.settings.retrieval.min_confidence <= 0.0 {
            return true;
        }
        let (extraction, _) = self.search.measure(&asking.search.question, found, remaining).await;
        extraction.relevance() >= least
    }

    /// Returns the extractive answer from what was found, and notes when that had to do without the embedder.
    pub(super) async fn extract(
        &self,
        asking: &Asking<'_>,
        found: &mut Found,
        remaining: Duration,
    ) -> Answer {
        let measured = self.search.measure(&asking.search.question, found, remaining).await;
        let (extraction, is_degraded) = measured;
        let answer = extraction.answer(asking.settings.answers.min_confidence.map(f64::from));
        if is_degraded && !found.degraded.contains(&degraded::EMBED) {
            found.degraded.push(degraded::EMBED);
        }
        answer
    }

    /// Returns how answers are made here.
    pub(super) fn mode(&self, settings: &CollectionSettings) -> Mode {
        if self.chat(settings).is_some() { Mode::Generated } else { Mode::Extractive }
    }
}
