//! From what is similar to a draft: check ‖ widen → prompt → generate → verify; without a model, or when it fails and the
//! collection wants that, choose sentences.

use std::time::{Duration, Instant};

use lectern_core::{
    answer::{Answer, Draft, Mode},
    auth::Caller,
    citations,
    errors::{PortError, chain},
    extract::Extraction,
    outgoing::{Outgoing, Sources},
    passage::{Passage, ScoredPassage},
    ports::ChatMessage,
    prompt,
    settings::{CollectionSettings, Fallback},
};
use lectern_telemetry::stage;
use tracing::warn;

use super::{Ask, AskTimings, Turn, reply};
use crate::{
    errors::FlowError,
    search::{Found, SearchRequest, Similar, Widened, degraded, millis},
};

/// How much of a question's time a model leaves for choosing sentences when it fails.
const FALLBACK_TIME: Duration = Duration::from_secs(2);

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

/// The passages an answer is made from, and what is made of them.
pub(super) struct Begun {
    pub(super) widened: Widened,
    reply: Reply,
}

enum Reply {
    /// The passages are not sure enough to answer.
    Unsure,
    /// There is no model, or nothing to tell it.
    None,
    /// The model failed, and sentences are to be chosen without it.
    Failed,
    /// The model's reply has begun.
    Begun { reply: reply::Begun, since: Instant },
}

impl Begun {
    fn unsure() -> Self {
        let widened = Widened { passages: Vec::new(), is_degraded: false };
        Self { widened, reply: Reply::Unsure }
    }
}

/// A verified answer.
pub(super) struct Drafted {
    pub(super) answer: Answer,
    pub(super) timings: AskTimings,
}

impl Asking<'_> {
    /// Whether sentences are chosen when the model fails so.
    fn does_without_model(&self, error: &PortError) -> bool {
        let does = self.settings.answers.fallback == Fallback::Extractive;
        if does {
            warn!(error = %chain(error), "the chat model failed: the answer is extractive");
        }
        does
    }

    /// Returns the confidence below which no passage is used and no model asked; extraction without a setting has
    /// its own.
    fn least(&self) -> Option<f64> {
        let retrieval = Some(self.settings.retrieval.min_confidence).filter(|least| *least > 0.0);
        let answers = self.settings.answers.min_confidence;
        [retrieval, answers].into_iter().flatten().map(f64::from).reduce(f64::max)
    }
}

impl Ask {
    /// Checks what was found and begins the answer. The passages are widened and the model is asked while the
    /// records are checked; nothing of its reply is passed on before, and if the check changes the passages both
    /// are done again.
    pub(super) async fn retrieve(
        &self,
        turn: &Turn<'_>,
        asking: &Asking<'_>,
        similar: Similar,
    ) -> Result<(Found, Begun), FlowError> {
        let hopeful = similar.hopeful();
        let (found, early) = tokio::join!(
            self.search.check(asking.caller, asking.search, similar),
            self.begin_early(turn, asking, &hopeful)
        );
        let mut found = found?;
        let begun = match early {
            _ if !self.is_sure(turn, asking, &found).await => Begun::unsure(),
            Some(early) if found.passages == hopeful => early?,
            _ => self.begin(turn, asking, &found.passages).await?,
        };
        found.degraded.extend(begun.widened.is_degraded.then_some(degraded::NEIGHBOURS));
        Ok((found, begun))
    }

    /// Returns the verified reply of the model; without a model, or without anything to tell it, chosen sentences.
    pub(super) async fn draft(
        &self,
        turn: &Turn<'_>,
        asking: &Asking<'_>,
        begun: Begun,
        found: &mut Found,
    ) -> Result<Drafted, PortError> {
        let mut timings = AskTimings {
            embed: found.timings.embed,
            retrieve: found.timings.retrieve,
            rerank: found.timings.rerank,
            ..AskTimings::default()
        };
        self.warn_of_missing(asking.settings);
        let answer = match begun.reply {
            Reply::Unsure => Some(Answer::refusal(self.mode(asking.settings))),
            Reply::Begun { reply, since } => {
                let shown = begun.widened.passages.into_iter().take(reply.passages_used);
                let passages: Vec<Passage> = shown.map(|found| found.passage).collect();
                match collected(turn, asking, reply, &passages).await {
                    Ok((answer, verified)) => {
                        timings.generate = millis(since.elapsed().saturating_sub(verified));
                        timings.verify = millis(verified);
                        Some(answer)
                    }
                    Err(error) if asking.does_without_model(&error) => {
                        timings.generate = millis(since.elapsed());
                        found.degraded.push(degraded::GENERATE);
                        None
                    }
                    Err(error) => return Err(error),
                }
            }
            Reply::Failed => {
                found.degraded.push(degraded::GENERATE);
                None
            }
            Reply::None => None,
        };
        let choosing = Instant::now();
        let answer = match answer {
            Some(answer) => answer,
            None => {
                let answer = self.extract(turn, asking, found).await;
                timings.verify = millis(choosing.elapsed());
                answer
            }
        };
        Ok(Drafted { answer, timings })
    }

