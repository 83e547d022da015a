//! Bodies of requests and responses, as the OpenAPI document describes them.

use std::collections::BTreeMap;

use lectern_app::ask::Asked;
use lectern_core::{
    answer::{Citation, Mode, Refusal, Sentence, Verdict},
    filter::Filter,
    passage::ScoredPassage,
    settings::Mmr,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A question.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryBody {
    /// The question, 1 to 4 000 characters.
    #[schema(example = "When do backups run?", min_length = 1, max_length = 4000)]
    pub question: String,
    /// The collection to answer from; `default` without.
    #[serde(default)]
    #[schema(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub collection: Option<String>,
    /// The conversation to continue; a new one without.
    #[serde(default)]
    #[schema(pattern = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    pub session_id: Option<String>,
    /// Conditions on documents and metadata.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Filter>,
    /// Maximal marginal relevance, `{"lambda": 0.7}`: 1 is relevance alone, 0 variety alone. As the collection's
    /// settings say without.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub mmr: Option<Mmr>,
    /// Whether to answer as server-sent events; `Accept: text/event-stream` does the same.
    #[serde(default)]
    pub stream: bool,
    /// Whether an earlier answer to the same question may be given, if it still holds. With `false` this
    /// answer is made anew and not kept either.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub cache: bool,
}

fn yes() -> bool {
    true
}

/// A search.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchBody {
    /// What to look for, 1 to 4 000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub question: String,
    /// The collection to search; `default` without.
    #[serde(default)]
    #[schema(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub collection: Option<String>,
    /// Conditions on documents and metadata.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Filter>,
    /// Most passages, or with `group_by` most documents, 1 to 100; 10 without. Never more than 100 passages.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<usize>,
    /// Whether what was retrieved in the last minutes may be used, if the collection is unchanged.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub cache: bool,
    /// Maximal marginal relevance, `{"lambda": 0.7}`: 1 is relevance alone, 0 variety alone. As the collection's
    /// settings say without.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub mmr: Option<Mmr>,
    /// Most passages of one document, 1 to 100. As the collection's settings say without; 3 with `group_by`.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    pub per_document: Option<usize>,
    /// `document`: the passages of a document stand together, documents in the order of their best.
    #[serde(default)]
    pub group_by: Option<GroupBy>,
}

/// What passages are grouped by.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// The document they belong to.
    Document,
}

/// A passage that was found.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PassageBody {
    /// The document.
    pub document_id: String,
    /// Its name.
    pub document_name: String,
    /// Its version.
    pub version: u32,
    /// Page from 1, where the format has pages.
    pub page: Option<u32>,
    /// Line of the canonical text, from 1.
    pub line: u32,
    /// First byte in the canonical text.
    pub start: usize,
    /// One past the last byte in the canonical text.
    pub end: usize,
    /// The headings above it, outermost first.
    pub heading: String,
    /// The canonical text at `start..end`.
    pub text: String,
    /// The fused or the reranking model's score; comparable within one response only.
    pub score: f32,
    /// How certain it is, in percent, that it carries instructions to whoever answers from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostility: Option<u8>,
}

impl From<&ScoredPassage> for PassageBody {
    fn from(found: &ScoredPassage) -> Self {
        let passage = &found.passage;
        Self {
            document_id: passage.document_id.to_string(),
            document_name: passage.document_name.clone(),
            version: passage.version,
            page: passage.page,
            line: passage.line,
            start: passage.span.start,
            end: passage.span.end,
            heading: passage.heading.clone(),
            text: passage.text.clone(),
            score: found.score,
            hostility: passage.hostility,
        }
    }
}

/// What a search found, best first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// The passages.
    pub passages: Vec<PassageBody>,
    /// `hit` when the index was not asked, `miss` when it was, `off` when nothing was looked up.
    pub cache: &'static str,
    /// Stages that had to be done without: `embed`, `rerank`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub degraded: Vec<&'static str>,
    /// Milliseconds per stage: `embed`, `retrieve`, `rerank`; also in the header `Server-Timing`.
    #[schema(value_type = Object)]
    pub timings_ms: serde_json::Value,
}

/// A sentence of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SentenceBody {
    /// First byte in `answer`.
    pub start: usize,
    /// One past the last byte in `answer`.
    pub end: usize,
    /// Ids of the citations that support it.
    pub citations: Vec<u32>,
    /// `supported`, `partial`, `unsupported` or `unknown_id`.
    #[schema(value_type = String)]
    pub verdict: Verdict,
}

/// A place in a document that supports a sentence.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CitationBody {
    /// Number in the answer, from 1.
    pub id: u32,
    /// The document.
    pub document_id: String,
    /// Its name.
    pub document_name: String,
    /// Its version.
    pub version: u32,
    /// Page from 1, where the format has pages.
    pub page: Option<u32>,
    /// Line of the canonical text, from 1.
    pub line: u32,
    /// First byte in the document's canonical UTF-8 text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The bytes of the canonical text at `start..end`.
    pub quote: String,
}

impl From<&Citation> for CitationBody {
    fn from(citation: &Citation) -> Self {
        Self {
            id: citation.id,
            document_id: citation.document_id.to_string(),
            document_name: citation.document_name.clone(),
            version: citation.version,
            page: citation.page,
            line: citation.line,
            start: citation.start,
            end: citation.end,
            quote: citation.quote.clone(),
        }
    }
}

