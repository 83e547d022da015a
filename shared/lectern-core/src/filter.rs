//! Conditions a caller can set on what is searched.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::ids::DocumentId;

/// Most conditions in one filter, nested ones counted.
pub const MAX_CONDITIONS: usize = 32;
/// Deepest nesting of a filter.
pub const MAX_DEPTH: usize = 4;

/// A condition, or several joined. JSON: `{"all": […]}`, `{"any": […]}`, `{"not": {…}}`,
/// `{"field": "team", "equals": "ops"}`, `{"field": "team", "in": ["ops", "dev"]}`,
/// `{"field": "year", "gte": 2020, "lt": 2025}`, `{"documents": ["01J…"]}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
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
    /// A metadata field equals one of these strings or integers.
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
        /// Greater than.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gt: Option<f64>,
        /// Greater than or equal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gte: Option<f64>,
        /// Less than.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lt: Option<f64>,
        /// Less than or equal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lte: Option<f64>,
    },
}

/// Why a filter cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FilterError {
    /// Too many conditions.
    #[error("a filter has at most {MAX_CONDITIONS} conditions")]
    TooMany,
    /// Too deep.
    #[error("a filter nests at most {MAX_DEPTH} levels")]
    TooDeep,
    /// A field name that metadata cannot have.
    #[error("`{0}` is not a metadata field name: 1 to 64 letters, digits, `_` or `-`")]
    Field(String),
    /// A value that cannot be matched exactly.
    #[error("field `{0}` can be matched with strings, integers and booleans only")]
    Value(String),
    /// A range without an end.
    #[error("the range on field `{0}` needs one of gt, gte, lt, lte")]
    EmptyRange(String),
}

impl Filter {
    /// Checks size, depth, field names and values.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), FilterError> {
        let mut conditions = 0;
        self.validate_at(1, &mut conditions)
    }

    fn validate_at(&self, depth: usize, conditions: &mut usize) -> Result<(), FilterError> {
        *conditions += 1;
        if *conditions > MAX_CONDITIONS {
            return Err(FilterError::TooMany);
        }
        if depth > MAX_DEPTH {
            return Err(FilterError::TooDeep);
        }
        match self {
            Self::All { all: inner } | Self::Any { any: inner } => {
                inner.iter().try_for_each(|filter| filter.validate_at(depth + 1, conditions))
            }
            Self::Not { not } => not.validate_at(depth + 1, conditions),
            Self::Documents { documents } if documents.len() > MAX_CONDITIONS => {
                Err(FilterError::TooMany)
            }
            Self::Documents { .. } => Ok(()),
            Self::Equals { field, equals } => check_value(field, std::slice::from_ref(equals)),
            Self::In { field, r#in } => check_value(field, r#in),
            Self::Range { field, gt, gte, lt, lte } => {
                check_field(field)?;
                let ends = [gt, gte, lt, lte];
                let bounded = ends.iter().any(|end| end.is_some());
                if bounded { Ok(()) } else { Err(FilterError::EmptyRange(field.clone())) }
            }
        }
    }
}

/// Whether `field` can name a metadata field.
#[must_use]
pub fn is_field_name(field: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&field.len()) && field.bytes().all(plain)
}

fn check_field(field: &str) -> Result<(), FilterError> {
    if is_field_name(field) { Ok(()) } else { Err(FilterError::Field(field.to_owned())) }
}

fn check_value(field: &str, values: &[Value]) -> Result<(), FilterError> {
    check_field(field)?;
    if values.len() > MAX_CONDITIONS {
        return Err(FilterError::TooMany);
    }
    let exact = |value: &Value| value.is_string() || value.is_i64() || value.is_boolean();
    if values.iter().all(exact) { Ok(()) } else { Err(FilterError::Value(field.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Filter {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn reads_every_form() {
        assert!(matches!(parse(r#"{"field":"a","equals":"b"}"#), Filter::Equals { .. }));
        assert!(matches!(parse(r#"{"field":"a","in":[1,2]}"#), Filter::In { .. }));
        assert!(matches!(parse(r#"{"field":"a","gte":1}"#), Filter::Range { .. }));
        assert!(matches!(parse(r#"{"not":{"field":"a","equals":true}}"#), Filter::Not { .. }));
    }

    #[test]
    fn bounds_hold() {
        let leaf = r#"{"field":"a","equals":"b"}"#;
        let wide = format!(r#"{{"all":[{}]}}"#, vec![leaf; MAX_CONDITIONS].join(","));
        assert_eq!(parse(&wide).validate(), Err(FilterError::TooMany));
        let deep = format!("{}{leaf}{}", r#"{"not":"#.repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH));
        assert_eq!(parse(&deep).validate(), Err(FilterError::TooDeep));
        assert!(parse(r#"{"field":"a b","equals":"c"}"#).validate().is_err());
        assert!(parse(r#"{"field":"a","equals":1.5}"#).validate().is_err());
        assert!(parse(r#"{"field":"a"}"#).validate().is_err());
        assert!(parse(leaf).validate().is_ok());
    }
}
