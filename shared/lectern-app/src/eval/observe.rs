//! Asks one question and keeps what happened.

use std::collections::{BTreeMap, HashMap};

use lectern_core::{
    auth::Caller,
    ids::DocumentId,
    metrics::ranking::first_of_each,
    passage::{Passage, Span},
};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    Evaluation, Sample,
    citations::{self, Supported},
    golden::{GoldenDocument, GoldenQuestion, GoldenSpan},
    report::SpentOnOne,
    texts::Texts,
};
use crate::{
    ask::{AskEvent, AskRequest, Asked, EVENT_BUFFER},
    errors::FlowError,
    search::{MAX_LIMIT, SearchRequest},
};

/// What happened when a question was asked.
#[derive(Debug)]
pub(super) struct Observed {
    /// What was found and said.
    pub(super) sample: Sample,
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

impl Evaluation {
    pub(super) async fn observe(
        &self,
        caller: &Caller,
        golden: &GoldenQuestion,
        documents: &HashMap<DocumentId, &GoldenDocument>,
        texts: &Texts<'_>,
    ) -> Result<Observed, FlowError> {
        // Ask first: its latencies are those of a question that nothing prepared.
        let (asked, contexts) = self.asked(caller, golden).await?;
        let request = SearchRequest {
            collection: self.collection.clone(),
            question: golden.question.clone(),
            filter: None,
            limit: Some(MAX_LIMIT),
            mmr: None,
            per_document: None,
            grouped: false,
            time_budget: self.answer_timeout,
            cache: false,
            session_id: None,
        };
        let found = self.search.search(caller, &request).await?;
        let name = |id: &DocumentId| documents.get(id).map(|document| document.id.as_str());
        let ranking = found.passages.iter().filter_map(|hit| name(&hit.passage.document_id));

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
            search_ms: stages(&found.timings),
            tokens: asked.spent.tokens,
            cost: asked.spent.cost,
        };
        let sample = Sample {
            id: golden.id.clone(),
            question: golden.question.as_str().to_owned(),
            reference: golden.answers.clone(),
            ranking: first_of_each(ranking),
            contexts: contexts.iter().map(|passage| passage.text.clone()).collect(),
            answer: citations::without_numbers(&asked.answer),
            refused: asked.answer.is_refused(),
            citations: cited,
        };
        Ok(Observed {
            sample,
            supported: citations::judge(&asked.answer, &contexts),
            citations: asked.answer.citations().len(),
            valid_citations,
            spans,
            evidence,
            confidence: asked.answer.confidence(),
            spent,
        })
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

/// Returns the milliseconds of each stage by its name, whatever stages there are.
fn stages(timings: &impl Serialize) -> BTreeMap<String, f64> {
    let Ok(Value::Object(stages)) = serde_json::to_value(timings) else { return BTreeMap::new() };
    stages.into_iter().filter_map(|(stage, value)| Some((stage, value.as_f64()?))).collect()
}
