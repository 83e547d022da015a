//! Asks one question and keeps what happened.

use std::collections::{BTreeMap, HashMap};

use lectern_core::{
    auth::Caller,
    extract::Extraction,
    ids::DocumentId,
    metrics::ranking::first_of_each,
    passage::{Passage, Span},
};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    Evaluation, Measurement, Sample,
    citations::{self, Supported},
    golden::{GoldenDocument, GoldenQuestion, GoldenSpan},
    report::SpentOnOne,
    texts::Texts,
};
use crate::{
    ask::{AskEvent, AskRequest, Asked, EVENT_BUFFER},
    errors::FlowError,
    search::{Found, MAX_LIMIT, SearchRequest},
    spending::Meter,
};

/// What happened when a question was asked.
#[derive(Debug)]
pub(super) struct Observed {
    /// What was found and said.
    pub(super) sample: Sample,
    /// Whether an answer was asked for.
    pub(super) is_asked: bool,
    /// The answer's first sentence.
    pub(super) first_sentence: String,
    /// Whether cited spans support their sentences.
    pub(super) supported: Supported,
    /// How many citations the answer has, and how many are bytes of their document.
    pub(super) citations: usize,
    pub(super) valid_citations: usize,
    /// Where the answer stands: gold spans and evidence with the bytes of quotes filled in.
    pub(super) spans: Vec<(String, Span)>,
    pub(super) evidence: Vec<(String, Span)>,
    /// How sure the answer is.
    pub(super) confidence: Option<f64>,
    /// Time, tokens and money.
    pub(super) spent: SpentOnOne,
}

/// What a search found.
struct Ranked {
    /// The set's documents, best first.
    ranking: Vec<String>,
    /// Milliseconds of each stage.
    search_ms: BTreeMap<String, f64>,
    /// What extraction measured, where that was asked for.
    measured: Option<Measurement>,
}

impl Evaluation {
    pub(super) async fn observe(
        &self,
        caller: &Caller,
        golden: &GoldenQuestion,
        documents: &HashMap<DocumentId, &GoldenDocument>,
        texts: &Texts<'_>,
    ) -> Result<Observed, FlowError> {
        if !self.answers {
            let found = self.ranking(caller, golden, documents).await?;
            return Ok(Observed::of_ranking(golden, found));
        }
        // Ask first: its latencies are those of a question that nothing prepared.
        let (asked, contexts) = self.asked(caller, golden).await?;
        let Ranked { ranking, search_ms, measured } =
            self.ranking(caller, golden, documents).await?;
        let name = |id: &DocumentId| documents.get(id).map(|document| document.id.as_str());

        // Citations against the bytes they point at, and where those stand in the set's text.
        let (mut cited, mut valid_citations, mut in_reach) = (Vec::new(), 0, HashMap::new());
        for citation in asked.answer.citations() {
            let text = texts.of(citation).await?;
            valid_citations += usize::from(text.holds(citation));
            let document = name(&citation.document_id);
            let place = text.in_set(Span { start: citation.start, end: citation.end });
            if let (Some(document), Some(place)) = (document, place) {
                cited.push((document.to_owned(), place));
                in_reach.insert(document.to_owned(), text);
            }
        }
        // Gold spans in documents that are not cited cannot be covered, so their bytes are of no use.
        let resolved = |spans: &[GoldenSpan]| -> Vec<(String, Span)> {
            let bytes = |span: &GoldenSpan| in_reach.get(&span.document)?.bytes(&span.place);
            let placed =
                spans.iter().filter_map(|span| Some((span.document.clone(), bytes(span)?)));
            placed.collect()
        };
        let (spans, evidence) = (resolved(&golden.spans), resolved(&golden.evidence));

        let spent = SpentOnOne {
            ask_ms: stages(&asked.timings),
            search_ms,
            tokens: asked.spent.tokens,
            cost: asked.spent.cost,
        };
        let sample = Sample {
            id: golden.id.clone(),
            question: golden.question.as_str().to_owned(),
            reference: golden.answers.clone(),
            ranking,
            contexts: contexts.iter().map(|passage| passage.text.clone()).collect(),
            answer: citations::without_numbers(&asked.answer),
            refused: asked.answer.is_refused(),
            citations: cited,
            measured,
        };
        let sentence = asked.answer.sentences().first();
        Ok(Observed {
            sample,
            is_asked: true,
            first_sentence: sentence
                .and_then(|sentence| asked.answer.text().get(sentence.start..sentence.end))
                .unwrap_or_default()
                .to_owned(),
            supported: citations::judge(&asked.answer, &contexts),
            citations: asked.answer.citations().len(),
            valid_citations,
            spans,
            evidence,
            confidence: asked.answer.confidence(),
            spent,
        })
    }

