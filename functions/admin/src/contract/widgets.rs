//! Tokens for widgets.

use lectern_app::errors::FlowError;
use lectern_core::ids::CollectionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::parsed;

/// A token to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWidgetTokenBody {
    /// From whose pages it works, `https://shop.example`.
    #[schema(min_length = 1, max_length = 300)]
    pub origin: String,
    /// The collections it may ask; those of your key without.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100)]
    pub collections: Option<Vec<String>>,
    /// Who will have it, in your own words: only their hash is kept. The conversation of one visitor goes on with the next token.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 256)]
    pub visitor: Option<String>,
    /// How long it lives: 1 to 3600 s, 900 without.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3600)]
    pub lifetime_seconds: Option<u64>,
}

impl CreateWidgetTokenBody {
    pub(crate) fn collections(&self) -> Result<Option<Vec<CollectionId>>, FlowError> {
        let ids = self.collections.as_deref();
        ids.map(|ids| parsed(ids, "/collections", str::parse)).transpose()
    }
}

/// A token that was just made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetTokenBody {
    /// The token, `lw_…`: sent as `Authorization: Bearer`, like a key.
    pub token: String,
    /// When it ends, RFC 3339.
    #[schema(format = DateTime)]
    pub expires_at: String,
}
