//! What stands around the passages of an answer.

use lectern_core::{
    auth::Caller,
    errors::chain,
    ids::CollectionId,
    neighbours,
    passage::{ScoredPassage, Visibility},
    settings::Safety,
};
use tracing::warn;

use super::Search;

/// Passages, and whether the chunks around them could not be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Widened {
    /// The passages, wider where that was possible; fewer where some met.
    pub(crate) passages: Vec<ScoredPassage>,
    /// Whether the index failed; then they are as they were found.
    pub(crate) is_degraded: bool,
}

impl Search {
    /// Widens passages by up to `reach` chunks on each side, read in one call, while all of them together stay within
    /// `budget_tokens`. What is not the caller's to see is not read, and what is withheld is left out;
    /// personal data is covered in them as in those that were found.
    pub(crate) async fn widen(
        &self,
        caller: &Caller,
        collection: &CollectionId,
        passages: Vec<ScoredPassage>,
        reach: usize,
        budget_tokens: usize,
        safety: Safety,
    ) -> Widened {
        let ids = neighbours::wanted(&passages, reach);
        if ids.is_empty() {
            return Widened { passages, is_degraded: false };
        }
        let visibility = Visibility {
            tenant: caller.tenant.clone(),
            collection: collection.clone(),
            principals: caller.principals.clone(),
        };
        match self.passages.get(&visibility, &ids).await {
            Ok(mut near) => {
                near.retain(|passage| !safety.withholds(passage));
                near.iter_mut().for_each(|passage| passage.redact(safety.redact));
                let passages = neighbours::widen(passages, near, reach, budget_tokens);
                Widened { passages, is_degraded: false }
            }
            Err(error) => {
                warn!(error = %chain(&error), "failed to read neighbouring chunks; the passages stand alone");
                Widened { passages, is_degraded: true }
            }
        }
    }
}
