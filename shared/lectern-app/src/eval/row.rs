//! What one question says about each metric.

use std::collections::BTreeMap;

use lectern_core::{
    errors::ErrorKind,
    metrics::{
        answers::{exact_match, is_hit, token_f1},
        ranking::{has_relevant, ndcg, recall, reciprocal_rank, success},
        share::Share,
    },
    passage::Span,
};
use serde::{Deserialize, Serialize};

use super::{golden::GoldenQuestion, judge::Judgement, observe::Observed};

/// A metric that adds up over questions: a mean, or a ratio of sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// nDCG@10 of documents, linear gain.
    #[serde(rename = "ndcg@10")]
    Ndcg10,
    /// Share of the relevant documents among the first 5.
    #[serde(rename = "recall@5")]
    Recall5,
    /// Among the first 10.
    #[serde(rename = "recall@10")]
    Recall10,
    /// Among the first 100 passages' documents.
    #[serde(rename = "recall@100")]
    Recall100,
    /// Mean of 1 / rank of the first relevant document among 10.
    #[serde(rename = "mrr@10")]
    Mrr10,
    /// The first document is relevant.
    #[serde(rename = "success@1")]
    Success1,
    /// A gold answer stands in the answer; a refusal hits nothing.
    AnswerHit,
    /// A gold answer stands in the answer's first sentence.
    #[serde(rename = "answer_hit@1")]
    FirstHit,
    /// The answer is a gold answer (SQuAD).
    ExactMatch,
    /// F1 of tokens (SQuAD).
    F1,
    /// Of the sentences that cite: those a cited span supports.
    CitationPrecision,
    /// Of the sentences a passage supports: those that cite.
    CitationRecall,
    /// Of the citations: those whose quote is the bytes of the canonical text at their offsets.
    CitationValid,
    /// An answer cites a relevant document; a refusal does not.
    CitedDocument,
    /// Of the answers given: a citation covers a gold span, or lies mostly in an evidence sentence.
    CitedSpan,
    /// Bytes cited per answer that cites: long citations are cheap hits.
    CitedBytes,
    /// Of the refused: those that are unanswerable.
    RefusalPrecision,
    /// Of the unanswerable: those that are refused.
    RefusalRecall,
    /// Of the answerable: those that are refused.
    FalseRefusal,
    /// Questions that could not be asked because something failed.
    Failed,
    /// Claims of the answer that its contexts support (RAGAS, by LLM judge).
    Faithfulness,
    /// How much the answer is about the question (RAGAS, by LLM judge).
    AnswerRelevancy,
    /// Relevant contexts stand before others (RAGAS, by LLM judge).
    ContextPrecision,
    /// Claims of the reference that the contexts support (RAGAS, by LLM judge).
    ContextRecall,
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Up,
    /// Less is better.
    Down,
    /// Neither is.
    Neutral,
}

impl Metric {
    /// Returns its name in reports.
    #[must_use]
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => unreachable!("a unit variant is a string"),
        }
    }

    /// Returns which way it is better.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::FalseRefusal | Self::Failed => Direction::Down,
            Self::CitedBytes => Direction::Neutral,
            _ => Direction::Up,
        }
    }
}

/// What one question says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The question's id.
    pub id: String,
    /// Whether it should be answered.
    pub answerable: bool,
    /// Whether it was refused.
    pub refused: bool,
    /// How sure the answer is, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// What failed, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Part and whole of each metric it says something about.
    pub metrics: BTreeMap<Metric, Share>,
}

impl Row {
    /// Judges what happened.
    pub(super) fn of(question: &GoldenQuestion, observed: &Observed) -> Self {
        let refused = observed.sample.refused;
        let mut metrics = BTreeMap::from([(Metric::Failed, Share::yes(false))]);
        ranking(question, &observed.sample.ranking, &mut metrics);
        if observed.is_asked {
            answer(question, observed, &mut metrics);
            citations(question, observed, &mut metrics);
            refusal(question, refused, &mut metrics);
        }
        Self {
            id: question.id.clone(),
            answerable: question.is_answerable(),
            refused,
            confidence: observed.confidence,
            failed: None,
            metrics,
        }
    }

