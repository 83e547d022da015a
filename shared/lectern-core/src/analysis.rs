//! How text becomes BM25 terms.

use serde::{Deserialize, Serialize};

/// Term weights by term id; ids ascend and are distinct.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SparseVector {
    /// Hashed terms.
    pub indices: Vec<u32>,
    /// Weight of each term, positive.
    pub values: Vec<f32>,
}

impl SparseVector {
    /// Whether there is no term.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}
