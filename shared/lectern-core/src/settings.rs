//! Settings of a collection: how it is searched, how answers are made and checked.
//!
//! Stored as JSON with the collection. Everything has a default; a setting that is unknown or out of range
//! is refused with a JSON pointer to it. What each means to a user stands in docs/CONFIGURATION.md.

mod experiments;
mod keeping;
mod reading;
mod safety;
mod schema;

use serde::{Deserialize, Serialize};

pub use self::{
    experiments::{
        Experiment, MAX_EXPERIMENTS, MAX_MODEL_BYTES, MAX_VARIANTS, MAX_WEIGHT, MIN_VARIANTS,
        Switch, Variant,
    },
    keeping::{Keeping, MAX_RETENTION_DAYS},
    reading::merge_patch,
    safety::{Auditing, Hostile, RedactAt, Safety},
    schema::{FieldKind, Schema},
};
use crate::{fusion::Fusion, prompt::PromptName};

/// Most passages an answer may be made from.
pub const MAX_PASSAGES: usize = 20;
/// Most neighbouring chunks on each side that a passage may be widened by.
pub const MAX_NEIGHBOURS: usize = 3;
/// Most passages of one document that a limit on them may allow.
pub const MAX_PER_DOCUMENT: usize = 100;
/// Most passages a reranker may be sent.
pub const MAX_RERANKED: usize = 100;
/// Longest time a reranker may take, in milliseconds.
pub const MAX_RERANK_MS: u64 = 5_000;

/// A setting that cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// JSON pointer to the setting, from the settings object.
    pub pointer: String,
    /// What it must be.
    pub message: String,
}

/// All settings of a collection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CollectionSettings {
    /// How passages are found.
    pub retrieval: Retrieval,
    /// How answers are made and checked.
    pub answers: Answers,
    /// What is cached.
    pub cache: Caching,
    /// What becomes of passages that speak to machines, and of personal data.
    pub safety: Safety,
    /// What the audit log keeps.
    pub audit: Auditing,
    /// How long documents are kept.
    pub retention: Keeping,
    /// The metadata fields that filters may name; any field of any type without.
    pub schema: Option<Schema>,
    /// Variants of these settings under trial, at most [`MAX_EXPERIMENTS`].
    pub experiments: Vec<Experiment>,
}

/// How passages are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retrieval {
    /// How the dense and the BM25 ranking become one; the deployment's default without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fusion: Option<Fusion>,
    /// Passages an answer is made from, 1 to [`MAX_PASSAGES`].
    pub passages: usize,
    /// Neighbouring chunks on each side that a passage of an answer is widened by, 0 to [`MAX_NEIGHBOURS`].
    pub neighbours: usize,
    /// Share of common pairs of neighbouring words from which a passage that names the same numbers counts as
    /// a repetition of a better one and is left out, 0.5 to 1; at 0 nothing is left out.
    pub collapse: f32,
    /// Maximal marginal relevance; off without.
    pub mmr: Option<Mmr>,
    /// Most passages of one document; any number without.
    pub per_document: Option<usize>,
    /// Lowest calibrated confidence, 0 to 1, at which passages are returned; 0 returns all.
    pub min_confidence: f32,
    /// Reordering by a reranking model; off without.
    pub rerank: Option<Rerank>,
}

impl Default for Retrieval {
    fn default() -> Self {
        Self {
            fusion: None,
            passages: 8,
            neighbours: 1,
            collapse: 0.9,
            mmr: None,
            per_document: None,
            min_confidence: 0.0,
            rerank: None,
        }
    }
}

/// Maximal marginal relevance (Carbonell and Goldstein 1998): each next passage is the one with the
/// highest lambda · relevance − (1 − lambda) · similarity to what was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mmr {
    /// 1 is relevance alone, 0 variety alone.
    pub lambda: f32,
}

impl Mmr {
    /// Whether lambda lies in 0..1.
    #[must_use]
    pub fn is_valid(self) -> bool {
        (0.0..=1.0).contains(&self.lambda)
    }
}

/// Reordering of the best passages by a reranking model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rerank {
    /// Passages sent to it, 1 to [`MAX_RERANKED`].
    pub candidates: usize,
    /// Milliseconds after which the order without it stands, 1 to [`MAX_RERANK_MS`].
    pub budget_ms: u64,
}

