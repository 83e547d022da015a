//! Which variant of an experiment a conversation falls to, and what its settings are then.
//!
//! The variant follows from the experiment's name, the caller's key and the conversation alone, by a hash: it is
//! the same at every question of the conversation, on every machine, without anything stored, and what falls to
//! one experiment's variants says nothing about another's.
//!
//! | module | answers |
//! |---|---|
//! | [`estimates`] | what counts of a part say about the whole |

pub mod estimates;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    ids::{ExperimentName, KeyId, SessionId, VariantName},
    settings::{CollectionSettings, Experiment, Variant},
};

/// The variant of each experiment that a question is answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Assignments(pub BTreeMap<ExperimentName, VariantName>);

/// Returns the settings a question is answered with, and by which variants they came to be.
///
/// `key_id` is the caller's, `None` for the operator; `session_id` is the conversation's, the new one's for a
/// question that continues none. The settings returned declare no experiments: questions whose settings are equal
/// are answered alike, whatever variants they fell to.
#[must_use]
pub fn effective(
    settings: &CollectionSettings,
    key_id: Option<&KeyId>,
    session_id: &SessionId,
) -> (CollectionSettings, Assignments) {
    let assignments = assign(&settings.experiments, key_id, session_id);
    (apply(settings, &assignments), assignments)
}

/// Returns the variant of each experiment that a conversation falls to.
#[must_use]
pub fn assign(
    experiments: &[Experiment],
    key_id: Option<&KeyId>,
    session_id: &SessionId,
) -> Assignments {
    let drawn = experiments.iter().filter_map(|experiment| {
        let variant = draw(experiment, key_id, session_id)?;
        Some((experiment.name.clone(), variant.name.clone()))
    });
    Assignments(drawn.collect())
}

/// Returns the settings with the assigned variants' changes, and without experiments. Experiments that have no
/// assignment, and assignments to what is not declared, change nothing.
#[must_use]
pub fn apply(settings: &CollectionSettings, assignments: &Assignments) -> CollectionSettings {
    let mut changed = settings.clone();
    for experiment in std::mem::take(&mut changed.experiments) {
        let assigned = assignments.0.get(&experiment.name);
        let mut variants = experiment.variants.iter();
        if let Some(variant) = variants.find(|variant| Some(&variant.name) == assigned) {
            variant.apply(&mut changed);
        }
    }
    changed
}

/// Draws by weight. `None` only for an experiment without weights, which validation refuses.
fn draw<'experiment>(
    experiment: &'experiment Experiment,
    key_id: Option<&KeyId>,
    session_id: &SessionId,
) -> Option<&'experiment Variant> {
    let key_id = key_id.map_or("", KeyId::as_str);
    let mut hash = Sha256::new();
    for part in [experiment.name.as_str(), key_id, session_id.as_str()] {
        hash.update(part);
        // No name and no id holds this byte, so no two triples are the same bytes.
        hash.update([0]);
    }
    let bytes = hash.finalize();
    let drawn = u64::from_be_bytes(bytes[..8].try_into().expect("a digest has 32 bytes"));
    let total: u64 = experiment.variants.iter().map(|variant| u64::from(variant.weight)).sum();
    // 2^64 hashes onto `total` points, each point with the same share but for 1 in 2^64.
    let mut point = (u128::from(drawn) * u128::from(total)) >> 64;
    experiment.variants.iter().find(|variant| {
        let weight = u128::from(variant.weight);
        let is_here = point < weight;
        point = point.saturating_sub(weight);
        is_here
    })
}

#[cfg(test)]
mod tests;
