//! A collection's settings as a conversation meets them: with the variants of the experiments it falls to.

use lectern_core::{
    auth::Caller,
    experiment::{Assignments, effective},
    settings::CollectionSettings,
};

use super::{Search, SearchRequest};

/// Settings in force, and by which variants they came to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Effective {
    /// The settings, without experiments.
    pub(crate) settings: CollectionSettings,
    /// The variants.
    pub(crate) assignments: Assignments,
}

impl Effective {
    /// Returns the settings that `declared` are for this question.
    pub(crate) fn of(
        declared: &CollectionSettings,
        caller: &Caller,
        request: &SearchRequest,
    ) -> Self {
        let (settings, assignments) = match &request.session_id {
            Some(session_id) => effective(declared, caller.key_id.as_ref(), session_id),
            None => {
                let settings = CollectionSettings { experiments: Vec::new(), ..declared.clone() };
                (settings, Assignments::default())
            }
        };
        Self { settings, assignments }
    }

    /// Returns what makes a difference between conversations of one epoch: nothing without experiments.
    pub(crate) fn variant(&self) -> String {
        if self.assignments.0.is_empty() { String::new() } else { format!("{:?}", self.settings) }
    }
}

impl Search {
    /// Returns the settings as they were when this process last read the collection: good enough to look something
    /// up by, which is verified. Unknown ones are taken to be the defaults.
    pub(crate) fn assumed(&self, caller: &Caller, request: &SearchRequest) -> Effective {
        let known = self.caches.known_settings(&caller.tenant, &request.collection);
        known.map(|known| Effective::of(&known, caller, request)).unwrap_or_default()
    }
}