    /// Searches, and measures what was found where that is asked for.
    async fn ranking(
        &self,
        caller: &Caller,
        golden: &GoldenQuestion,
        documents: &HashMap<DocumentId, &GoldenDocument>,
    ) -> Result<Ranked, FlowError> {
        let request = SearchRequest {
            collection: self.collection.clone(),
            question: golden.question.clone(),
            filter: None,
            limit: Some(MAX_LIMIT),
            mmr: None,
            per_document: None,
            grouped: false,
            collapses: false,
            time_budget: self.answer_timeout,
            cache: false,
            session_id: None,
        };
        let found = self.search.search(caller, &request).await?;
        let name = |id: &DocumentId| documents.get(id).map(|document| document.id.as_str());
        let ranking = found.passages.iter().filter_map(|hit| name(&hit.passage.document_id));
        let ranking = first_of_each(ranking);
        let measured = if self.measures { Some(self.measured(golden, &found).await) } else { None };
        Ok(Ranked { ranking, search_ms: stages(&found.timings), measured })
    }

    async fn measured(&self, golden: &GoldenQuestion, found: &Found) -> Measurement {
        let lexical = Extraction::of(&golden.question, &found.passages).measured();
        let (question, timeout, meter) = (&golden.question, self.answer_timeout, Meter::default());
        let (extraction, _) = self.search.measure(question, found, timeout, &meter).await;
        let semantic = Some(extraction.measured()).filter(|measured| measured.compared);
        Measurement { impossible: golden.is_unanswerable, lexical, semantic }
    }

    /// Asks, and listens for the passages the answer is made from.
    async fn asked(
        &self,
        caller: &Caller,
        golden: &GoldenQuestion,
    ) -> Result<(Asked, Vec<Passage>), FlowError> {
        let request = AskRequest {
            collection: self.collection.clone(),
            question: golden.question.clone(),
            filter: None,
            mmr: None,
            session_id: None,
            time_budget: self.answer_timeout,
            cache: false,
        };
        let (sender, mut events) = mpsc::channel(EVENT_BUFFER);
        let asking = async move { self.ask.ask(caller, &request, &sender).await };
        let listening = async {
            let mut passages = Vec::new();
            while let Some(event) = events.recv().await {
                if let AskEvent::Retrieval { passages: found, .. } = event {
                    passages = found.into_iter().map(|scored| scored.passage).collect();
                }
            }
            passages
        };
        let (asked, passages) = tokio::join!(asking, listening);
        Ok((asked?, passages))
    }
}

impl Observed {
    /// What is known when nothing was asked.
    fn of_ranking(golden: &GoldenQuestion, found: Ranked) -> Self {
        let Ranked { ranking, search_ms, measured } = found;
        let sample = Sample {
            id: golden.id.clone(),
            question: golden.question.as_str().to_owned(),
            reference: golden.answers.clone(),
            ranking,
            contexts: Vec::new(),
            answer: String::new(),
            refused: false,
            citations: Vec::new(),
            measured,
        };
        Self {
            sample,
            is_asked: false,
            first_sentence: String::new(),
            supported: Supported::default(),
            citations: 0,
            valid_citations: 0,
            spans: Vec::new(),
            evidence: Vec::new(),
            confidence: None,
            spent: SpentOnOne { search_ms, ..SpentOnOne::default() },
        }
    }
}

/// Returns the milliseconds of each stage by its name, whatever stages there are.
fn stages(timings: &impl Serialize) -> BTreeMap<String, f64> {
    let Ok(Value::Object(stages)) = serde_json::to_value(timings) else { return BTreeMap::new() };
    stages.into_iter().filter_map(|(stage, value)| Some((stage, value.as_f64()?))).collect()
}
