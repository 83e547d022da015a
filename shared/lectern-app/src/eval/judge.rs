//! The judge: how good one answer is, by a chat model and the definitions of RAGAS.
//!
//! | metric | is | needs |
//! |---|---|---|
//! | faithfulness | share of the answer's statements that follow from the contexts | answer, contexts |
//! | answer relevancy | how near questions guessed from the answer are to the one asked | answer, an embedder |
//! | context precision | how far up the useful contexts stand | contexts, reference |
//! | context recall | share of the reference's sentences that the contexts account for | contexts, reference |
//!
//! The definitions are those of Es et al., "RAGAS: Automated Evaluation of Retrieval Augmented Generation"
//! (arXiv:2309.15217), and of the current source of `ragas.metrics.collections`; [`formulas`] says where the
//! arithmetic departs from it. The prompts, `prompts/judge.*.md`, are Lectern's own, so that figures compare
//! between runs of Lectern with one judge, not with those of another judge.
//!
//! A metric that cannot be had is absent and says why; it is never a guess. Nothing of a question, an answer or
//! a passage is logged.

mod asking;
pub mod formulas;
mod replies;

use std::{sync::Arc, time::Duration};

use lectern_core::{
    errors::PortError,
    ports::{ChatModel, Embedder, TokenCount},
    pricing::{MicroDollars, PriceTable},
};
use serde::{Serialize, Serializer};
use serde_json::json;
use thiserror::Error;

use self::{
    asking::{Asking, cut},
    replies::{Classifications, Guesses, Statements, Verdict, Verdicts},
};

/// Contexts that are judged; those further down are not looked at.
pub const MAX_CONTEXTS: usize = 20;
/// Most bytes of each text that are sent; the rest is cut.
pub const MAX_TEXT_BYTES: usize = 16_384;
/// Most statements of an answer, and sentences of a reference.
pub const MAX_STATEMENTS: usize = 100;
/// Questions guessed from an answer: RAGAS's `strictness`.
pub const GUESSES: usize = 3;
/// How long one reply of the judge may take when nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

const STATEMENTS: &str = include_str!("../../prompts/judge.statements.md");
const VERDICTS: &str = include_str!("../../prompts/judge.verdicts.md");
const QUESTIONS: &str = include_str!("../../prompts/judge.questions.md");
const USEFULNESS: &str = include_str!("../../prompts/judge.usefulness.md");
const ATTRIBUTION: &str = include_str!("../../prompts/judge.attribution.md");

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'sample> {
    /// What was asked.
    pub question: &'sample str,
    /// What was answered.
    pub answer: &'sample str,
    /// The passages the answer was made from, best first.
    pub contexts: &'sample [String],
    /// The right answer, where it is known.
    pub reference: Option<&'sample str>,
}

/// Why a metric is absent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unscored {
    /// Nothing was answered.
    #[error("there is no answer")]
    NoAnswer,
    /// Nothing was retrieved.
    #[error("there are no contexts")]
    NoContexts,
    /// The right answer is not known.
    #[error("there is no reference answer")]
    NoReference,
    /// The answer claims nothing; RAGAS says `nan`.
    #[error("the answer makes no statement")]
    NoStatements,
    /// Questions cannot be compared.
    #[error("there is no embedding model")]
    NoEmbedder,
    /// The judge's reply was asked for again and still is not what was asked for.
    #[error("the judge did not reply in the form asked for, twice")]
    Malformed,
    /// The judge or the embedder failed.
    #[error("a model failed: {0}")]
    Failed(#[from] PortError),
}

/// A metric, or why it is absent. In JSON `{"score": 0.5}` or `{"score": null, "reason": "…"}`.
#[derive(Debug)]
pub struct Metric(pub Result<f64, Unscored>);

impl Metric {
    /// Returns the score, if there is one.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        self.0.as_ref().ok().copied()
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(score) => json!({ "score": score }),
            Err(reason) => json!({ "score": null, "reason": reason.to_string() }),
        }
        .serialize(serializer)
    }
}

/// What the judge says of one sample.
#[derive(Debug, Serialize)]
pub struct Judgement {
    /// Share of the answer's statements that follow from the contexts, 0 to 1.
    pub faithfulness: Metric,
    /// How near questions guessed from the answer are to the one asked, −1 to 1.
    pub answer_relevancy: Metric,
    /// How far up the useful contexts stand, 0 to 1.
    pub context_precision: Metric,
    /// Share of the reference's sentences that the contexts account for, 0 to 1.
    pub context_recall: Metric,
    /// What it took.
    pub spent: Spent,
}

/// What judging took. Calls that failed on the way are counted as calls only: nobody says what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// Calls of the chat model.
    pub calls: u32,
    /// Tokens sent, as the model counts them or estimated where it does not say.
    pub prompt_tokens: u32,
    /// Tokens received.
    pub completion_tokens: u32,
    /// What they cost, millionths of a US dollar. Embeddings are not in it.
    pub cost_micro_dollars: MicroDollars,
}

/// Judges answers.
#[derive(Clone, Debug)]
pub struct Judge {
    /// The judge. Better than the model it judges, and not the same.
    pub chat: Arc<dyn ChatModel>,
    /// Compares questions; without one there is no answer relevancy.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// What the judge's tokens cost.
    pub prices: Arc<PriceTable>,
    /// How long one reply of the judge may take.
    pub timeout: Duration,
}