impl Default for Rerank {
    fn default() -> Self {
        Self { candidates: 32, budget_ms: 400 }
    }
}

/// How answers are made and checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answers {
    /// What happens to sentences that nothing supports.
    pub unsupported: Unsupported,
    /// Lowest calibrated confidence, 0 to 1, at which a question is answered; the calibrated default without.
    pub min_confidence: Option<f32>,
    /// Which instructions the chat model gets.
    pub prompt: PromptName,
    /// Which of the deployment's chat models writes answers; its default one without.
    pub model: Option<String>,
    /// What is answered when that model fails.
    pub fallback: Fallback,
}

/// What is answered when the chat model fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// Nothing: the request fails and says when to try again.
    #[default]
    None,
    /// Sentences of the passages, as without a model; the answer says that it did without `generate`.
    Extractive,
}

/// What happens to sentences of a generated answer that no passage supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsupported {
    /// They stay, marked by their verdict.
    #[default]
    Mark,
    /// They are cut; nothing left is a refusal.
    Cut,
    /// The whole answer is refused.
    Refuse,
}

/// What is cached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Caching {
    /// Whether answers are cached.
    pub answers: bool,
    /// Whether what was retrieved is cached for a few minutes.
    pub retrieval: bool,
    /// Cosine from which another question's answer is given, 0.9 to 1; only equal questions without.
    pub semantic: Option<f32>,
}

impl Default for Caching {
    fn default() -> Self {
        Self { answers: true, retrieval: true, semantic: None }
    }
}

impl CollectionSettings {
    /// Returns everything that is out of range.
    ///
    /// # Errors
    /// One entry per setting.
    pub fn validate(&self) -> Result<(), Vec<SettingError>> {
        let mut wrong = Wrong::default();
        self.retrieval.check(&mut wrong);
        self.answers.check(&mut wrong);
        let certainty = (1..=100).contains(&self.safety.hostile_from);
        wrong.unless(certainty, "/safety/hostile_from", "must be from 1 to 100");
        self.retention.check(&mut wrong);
        let semantic = self.cache.semantic.is_none_or(|cosine| (0.9..=1.0).contains(&cosine));
        wrong.unless(semantic, "/cache/semantic", "must be from 0.9 to 1");
        if let Some(schema) = &self.schema {
            wrong.0.extend(schema.check("/schema"));
        }
        experiments::check(&self.experiments, &mut wrong);
        if wrong.0.is_empty() { Ok(()) } else { Err(wrong.0) }
    }
}

#[derive(Default)]
struct Wrong(Vec<SettingError>);

impl Wrong {
    fn unless(&mut self, right: bool, pointer: &str, message: impl Into<String>) {
        if !right {
            self.0.push(SettingError { pointer: pointer.to_owned(), message: message.into() });
        }
    }
}

impl Answers {
    fn check(&self, wrong: &mut Wrong) {
        let confidence = self.min_confidence.is_none_or(|value| (0.0..=1.0).contains(&value));
        wrong.unless(confidence, "/answers/min_confidence", "must be from 0 to 1");
        let is_name = |model: &String| {
            (1..=MAX_MODEL_BYTES).contains(&model.len())
                && model.bytes().all(|it| it.is_ascii_graphic())
        };
        let message =
            format!("must be 1 to {MAX_MODEL_BYTES} printable ASCII characters, no space");
        wrong.unless(self.model.as_ref().is_none_or(is_name), "/answers/model", message);
    }
}

