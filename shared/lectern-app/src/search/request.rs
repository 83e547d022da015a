//! What may be asked for.

use std::time::Duration;

use lectern_core::{
    auth::{Caller, Permission},
    diversity::Arrangement,
    filter::{Filter, FilterError},
    ids::{CollectionId, SessionId},
    question::Question,
    settings::{CollectionSettings, MAX_PER_DOCUMENT, Mmr},
};

use super::MAX_LIMIT;
use crate::errors::FlowError;

/// Passages of a document when results are grouped and nothing says how many.
const GROUP_SIZE: usize = 3;

/// What is searched for. What is left open is as the collection's settings say.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// Where.
    pub collection: CollectionId,
    /// What.
    pub question: Question,
    /// Conditions on metadata.
    pub filter: Option<Filter>,
    /// Most passages, 1 to [`MAX_LIMIT`]; most documents when grouped.
    pub limit: Option<usize>,
    /// Maximal marginal relevance.
    pub mmr: Option<Mmr>,
    /// Most passages of one document.
    pub per_document: Option<usize>,
    /// Whether the passages of a document stand together.
    pub grouped: bool,
    /// Whether repetitions are left out, as the collection's settings say. A reader wants them gone; who looks for
    /// documents wants each.
    pub collapses: bool,
    /// How long the whole may take; optional stages give way to it.
    pub time_budget: Duration,
    /// Whether what was retrieved before may be used, and what is retrieved now be kept.
    pub cache: bool,
    /// The conversation, whose variants of the collection's experiments apply; without one the settings do as
    /// they are.
    pub session_id: Option<SessionId>,
}

impl SearchRequest {
    /// Refuses what the caller may not ask, before anything is read, from a cache or elsewhere.
    pub(crate) fn authorize(&self, caller: &Caller) -> Result<(), FlowError> {
        if !caller.may(Permission::Query) {
            return Err(FlowError::Forbidden("it lacks the permission `query`"));
        }
        if caller.may_touch(&self.collection) {
            Ok(())
        } else {
            Err(FlowError::NotFound("collection"))
        }
    }

    pub(crate) fn validate(&self) -> Result<(), FlowError> {
        let one_to = |most: usize| format!("must be 1 to {most}");
        if self.limit.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
            return Err(FlowError::field("/limit", one_to(MAX_LIMIT)));
        }
        if self.per_document.is_some_and(|most| !(1..=MAX_PER_DOCUMENT).contains(&most)) {
            return Err(FlowError::field("/per_document", one_to(MAX_PER_DOCUMENT)));
        }
        if self.mmr.is_some_and(|mmr| !mmr.is_valid()) {
            return Err(FlowError::field("/mmr/lambda", "must be from 0 to 1"));
        }
        self.filter.as_ref().map_or(Ok(()), Filter::validate).map_err(filter_error)
    }

    /// Holds the filter to the fields the collection declares.
    pub(super) fn validate_against(&self, settings: &CollectionSettings) -> Result<(), FlowError> {
        match (&self.filter, &settings.schema) {
            (Some(filter), Some(schema)) => filter.validate_against(schema).map_err(filter_error),
            _ => Ok(()),
        }
    }

    /// Returns how the ranking is to be arranged.
    pub(super) fn arrangement(&self, settings: &CollectionSettings) -> Arrangement {
        let retrieval = &settings.retrieval;
        let group_size = self.grouped.then_some(GROUP_SIZE);
        Arrangement {
            limit: self.limit.unwrap_or(retrieval.passages),
            collapse: if self.collapses { retrieval.collapse } else { 0.0 },
            mmr: self.mmr.or(retrieval.mmr),
            per_document: self.per_document.or(retrieval.per_document).or(group_size),
            grouped: self.grouped,
        }
    }
}

fn filter_error(error: FilterError) -> FlowError {
    FlowError::field(&format!("/filter{}", error.pointer), error.rule)
}
