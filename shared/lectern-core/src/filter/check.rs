//! What is wrong with a filter, and where.

use serde_json::Value;
use thiserror::Error;

use super::{Ends, Filter, MAX_CONDITIONS, MAX_DEPTH, is_field_name};
use crate::settings::{FieldKind, Schema};

/// Why a filter cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{rule}")]
pub struct FilterError {
    /// JSON pointer to the place, from the filter.
    pub pointer: String,
    /// The rule that is broken there.
    pub rule: FilterRule,
}

/// A rule that a filter can break.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FilterRule {
    /// Too many conditions.
    #[error("a filter has at most {MAX_CONDITIONS} conditions, and a list as many values")]
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
    /// A field the collection does not declare.
    #[error("the collection declares no field `{0}`")]
    Unknown(String),
    /// A condition on a field that holds something else.
    #[error("field `{field}` holds {kind}: {takes}")]
    Kind {
        /// Name of the field.
        field: String,
        /// What it holds.
        kind: FieldKind,
        /// What can be asked of it.
        takes: &'static str,
    },
}

impl Filter {
    /// Checks size, depth, field names and values.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), FilterError> {
        let mut conditions = 0;
        self.check(&mut Place::default(), &mut |filter, place| {
            conditions += 1;
            if conditions > MAX_CONDITIONS {
                return Err(place.error("", FilterRule::TooMany));
            }
            if place.depth >= MAX_DEPTH {
                return Err(place.error("", FilterRule::TooDeep));
            }
            filter.check_shape(place)
        })
    }

    /// Checks that every field is declared by `schema`, and is asked for what it holds. The filter is valid.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate_against(&self, schema: &Schema) -> Result<(), FilterError> {
        self.check(&mut Place::default(), &mut |filter, place| filter.check_kind(schema, place))
    }

    /// Checks every condition, outer ones first.
    fn check(
        &self,
        place: &mut Place,
        each: &mut impl FnMut(&Self, &Place) -> Result<(), FilterError>,
    ) -> Result<(), FilterError> {
        each(self, place)?;
        let inner: &[Self] = match self {
            Self::All { all } => all,
            Self::Any { any } => any,
            Self::Not { not } => std::slice::from_ref(&**not),
            _ => return Ok(()),
        };
        for (index, filter) in inner.iter().enumerate() {
            let segment = match self {
                Self::All { .. } => format!("/all/{index}"),
                Self::Any { .. } => format!("/any/{index}"),
                _ => "/not".to_owned(),
            };
            filter.check(&mut place.below(&segment), each)?;
        }
        Ok(())
    }

    fn check_shape(&self, place: &Place) -> Result<(), FilterError> {
        if let Some(field) = self.field().filter(|field| !is_field_name(field)) {
            return Err(place.error("/field", FilterRule::Field(field.to_owned())));
        }
        let exact = |value: &Value| value.is_string() || value.is_i64() || value.is_boolean();
        match self {
            Self::Documents { documents } if documents.len() > MAX_CONDITIONS => {
                Err(place.error("/documents", FilterRule::TooMany))
            }
            Self::Equals { field, equals } if !exact(equals) => {
                Err(place.error("/equals", FilterRule::Value(field.clone())))
            }
            Self::In { r#in, .. } if r#in.len() > MAX_CONDITIONS => {
                Err(place.error("/in", FilterRule::TooMany))
            }
            Self::In { field, r#in } => match r#in.iter().position(|value| !exact(value)) {
                Some(index) => {
                    Err(place.error(&format!("/in/{index}"), FilterRule::Value(field.clone())))
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn check_kind(&self, schema: &Schema, place: &Place) -> Result<(), FilterError> {
        let Some(field) = self.field() else { return Ok(()) };
        let Some(kind) = schema.kind(field) else {
            return Err(place.error("/field", FilterRule::Unknown(field.to_owned())));
        };
        let wrong = |at: &str, takes| {
            Err(place.error(at, FilterRule::Kind { field: field.to_owned(), kind, takes }))
        };
        let (holds, takes): (fn(&Value) -> bool, _) = match kind {
            FieldKind::Keyword => (Value::is_string, "match it with strings"),
            FieldKind::Number => (Value::is_i64, "match it with integers or a range of numbers"),
            FieldKind::Boolean => (Value::is_boolean, "match it with true or false"),
            FieldKind::Date => (|_| false, "ask for a range of dates"),
        };
        match self {
            Self::Equals { equals, .. } if !holds(equals) => wrong("/equals", takes),
            Self::In { r#in, .. } => match r#in.iter().position(|value| !holds(value)) {
                Some(index) => wrong(&format!("/in/{index}"), takes),
                None => Ok(()),
            },
            Self::Range { ends, .. } if kind != FieldKind::Number => wrong(ends.first(), takes),
            Self::Dates { ends, .. } if kind != FieldKind::Date => wrong(ends.first(), takes),
            _ => Ok(()),
        }
    }

    /// Returns the metadata field a condition is about.
    fn field(&self) -> Option<&str> {
        match self {
            Self::Equals { field, .. }
            | Self::In { field, .. }
            | Self::Range { field, .. }
            | Self::Dates { field, .. } => Some(field),
            Self::All { .. } | Self::Any { .. } | Self::Not { .. } | Self::Documents { .. } => None,
        }
    }
}

impl<T> Ends<T> {
    /// Returns the pointer of the first end that is set.
    fn first(&self) -> &'static str {
        match self {
            Self { gt: Some(_), .. } => "/gt",
            Self { gte: Some(_), .. } => "/gte",
            Self { lt: Some(_), .. } => "/lt",
            _ => "/lte",
        }
    }
}

/// Where in a filter a condition stands.
#[derive(Default)]
struct Place {
    pointer: String,
    depth: usize,
}

impl Place {
    fn below(&self, segment: &str) -> Self {
        Self { pointer: format!("{}{segment}", self.pointer), depth: self.depth + 1 }
    }

    fn error(&self, at: &str, rule: FilterRule) -> FilterError {
        FilterError { pointer: format!("{}{at}", self.pointer), rule }
    }
}