    /// Adds what a chat model says of the answer; what it says nothing of stays absent.
    pub(super) fn add(&mut self, judgement: &Judgement) {
        let said = [
            (Metric::Faithfulness, &judgement.faithfulness),
            (Metric::AnswerRelevancy, &judgement.answer_relevancy),
            (Metric::ContextPrecision, &judgement.context_precision),
            (Metric::ContextRecall, &judgement.context_recall),
        ];
        let said = said.into_iter().filter_map(|(metric, said)| Some((metric, said.score()?)));
        self.metrics.extend(said.map(|(metric, score)| (metric, Share::of_one(score))));
    }

    /// Judges a question that could not be asked: nothing found, nothing said.
    pub(super) fn failed(question: &GoldenQuestion, kind: ErrorKind) -> Self {
        let mut metrics = BTreeMap::from([(Metric::Failed, Share::yes(true))]);
        ranking(question, &[], &mut metrics);
        if !question.answers.is_empty() {
            for metric in [Metric::AnswerHit, Metric::FirstHit, Metric::ExactMatch, Metric::F1] {
                metrics.insert(metric, Share::yes(false));
            }
        }
        refusal(question, false, &mut metrics);
        Self {
            id: question.id.clone(),
            answerable: question.is_answerable(),
            refused: false,
            confidence: None,
            failed: Some(format!("{kind:?}").to_lowercase()),
            metrics,
        }
    }
}

type Metrics = BTreeMap<Metric, Share>;

fn ranking(question: &GoldenQuestion, ranking: &[String], metrics: &mut Metrics) {
    let grades = &question.grades;
    if !has_relevant(grades) {
        return;
    }
    metrics.extend([
        (Metric::Ndcg10, Share::of_one(ndcg(ranking, grades, 10))),
        (Metric::Recall5, Share::of_one(recall(ranking, grades, 5))),
        (Metric::Recall10, Share::of_one(recall(ranking, grades, 10))),
        (Metric::Recall100, Share::of_one(recall(ranking, grades, 100))),
        (Metric::Mrr10, Share::of_one(reciprocal_rank(ranking, grades, 10))),
        (Metric::Success1, Share::of_one(success(ranking, grades, 1))),
    ]);
}

fn answer(question: &GoldenQuestion, observed: &Observed, metrics: &mut Metrics) {
    let gold = &question.answers;
    if gold.is_empty() {
        return;
    }
    // A refusal says nothing, whatever words it says that with.
    let said = if observed.sample.refused { "" } else { observed.sample.answer.as_str() };
    let answered = !observed.sample.refused;
    metrics.extend([
        (Metric::AnswerHit, Share::yes(answered && is_hit(said, gold))),
        (Metric::FirstHit, Share::yes(answered && is_hit(&observed.first_sentence, gold))),
        (Metric::ExactMatch, Share::yes(answered && exact_match(said, gold))),
        (Metric::F1, Share::of_one(if answered { token_f1(said, gold) } else { 0.0 })),
    ]);
}

