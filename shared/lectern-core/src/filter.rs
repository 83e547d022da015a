//! Conditions a caller can set on what is searched.

mod check;
mod moment;
mod written;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::written::Written;
pub use self::{
    check::{FilterError, FilterRule},
    moment::{Moment, NotAMoment},
};
use crate::ids::DocumentId;

/// Most conditions in one filter, nested ones counted.
pub const MAX_CONDITIONS: usize = 32;
/// Deepest nesting of a filter.
pub const MAX_DEPTH: usize = 4;

/// A condition, or several joined. JSON: `{"all": […]}`, `{"any": […]}`, `{"not": {…}}`,
/// `{"field": "team", "equals": "ops"}`, `{"field": "team", "in": ["ops", "dev"]}`,
/// `{"field": "year", "gte": 2020, "lt": 2025}`, `{"field": "signed", "gte": "2026-01-01"}`,
/// `{"documents": ["01J…"]}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Written")]
pub enum Filter {
    /// Every condition holds.
    All {
        /// The conditions.
        all: Vec<Filter>,
    },
    /// At least one condition holds.
    Any {
        /// The conditions.
        any: Vec<Filter>,
    },
    /// The condition does not hold.
    Not {
        /// The condition.
        not: Box<Filter>,
    },
    /// The passage belongs to one of these documents.
    Documents {
        /// The documents.
        documents: Vec<DocumentId>,
    },
    /// A metadata field equals a string, an integer or a boolean; a list field holds it.
    Equals {
        /// Name of the metadata field.
        field: String,
        /// The value.
        equals: Value,
    },
    /// A metadata field equals one of these strings, integers or booleans.
    In {
        /// Name of the metadata field.
        field: String,
        /// The values.
        r#in: Vec<Value>,
    },
    /// A numeric metadata field lies in a range.
    Range {
        /// Name of the metadata field.
        field: String,
        /// The ends.
        #[serde(flatten)]
        ends: Ends<f64>,
    },
    /// A metadata field that holds a day or an instant lies in a range. A day counts whole: `lte` a day
    /// includes it to its end, `gt` a day begins after it.
    Dates {
        /// Name of the metadata field.
        field: String,
        /// The ends.
        #[serde(flatten)]
        ends: Ends<Moment>,
    },
}

/// Ends of a range; one is set at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ends<T> {
    /// Greater than.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gt: Option<T>,
    /// Greater than or equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gte: Option<T>,
    /// Less than.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lt: Option<T>,
    /// Less than or equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lte: Option<T>,
}

/// Whether `field` can name a metadata field.
#[must_use]
pub fn is_field_name(field: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&field.len()) && field.bytes().all(plain)
}

#[cfg(test)]
#[path = "filter/tests.rs"]
mod tests;