    /// Begins before the passages are checked, unless they are to be measured first: a model that need not be
    /// asked is not.
    async fn begin_early(
        &self,
        turn: &Turn<'_>,
        asking: &Asking<'_>,
        passages: &[ScoredPassage],
    ) -> Option<Result<Begun, FlowError>> {
        match asking.least() {
            None => Some(self.begin(turn, asking, passages).await),
            Some(_) => None,
        }
    }

    /// Widens the passages and sends the prompt, where there is a model and anything to tell it.
    async fn begin(
        &self,
        turn: &Turn<'_>,
        asking: &Asking<'_>,
        passages: &[ScoredPassage],
    ) -> Result<Begun, FlowError> {
        let Asking { caller, search, settings, history } = asking;
        let reach = settings.retrieval.neighbours;
        let (room, passages) = (self.budget.passages, passages.to_vec());
        let widened = self
            .search
            .widen(caller, &search.collection, passages, reach, room, settings.safety)
            .await;
        let Some(chat) = self.chat(settings).filter(|_| !widened.passages.is_empty()) else {
            return Ok(Begun { widened, reply: Reply::None });
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
        let since = Instant::now();
        let mut time = turn.remaining();
        if settings.answers.fallback == Fallback::Extractive {
            time = time.saturating_sub(FALLBACK_TIME.min(time / 4));
        }
        let reply = match reply::begin(&turn.bill, chat, prompt, time).await {
            Ok(reply) => Reply::Begun { reply, since },
            Err(FlowError::Port(error)) if asking.does_without_model(&error) => Reply::Failed,
            Err(error) => return Err(error),
        };
        Ok(Begun { widened, reply })
    }

    /// Whether the passages are as sure to answer as the collection's settings ask for, where they say.
    async fn is_sure(&self, turn: &Turn<'_>, asking: &Asking<'_>, found: &Found) -> bool {
        let Some(least) = asking.least() else { return true };
        // Extraction measures by itself, once.
        if self.chat(asking.settings).is_none() && asking.settings.retrieval.min_confidence <= 0.0 {
            return true;
        }
        let (extraction, _) = self.measure(turn, asking, found).await;
        extraction.relevance() >= least
    }

    /// Returns the extractive answer from what was found, and notes when that had to do without the embedder.
    async fn extract(&self, turn: &Turn<'_>, asking: &Asking<'_>, found: &mut Found) -> Answer {
        let (extraction, is_degraded) = self.measure(turn, asking, found).await;
        let answer = extraction.answer(asking.settings.answers.min_confidence.map(f64::from));
        if is_degraded && !found.degraded.contains(&degraded::EMBED) {
            found.degraded.push(degraded::EMBED);
        }
        answer
    }

    /// Returns what extraction measures, and whether the embedder failed at it; the question pays for the vectors.
    async fn measure<'found>(
        &self,
        turn: &Turn<'_>,
        asking: &Asking<'_>,
        found: &'found Found,
    ) -> (Extraction<'found>, bool) {
        let (question, meter) = (&asking.search.question, turn.bill.meter());
        self.search.measure(question, found, turn.remaining(), meter).await
    }

    /// Returns how answers are made here.
    fn mode(&self, settings: &CollectionSettings) -> Mode {
        if self.chat(settings).is_some() { Mode::Generated } else { Mode::Extractive }
    }
}

/// Returns the verified reply, and how long verifying took.
async fn collected(
    turn: &Turn<'_>,
    asking: &Asking<'_>,
    reply: reply::Begun,
    passages: &[Passage],
) -> Result<(Answer, Duration), PortError> {
    let texts = passages.iter().map(|passage| passage.text.as_str());
    let sources = Sources::of(texts.chain([asking.search.question.as_str()]));
    let text = reply::collect(reply, Outgoing::new(&sources), turn).await?;
    let verifying = Instant::now();
    let _verify = stage::entered("verify");
    let policy = asking.settings.answers.unsupported;
    let mut answer = text.map_or_else(Answer::withheld, |text| {
        citations::verify(&Draft::new(text), passages, policy)
    });
    // Citations were set anew and sentences cut: what became of the text has not passed yet.
    if !sources.lets_out(answer.text()) {
        warn!(query.id = %turn.query_id, "refused an answer that has links of no source");
        answer = Answer::refusal(Mode::Generated);
    }
    Ok((answer, verifying.elapsed()))
}