/// Tokens and money an answer used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct UsageBody {
    /// Tokens sent to the model.
    pub prompt_tokens: u32,
    /// Tokens received from the model.
    pub completion_tokens: u32,
    /// Tokens of the question that an embedding model read which bills them; 0 where the vector was known, or the model is
    /// in process.
    pub embedding_tokens: u64,
    /// What they cost in US dollars: what is held against budgets.
    pub cost_usd: f64,
    /// What else answering cost; held against no budget.
    pub estimates_usd: EstimatesBody,
}

/// What answering cost besides models, in US dollars, by list prices: an estimate, for whoever runs Lectern.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct EstimatesBody {
    /// The function's memory for as long as it answered, and a request; 0 where Lectern does not run on AWS Lambda.
    pub compute: f64,
    /// The price of the index per question, as the operator set it; 0 without.
    pub index: f64,
}

/// A verified answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AnswerBody {
    /// Id of the question, for feedback.
    pub query_id: String,
    /// Id of the conversation.
    pub session_id: String,
    /// The question as it was understood after the earlier ones of the conversation; absent when that is as
    /// it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standalone_question: Option<String>,
    /// The answer, with citation numbers in square brackets.
    pub answer: String,
    /// Its sentences, each with a verdict.
    pub sentences: Vec<SentenceBody>,
    /// What supports them.
    pub citations: Vec<CitationBody>,
    /// Whether there is no answer.
    pub refused: bool,
    /// Why there is none: `unsupported` when nothing supports one, `guardrail` when the operator's guardrail keeps back the
    /// question or what the model replied; absent when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub refusal: Option<Refusal>,
    /// The nearest passages, when nothing supports an answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<PassageBody>,
    /// `extractive` or `generated`.
    #[schema(value_type = String)]
    pub mode: Mode,
    /// `hit` when it was given before and still holds, `miss` when it was made now, `off` when nothing was
    /// looked up: by request, by the collection's settings, or because a model was shown the conversation.
    pub cache: &'static str,
    /// Of a hit: `exact` for the same question, `semantic` for one that means the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_match: Option<&'static str>,
    /// Stages that had to be done without: `embed`, `rerank`, `neighbours`, `generate`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub degraded: Vec<&'static str>,
    /// What it used.
    pub usage: UsageBody,
    /// Milliseconds per stage; also in the header `Server-Timing`, unless streamed.
    #[schema(value_type = Object)]
    pub timings_ms: serde_json::Value,
    /// The variant of each of the collection's experiments; absent without experiments.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub experiment: BTreeMap<String, String>,
}

impl From<&Asked> for AnswerBody {
    fn from(asked: &Asked) -> Self {
        let sentence = |sentence: &Sentence| SentenceBody {
            start: sentence.start,
            end: sentence.end,
            citations: sentence.citations.clone(),
            verdict: sentence.verdict,
        };
        let variants = asked.experiment.0.iter();
        let variants = variants.map(|(name, variant)| (name.to_string(), variant.to_string()));
        Self {
            query_id: asked.query_id.to_string(),
            session_id: asked.session_id.to_string(),
            standalone_question: asked
                .standalone_question
                .as_ref()
                .map(|asked| asked.as_str().to_owned()),
            answer: asked.answer.text().to_owned(),
            sentences: asked.answer.sentences().iter().map(sentence).collect(),
            citations: asked.answer.citations().iter().map(CitationBody::from).collect(),
            refused: asked.answer.is_refused(),
            refusal: asked.answer.refused_for(),
            nearest: asked.nearest.iter().map(PassageBody::from).collect(),
            mode: asked.answer.mode(),
            cache: asked.cache.as_str(),
            cache_match: asked.cache.matched(),
            degraded: asked.degraded.clone(),
            usage: UsageBody {
                prompt_tokens: asked.spent.tokens.prompt,
                completion_tokens: asked.spent.tokens.completion,
                embedding_tokens: asked.spent.embedding_tokens,
                cost_usd: asked.spent.cost.as_dollars(),
                estimates_usd: EstimatesBody {
                    compute: asked.estimates.compute.as_dollars(),
                    index: asked.estimates.index.as_dollars(),
                },
            },
            timings_ms: serde_json::to_value(asked.timings).unwrap_or_default(),
            experiment: variants.collect(),
        }
    }
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MessageBody {
    /// `user` or `assistant`.
    pub role: &'static str,
    /// What was said.
    pub content: String,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SessionBody {
    /// Its id.
    pub session_id: String,
    /// Its newest messages, oldest first.
    pub messages: Vec<MessageBody>,
}

/// What a reader thought of an answer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rating {
    /// Helpful.
    Up,
    /// Not helpful.
    Down,
}

/// A server-sent event of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventBody {
    /// `retrieval`, `token`, `citation`, then `done` or `error`.
    pub event: String,
    /// JSON: passages and ids, a piece of the draft, a verified citation, the whole answer, a problem.
    pub data: String,
}

/// Feedback on an answer.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackBody {
    /// Id of the question.
    #[schema(pattern = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    pub query_id: String,
    /// Up or down.
    pub rating: Rating,
    /// In words, at most 2 000 bytes.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub comment: Option<String>,
}