impl Judge {
    /// Returns the four metrics of `sample`. Calls the model four times and once per context, one call after the
    /// other, and once more for each reply that cannot be used.
    pub async fn judge(&self, sample: Sample<'_>) -> Judgement {
        let mut asking = Asking::new(self.chat.as_ref(), self.timeout);
        let faithfulness = Metric(faithfulness(&mut asking, sample).await);
        let answer_relevancy = Metric(self.answer_relevancy(&mut asking, sample).await);
        let context_precision = Metric(context_precision(&mut asking, sample).await);
        let context_recall = Metric(context_recall(&mut asking, sample).await);
        let (calls, TokenCount { prompt, completion }) = asking.spent();
        let spent = Spent {
            calls,
            prompt_tokens: prompt,
            completion_tokens: completion,
            cost_micro_dollars: self
                .prices
                .cost(self.chat.model(), TokenCount { prompt, completion }),
        };
        Judgement { faithfulness, answer_relevancy, context_precision, context_recall, spent }
    }

    async fn answer_relevancy(
        &self,
        asking: &mut Asking<'_>,
        sample: Sample<'_>,
    ) -> Result<f64, Unscored> {
        let answer = answer(sample)?;
        let embedder = self.embedder.as_ref().ok_or(Unscored::NoEmbedder)?;
        let guesses: Guesses =
            asking.ask(QUESTIONS, &json!({ "answer": answer }), |_| true).await?;

        // The question asked goes first.
        let guessed = guesses.questions();
        let mut texts = vec![cut(sample.question).to_owned()];
        texts.extend(guessed.iter().map(|guess| cut(guess).to_owned()));
        let vectors = embedder.embed(&texts).await?;
        let (asked, guessed) = vectors.split_first().ok_or(Unscored::Malformed)?;
        let cosines: Vec<f64> =
            guessed.iter().map(|guess| formulas::cosine(asked, guess)).collect();
        formulas::answer_relevancy(&cosines, guesses.all_noncommittal()).ok_or(Unscored::Malformed)
    }
}

async fn faithfulness(asking: &mut Asking<'_>, sample: Sample<'_>) -> Result<f64, Unscored> {
    let (answer, context) = (answer(sample)?, joined(contexts(sample)?));
    let question = cut(sample.question);

    // Take the answer apart, …
    let input = json!({ "question": question, "answer": answer });
    let statements: Statements = asking.ask(STATEMENTS, &input, |_| true).await?;
    let statements = statements.statements();
    if statements.is_empty() {
        return Err(Unscored::NoStatements);
    }

    // … then judge each of its statements by all contexts together.
    let input = json!({ "context": context, "statements": statements });
    let all_judged = |verdicts: &Verdicts| verdicts.supported().len() == statements.len();
    let verdicts: Verdicts = asking.ask(VERDICTS, &input, all_judged).await?;
    formulas::share(&verdicts.supported()).ok_or(Unscored::NoStatements)
}

async fn context_precision(asking: &mut Asking<'_>, sample: Sample<'_>) -> Result<f64, Unscored> {
    let (reference, contexts) = (reference(sample)?, contexts(sample)?);
    let mut useful = Vec::with_capacity(contexts.len());
    for context in contexts {
        let input = json!({
            "question": cut(sample.question), "answer": reference, "context": cut(context)
        });
        let verdict: Verdict = asking.ask(USEFULNESS, &input, |_| true).await?;
        useful.push(verdict.holds());
    }
    Ok(formulas::average_precision(&useful))
}

async fn context_recall(asking: &mut Asking<'_>, sample: Sample<'_>) -> Result<f64, Unscored> {
    let (reference, context) = (reference(sample)?, joined(contexts(sample)?));
    let input = json!({
        "question": cut(sample.question), "answer": reference, "context": context
    });
    let classifications: Classifications = asking.ask(ATTRIBUTION, &input, |_| true).await?;
    formulas::share(&classifications.attributed()).ok_or(Unscored::Malformed)
}

fn answer<'sample>(sample: Sample<'sample>) -> Result<&'sample str, Unscored> {
    let answer = sample.answer.trim();
    if answer.is_empty() { Err(Unscored::NoAnswer) } else { Ok(cut(answer)) }
}

fn reference<'sample>(sample: Sample<'sample>) -> Result<&'sample str, Unscored> {
    let reference = sample.reference.map(str::trim).filter(|text| !text.is_empty());
    reference.map(cut).ok_or(Unscored::NoReference)
}

fn contexts<'sample>(sample: Sample<'sample>) -> Result<&'sample [String], Unscored> {
    let contexts = &sample.contexts[..sample.contexts.len().min(MAX_CONTEXTS)];
    if contexts.is_empty() { Err(Unscored::NoContexts) } else { Ok(contexts) }
}

fn joined(contexts: &[String]) -> String {
    let contexts: Vec<&str> = contexts.iter().map(|context| cut(context)).collect();
    contexts.join("\n")
}

#[cfg(test)]
#[path = "judge/tests.rs"]
mod tests;
