//! Evaluation: every question of a golden set → ask → search → judge → a report.
//!
//! Nothing is ingested here and nothing imitated: questions go through [`Ask`] and [`Search`] as a client's do.
//! Chunks are mapped to their documents, the best chunk deciding.
//!
//! | module | does |
//! |---|---|
//! | [`golden`], [`read`] | what a golden set is; reads one |
//! | `observe` | asks one question and keeps what happened |
//! | `texts`, `align` | canonical texts, and where their spans stand in the set's own texts |
//! | `citations` | whether cited spans support their sentences |
//! | [`judge`] | what a chat model says of them, where one is configured |
//! | [`row`] | what one question says about each metric |
//! | [`report`], [`compare`] | all of them together; two reports against each other |
//! | [`export`] | TREC run files, answers and samples for other judges |

mod align;
mod citations;
pub mod compare;
pub mod export;
pub mod golden;
pub mod judge;
mod observe;
pub mod read;
pub mod report;
pub mod row;
mod texts;

use std::{collections::HashMap, time::Duration};

use futures::{StreamExt as _, stream};
use lectern_core::{
    auth::Caller,
    extract::Measured,
    fusion::Fusion,
    ids::{CollectionId, DocumentId},
    pricing::MicroDollars,
};
use serde::Serialize;

use self::{
    golden::{GoldenDocument, GoldenQuestion, GoldenSet},
    judge::{Judge, Judgement},
    observe::Observed,
    report::{Judging, RunReport},
    row::Row,
    texts::Texts,
};
use crate::{ask::Ask, documents::Documents, errors::FlowError, search::Search};

/// Most questions that are asked at the same time.
pub const MAX_CONCURRENCY: usize = 64;

/// Runs golden sets.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Finds passages.
    pub search: Search,
    /// Answers questions.
    pub ask: Ask,
    /// Reads canonical texts, which citations are checked against.
    pub documents: Documents,
    /// Where the set's documents are.
    pub collection: CollectionId,
    /// How long one answer may take.
    pub answer_timeout: Duration,
    /// Questions at the same time, 1 to [`MAX_CONCURRENCY`].
    pub concurrency: usize,
    /// Whether questions are answered, too; without, only what is found is measured.
    pub answers: bool,
    /// Whether samples hold what extraction measured, for calibration.
    pub measures: bool,
    /// Says how faithful answers are and the like; without one nobody does.
    pub judge: Option<Judge>,
}

/// One run of a set: the figures, and what was said.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The figures.
    pub report: RunReport,
    /// What was found and said, question by question.
    pub samples: Vec<Sample>,
}

/// What was found and said for a question.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The question's id.
    pub id: String,
    /// The question.
    pub question: String,
    /// Right answers.
    pub reference: Vec<String>,
    /// The set's documents, best first.
    pub ranking: Vec<String>,
    /// The passages an answer was made from, best first.
    pub contexts: Vec<String>,
    /// The answer without its citation numbers.
    pub answer: String,
    /// Whether it was refused.
    pub refused: bool,
    /// Where citations point: the set's document and bytes of its text there.
    pub citations: Vec<(String, lectern_core::passage::Span)>,
    /// What extraction measured, where that was asked for.
    pub measured: Option<Measurement>,
}

/// What extraction measured of a question's best passages.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// Whether the documents do not answer it.
    pub impossible: bool,
    /// By words.
    pub lexical: Measured,
    /// By meaning, where there is an embedder the weights know.
    pub semantic: Option<Measured>,
}

impl Evaluation {
    /// Asks every question of a set whose documents are in the collection under their
    /// [`GoldenDocument::document_id`]. `fusion` is how the two rankings become one where the collection
    /// does not say; `label` what the report calls it. `answered` is called after each question.
    ///
    /// A question that fails because something behind a port does counts as failed; the others go on.
    ///
    /// # Errors
    /// When the caller may not ask there, or a request is refused.
    pub async fn run(
        &self,
        caller: &Caller,
        set: &GoldenSet,
        label: &str,
        fusion: Fusion,
        answered: &(dyn Fn() + Sync),
    ) -> Result<Evaluated, FlowError> {
        let mut flows = self.clone();
        flows.search.fusion = fusion;
        flows.ask.search.fusion = fusion;
        let documents: HashMap<DocumentId, &GoldenDocument> =
            set.documents.iter().map(|document| (document.document_id(), document)).collect();
        let texts = Texts::new(&flows.documents, caller, &documents);

        // In the set's order, so that two reports of the same answers are the same bytes.
        let flows = &flows;
        let (texts, documents) = (&texts, &documents);
        let asked = stream::iter(&set.questions).map(async |question| {
            let judged = flows.one(caller, question, documents, texts).await;
            answered();
            judged
        });
        let concurrency = self.concurrency.clamp(1, MAX_CONCURRENCY);
        let mut asked = std::pin::pin!(asked.buffered(concurrency));
        let (mut rows, mut samples, mut spent) = (Vec::new(), Vec::new(), Vec::new());
        let mut judging = Judged::default();
        while let Some(judged) = asked.next().await {
            let (mut row, observed) = judged?;
            if let Some((observed, judgement)) = observed {
                if let Some(judgement) = judgement {
                    row.add(&judgement);
                    judging.add(&judgement);
                }
                samples.push(observed.sample);
                spent.push(observed.spent);
            }
            rows.push(row);
        }
        let mut report = RunReport::new(label, fusion, rows, &spent);
        report.judge = self.judge.as_ref().map(|judge| judging.of(judge.chat.model()));
        Ok(Evaluated { report, samples })
    }

    async fn one(
        &self,
        caller: &Caller,
        question: &GoldenQuestion,
        documents: &HashMap<DocumentId, &GoldenDocument>,
        texts: &Texts<'_>,
    ) -> Result<(Row, Option<(Observed, Option<Judgement>)>), FlowError> {
        match self.observe(caller, question, documents, texts).await {
            Ok(observed) => {
                let judgement = self.judge(&observed.sample).await;
                Ok((Row::of(question, &observed), Some((observed, judgement))))
            }
            Err(FlowError::Port(error)) => {
                tracing::warn!(error = %lectern_core::errors::chain(&error), "a question of the golden set failed");
                Ok((Row::failed(question, error.kind), None))
            }
            Err(other) => Err(other),
        }
    }

    /// Asks the judge about an answer; of a refusal there is nothing to judge.
    async fn judge(&self, sample: &Sample) -> Option<Judgement> {
        let judge = self.judge.as_ref().filter(|_| !sample.refused)?;
        let judged = judge::Sample {
            question: &sample.question,
            answer: &sample.answer,
            contexts: &sample.contexts,
            reference: sample.reference.first().map(String::as_str),
        };
        Some(judge.judge(judged).await)
    }
}

/// What judging took so far.
#[derive(Default)]
struct Judged {
    calls: u32,
    cost: MicroDollars,
}

impl Judged {
    fn add(&mut self, judgement: &Judgement) {
        self.calls = self.calls.saturating_add(judgement.spent.calls);
        self.cost.0 = self.cost.0.saturating_add(judgement.spent.cost_micro_dollars.0);
    }

    fn of(&self, model: &str) -> Judging {
        Judging { model: model.to_owned(), calls: self.calls, cost_usd: self.cost.as_dollars() }
    }
}
