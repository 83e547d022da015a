//! A document named by its address.

use lectern_core::document::Metadata;
use serde::Deserialize;
use utoipa::ToSchema;

/// A document named by its address.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchRequest {
    /// Where it is: an `https://` address of a host the operator allows.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: String,
    /// File name or title; without, the last part of the address if that can be one.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 512)]
    pub name: Option<String>,
    /// Where it belongs; `default` without.
    #[serde(default)]
    #[schema(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub collection: Option<String>,
    /// The document to update; a new one without.
    #[serde(default)]
    #[schema(pattern = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    pub document_id: Option<String>,
    /// Who may see it; everybody of the tenant without.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub acl: Vec<String>,
    /// Flat metadata.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Metadata,
}
