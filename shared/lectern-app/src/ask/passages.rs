//! A search by itself: what its vector costs is counted, and nothing is where it costs nothing.

use lectern_core::{auth::Caller, pricing::MicroDollars};

use super::Ask;
use crate::{
    errors::FlowError,
    search::{Found, SearchRequest},
};

impl Ask {
    /// Returns the best passages for a question that the caller may see; the caller's account pays for the vector.
    ///
    /// # Errors
    /// As [`crate::search::Search::search`]; or when what was spent cannot be written.
    pub async fn passages(
        &self,
        caller: &Caller,
        request: &SearchRequest,
    ) -> Result<Found, FlowError> {
        let bill = self.spending.bill(caller, MicroDollars(0), request.time_budget);
        let found = self.search.search_at(caller, request, bill.meter()).await;
        // Whether it was found or not: what was spent is spent.
        let settled = bill.settle_without_question().await;
        let found = found?;
        settled?;
        Ok(found)
    }
}