impl Retrieval {
    fn check(&self, wrong: &mut Wrong) {
        let up_to = |max: usize| format!("must be 1 to {max}");
        let passages = (1..=MAX_PASSAGES).contains(&self.passages);
        wrong.unless(passages, "/retrieval/passages", up_to(MAX_PASSAGES));
        let neighbours = self.neighbours <= MAX_NEIGHBOURS;
        wrong.unless(
            neighbours,
            "/retrieval/neighbours",
            format!("must be at most {MAX_NEIGHBOURS}"),
        );
        let collapse = self.collapse == 0.0 || (0.5..=1.0).contains(&self.collapse);
        wrong.unless(collapse, "/retrieval/collapse", "must be 0, or from 0.5 to 1");
        let lambda = self.mmr.is_none_or(Mmr::is_valid);
        wrong.unless(lambda, "/retrieval/mmr/lambda", "must be from 0 to 1");
        let per_document =
            self.per_document.is_none_or(|most| (1..=MAX_PER_DOCUMENT).contains(&most));
        wrong.unless(per_document, "/retrieval/per_document", up_to(MAX_PER_DOCUMENT));
        let confidence = (0.0..=1.0).contains(&self.min_confidence);
        wrong.unless(confidence, "/retrieval/min_confidence", "must be from 0 to 1");
        if let Some(rerank) = self.rerank {
            let candidates = (1..=MAX_RERANKED).contains(&rerank.candidates);
            wrong.unless(candidates, "/retrieval/rerank/candidates", up_to(MAX_RERANKED));
            let budget = (1..=MAX_RERANK_MS).contains(&rerank.budget_ms);
            let message = format!("must be 1 to {MAX_RERANK_MS}");
            wrong.unless(budget, "/retrieval/rerank/budget_ms", message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_an_empty_object_means_them() {
        let settings: CollectionSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(settings, CollectionSettings::default());
        assert_eq!(settings.validate(), Ok(()));
    }

    #[test]
    fn every_wrong_setting_is_named() {
        let json = r#"{"retrieval":{"passages":0,"neighbours":9,"collapse":0.1,"mmr":{"lambda":2},
            "per_document":0,"min_confidence":-1,"rerank":{"candidates":0,"budget_ms":0}},
            "answers":{"min_confidence":1.5},"cache":{"semantic":0.5},"schema":{"a b":"keyword"}}"#;
        let settings: CollectionSettings = serde_json::from_str(json).unwrap();
        let wrong = settings.validate().unwrap_err();
        let pointers: Vec<&str> = wrong.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/retrieval/passages",
                "/retrieval/neighbours",
                "/retrieval/collapse",
                "/retrieval/mmr/lambda",
                "/retrieval/per_document",
                "/retrieval/min_confidence",
                "/retrieval/rerank/candidates",
                "/retrieval/rerank/budget_ms",
                "/answers/min_confidence",
                "/cache/semantic",
                "/schema/a b",
            ]
        );
    }

    #[test]
    fn certainty_is_a_percentage_that_something_has() {
        for (hostile_from, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            let safety = Safety { hostile_from, ..Safety::default() };
            let settings = CollectionSettings { safety, ..CollectionSettings::default() };
            let wrong = settings.validate().err().unwrap_or_default();
            let pointers: Vec<&str> = wrong.iter().map(|error| error.pointer.as_str()).collect();
            let expected: &[&str] = if fits { &[] } else { &["/safety/hostile_from"] };
            assert_eq!(pointers, expected, "{hostile_from}");
        }
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let unknown = serde_json::from_str::<CollectionSettings>(r#"{"retrieval":{"k":1}}"#);
        assert!(unknown.unwrap_err().to_string().contains("`k`"));
    }

    /// Every setting there is, by pointer; a fusion's fields depend on its method, and no method has all.
    fn pointers() -> Vec<String> {
        let json = r#"{"retrieval":{"mmr":{"lambda":1},"per_document":1,"rerank":{},
            "fusion":{"method":"weighted_rrf"}},"answers":{"min_confidence":1,"model":"extractive"},
            "cache":{"semantic":1},"retention":{"days":1},"schema":{"\u2026":"keyword"}}"#;
        let settings: CollectionSettings = serde_json::from_str(json).unwrap();
        let mut found = Vec::new();
        collect(&serde_json::to_value(settings).unwrap(), "", &mut found);
        found.push("/retrieval/fusion/foreign_dense_weight".to_owned());
        found.sort();
        found
    }

    fn collect(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
        let Some(object) = value.as_object() else {
            assert!(!value.is_null(), "`{at}` is left out here");
            return found.push(at.to_owned());
        };
        for (name, inner) in object {
            collect(inner, &format!("{at}/{name}"), found);
        }
    }

    #[test]
    fn the_documentation_lists_every_setting_and_no_other() {
        let documentation = include_str!("../../../docs/CONFIGURATION.md");
        let rows = documentation.lines().filter_map(|line| line.strip_prefix("| `/"));
        let mut listed: Vec<String> =
            rows.map(|row| format!("/{}", row.split('`').next().unwrap())).collect();
        listed.sort();
        assert_eq!(listed, pointers());
    }
}
