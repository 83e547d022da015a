//! Experiments of a collection: variants of its settings, each for a part of the conversations.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{CollectionSettings, Mmr, Rerank, Wrong};
use crate::{
    fusion::Fusion,
    ids::{ExperimentName, VariantName},
    prompt::PromptName,
};

/// Most experiments of a collection.
pub const MAX_EXPERIMENTS: usize = 4;
/// Fewest variants of an experiment.
pub const MIN_VARIANTS: usize = 2;
/// Most variants of an experiment.
pub const MAX_VARIANTS: usize = 5;
/// Largest weight of a variant.
pub const MAX_WEIGHT: u32 = 1_000;
/// Longest name of a chat model in bytes.
pub const MAX_MODEL_BYTES: usize = 128;

/// An experiment. Conversations are divided between its variants as [`crate::experiment::assign`] says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name; what was counted is kept under it, so another name begins anew.
    pub name: ExperimentName,
    /// The variants, [`MIN_VARIANTS`] to [`MAX_VARIANTS`]; the first is what the others are compared with.
    pub variants: Vec<Variant>,
}

/// A variant of an experiment. What it does not name stays as the collection has it; a variant that names
/// nothing is the control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name.
    pub name: VariantName,
    /// Its part of the conversations, relative to the other variants, 1 to [`MAX_WEIGHT`].
    pub weight: u32,
    /// As `/retrieval/fusion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fusion: Option<Fusion>,
    /// As `/retrieval/passages`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passages: Option<usize>,
    /// As `/retrieval/neighbours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbours: Option<usize>,
    /// As `/retrieval/rerank`, or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerank: Option<Switch<Rerank>>,
    /// As `/retrieval/mmr`, or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mmr: Option<Switch<Mmr>>,
    /// As `/answers/prompt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptName>,
    /// As `/answers/model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Variant {
    /// Changes what the variant names.
    pub fn apply(&self, settings: &mut CollectionSettings) {
        // A new field without a line here, or in `changes`, does not compile.
        let Self { name: _, weight: _, fusion, passages, neighbours, rerank, mmr, prompt, model } =
            self;
        let retrieval = &mut settings.retrieval;
        retrieval.fusion = fusion.or(retrieval.fusion);
        retrieval.passages = passages.unwrap_or(retrieval.passages);
        retrieval.neighbours = neighbours.unwrap_or(retrieval.neighbours);
        retrieval.rerank = rerank.map_or(retrieval.rerank, Switch::setting);
        retrieval.mmr = mmr.map_or(retrieval.mmr, Switch::setting);
        settings.answers.prompt = prompt.unwrap_or(settings.answers.prompt);
        if model.is_some() {
            settings.answers.model.clone_from(model);
        }
    }

    /// Returns the names of what the variant changes.
    fn changes(&self) -> impl Iterator<Item = &'static str> {
        let Self { name: _, weight: _, fusion, passages, neighbours, rerank, mmr, prompt, model } =
            self;
        let changes = [
            ("fusion", fusion.is_some()),
            ("passages", passages.is_some()),
            ("neighbours", neighbours.is_some()),
            ("rerank", rerank.is_some()),
            ("mmr", mmr.is_some()),
            ("prompt", prompt.is_some()),
            ("model", model.is_some()),
        ];
        changes.into_iter().filter_map(|(name, is_changed)| is_changed.then_some(name))
    }

    /// Holds what the variant names to the ranges of the settings themselves.
    fn check(&self, at: &str, wrong: &mut Wrong) {
        let weight = (1..=MAX_WEIGHT).contains(&self.weight);
        wrong.unless(weight, &format!("{at}/weight"), format!("must be 1 to {MAX_WEIGHT}"));
        // The defaults are in range, so whatever is wrong comes from the variant.
        let mut settings = CollectionSettings::default();
        self.apply(&mut settings);
        let mut found = Wrong::default();
        settings.retrieval.check(&mut found);
        settings.answers.check(&mut found);
        for mut error in found.0 {
            let own =
                ["/retrieval", "/answers"].iter().find_map(|it| error.pointer.strip_prefix(it));
            error.pointer = format!("{at}{}", own.unwrap_or(&error.pointer));
            wrong.0.push(error);
        }
    }
}

/// Finds what is wrong with experiments, one by one and together.
pub(super) fn check(experiments: &[Experiment], wrong: &mut Wrong) {
    let few = experiments.len() <= MAX_EXPERIMENTS;
    wrong.unless(few, "/experiments", format!("must be at most {MAX_EXPERIMENTS}"));
    let mut names = BTreeSet::new();
    let mut changed_by: BTreeMap<&str, usize> = BTreeMap::new();
    for (position, experiment) in experiments.iter().enumerate().take(MAX_EXPERIMENTS) {
        let at = format!("/experiments/{position}");
        let is_new = names.insert(&experiment.name);
        wrong.unless(is_new, &format!("{at}/name"), "must not be the name of another experiment");
        check_variants(experiment, &format!("{at}/variants"), wrong);
        for (number, variant) in experiment.variants.iter().enumerate().take(MAX_VARIANTS) {
            for setting in variant.changes() {
                // Two experiments on one setting would undo each other's changes.
                let first = *changed_by.entry(setting).or_insert(position);
                let pointer = format!("{at}/variants/{number}/{setting}");
                let other = &experiments[first].name;
                let message = format!("the experiment `{other}` changes it already");
                wrong.unless(first == position, &pointer, message);
            }
        }
    }
}

fn check_variants(experiment: &Experiment, at: &str, wrong: &mut Wrong) {
    let count = (MIN_VARIANTS..=MAX_VARIANTS).contains(&experiment.variants.len());
    wrong.unless(count, at, format!("must be {MIN_VARIANTS} to {MAX_VARIANTS}"));
    let mut names = BTreeSet::new();
    for (number, variant) in experiment.variants.iter().enumerate().take(MAX_VARIANTS) {
        let at = format!("{at}/{number}");
        let is_new = names.insert(&variant.name);
        wrong.unless(is_new, &format!("{at}/name"), "must not be the name of another variant");
        variant.check(&at, wrong);
    }
}

/// A setting that a variant sets or turns off: an object, or `"off"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch<T> {
    /// Off.
    Off,
    /// On, with this.
    On(T),
}

impl<T> Switch<T> {
    fn setting(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(setting) => Some(setting),
        }
    }
}

impl<T: Serialize> Serialize for Switch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str("off"),
            Self::On(setting) => setting.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SwitchVisitor(PhantomData))
    }
}

/// Reads by the kind of value, so that an error inside the object keeps its place and its words.
struct SwitchVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SwitchVisitor<T> {
    type Value = Switch<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("`off` or an object")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Switch<T>, E> {
        if text == "off" {
            Ok(Switch::Off)
        } else {
            Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Switch<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Switch::On)
    }
}

#[cfg(test)]
#[path = "experiments/tests.rs"]
mod tests;
