//! Rerankers behind an API.
//!
//! | adapter | speaks |
//! |---|---|
//! | [`HostedReranker`] | Cohere's v2, Jina's and Voyage's `/rerank`, which differ in the names of fields |
//! | [`TeiReranker`] | Text Embeddings Inference's `/rerank`: a cross-encoder on one's own machine |
//!
//! None of them retries or waits longer than the call allows; [`crate::retrying::Retrying`] does the former
//! within the latter.

#[cfg(feature = "openai")]
mod hosted;
#[cfg(feature = "openai")]
mod scores;
#[cfg(feature = "openai")]
mod tei;

use std::{fmt, str::FromStr};

#[cfg(feature = "openai")]
pub use hosted::HostedReranker;
#[cfg(feature = "openai")]
pub use tei::{TEI_BATCH, TeiReranker};

/// Most passages of one call. Voyage and Cohere take 1 000; two rankings of 100 make 200.
pub const MAX_PASSAGES: usize = 200;
/// Most bytes of the question and of each passage that are sent; the rest is cut. No tokeniser makes more
/// tokens than bytes, and no chunk has as many.
pub const MAX_TEXT_BYTES: usize = 8_192;
/// Longest reply: a gateway that sends the passages back although it is asked not to still fits.
pub const MAX_REPLY_BYTES: usize = 2 * 1_024 * 1_024;

/// Whose API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Cohere, `/v2/rerank`.
    Cohere,
    /// Jina AI, `/v1/rerank`. Also what vLLM, Infinity, llama.cpp and LiteLLM speak.
    Jina,
    /// Voyage AI, `/v1/rerank`.
    Voyage,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cohere, Self::Jina, Self::Voyage];

    /// Returns the part of the address before `/rerank`.
    #[must_use]
    pub fn default_base_url(self) -> &'static str {
        match self {
            Self::Cohere => "https://api.cohere.com/v2",
            Self::Jina => "https://api.jina.ai/v1",
            Self::Voyage => "https://api.voyageai.com/v1",
        }
    }

    /// Returns its name as settings and telemetry have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cohere => "cohere",
            Self::Jina => "jina",
            Self::Voyage => "voyage",
        }
    }

    #[cfg(feature = "openai")]
    fn operation(self) -> &'static str {
        match self {
            Self::Cohere => "cohere rerank",
            Self::Jina => "jina rerank",
            Self::Voyage => "voyage rerank",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Vendor {
    type Err = ();

    fn from_str(raw: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|vendor| vendor.to_string() == raw).ok_or(())
    }
}