fn citations(question: &GoldenQuestion, observed: &Observed, metrics: &mut Metrics) {
    let cited = &observed.sample.citations;
    metrics.extend([
        (Metric::CitationPrecision, observed.supported.precision),
        (Metric::CitationRecall, observed.supported.recall),
        (Metric::CitationValid, Share::counted(observed.valid_citations, observed.citations)),
    ]);
    if question.is_answerable() && has_relevant(&question.grades) {
        let relevant = |(document, _): &(String, Span)| {
            question.grades.get(document).is_some_and(|grade| *grade > 0)
        };
        metrics.insert(Metric::CitedDocument, Share::yes(cited.iter().any(relevant)));
    }
    if question.is_answerable() && !cited.is_empty() {
        // Bytes of a document's text are far below 2^52.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let bytes = cited.iter().map(|(_, span)| span.len() as f64).sum();
        metrics.insert(Metric::CitedBytes, Share::of_one(bytes));
    }
    let has_span = !question.spans.is_empty() || !question.evidence.is_empty();
    if question.is_answerable() && has_span && !observed.sample.refused {
        let hits = cited.iter().any(|citation| {
            observed.spans.iter().any(|gold| covers(citation, gold))
                || observed.evidence.iter().any(|sentence| lies_mostly_in(citation, sentence))
        });
        metrics.insert(Metric::CitedSpan, Share::yes(hits));
    }
    metrics.retain(|_, share| share.whole > 0.0);
}

type Cited = (String, Span);

fn covers((document, span): &Cited, (gold_document, gold): &Cited) -> bool {
    document == gold_document && span.start <= gold.start && gold.end <= span.end
}

fn lies_mostly_in((document, span): &Cited, (gold_document, gold): &Cited) -> bool {
    let common = span.end.min(gold.end).saturating_sub(span.start.max(gold.start));
    document == gold_document && 2 * common > span.len()
}

fn refusal(question: &GoldenQuestion, refused: bool, metrics: &mut Metrics) {
    if refused {
        metrics.insert(Metric::RefusalPrecision, Share::yes(question.is_unanswerable));
    }
    let (unanswerable, answerable) = (question.is_unanswerable, question.is_answerable());
    if unanswerable {
        metrics.insert(Metric::RefusalRecall, Share::yes(refused));
    } else if answerable {
        metrics.insert(Metric::FalseRefusal, Share::yes(refused));
    }
}

#[cfg(test)]
mod tests {
    use lectern_core::metrics::ranking::Grades;

    use super::*;

    fn question() -> GoldenQuestion {
        GoldenQuestion {
            id: "q".into(),
            question: "where?".parse().unwrap(),
            grades: Grades::from([("d1".to_owned(), 1)]),
            spans: vec![],
            evidence: vec![],
            answers: vec!["Paris".into()],
            is_unanswerable: false,
        }
    }

    #[test]
    fn a_citation_covers_a_span_or_lies_mostly_in_a_sentence() {
        let at = |document: &str, start, end| (document.to_owned(), Span { start, end });
        assert!(covers(&at("d", 5, 20), &at("d", 5, 20)));
        assert!(!covers(&at("d", 6, 20), &at("d", 5, 20)));
        assert!(!covers(&at("e", 0, 99), &at("d", 5, 20)));
        assert!(lies_mostly_in(&at("d", 0, 10), &at("d", 4, 99)), "six of ten bytes");
        assert!(!lies_mostly_in(&at("d", 0, 10), &at("d", 5, 99)), "half is not most");
    }

    #[test]
    fn a_failed_question_counts_as_nothing_found_and_nothing_said() {
        let row = Row::failed(&question(), ErrorKind::Timeout);
        assert_eq!(row.failed.as_deref(), Some("timeout"));
        assert_eq!(row.metrics[&Metric::Failed], Share::yes(true));
        assert_eq!(row.metrics[&Metric::Ndcg10], Share::of_one(0.0));
        assert_eq!(row.metrics[&Metric::F1], Share::of_one(0.0));
        assert_eq!(row.metrics[&Metric::FalseRefusal], Share::yes(false), "it was not refused");
    }

    #[test]
    fn names_are_those_of_the_field() {
        assert_eq!(Metric::Ndcg10.name(), "ndcg@10");
        assert_eq!(Metric::FalseRefusal.name(), "false_refusal");
        let read: Metric = serde_json::from_str("\"success@1\"").unwrap();
        assert_eq!(read, Metric::Success1);
    }
}
