//! Conditions a caller can set on what is searched.

mod moment;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

pub use self::moment::{Moment, NotAMoment};
use crate::{
    ids::DocumentId,
    settings::{FieldKind, Schema},
};

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

/// Whether `field` can name a metadata field.
#[must_use]
pub fn is_field_name(field: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&field.len()) && field.bytes().all(plain)
}

/// A condition as written: which one it is follows from its fields. Read field by field, so that what cannot be
/// read is named by its own pointer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    all: Option<Vec<Filter>>,
    any: Option<Vec<Filter>>,
    not: Option<Box<Filter>>,
    documents: Option<Vec<DocumentId>>,
    field: Option<String>,
    equals: Option<Value>,
    r#in: Option<Vec<Value>>,
    gt: Option<End>,
    gte: Option<End>,
    lt: Option<End>,
    lte: Option<End>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a number, a day like `2026-11-21` or an RFC 3339 instant")]
enum End {
    Number(f64),
    Moment(Moment),
}

impl TryFrom<Written> for Filter {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { all, any, not, documents, field, equals, r#in, gt, gte, lt, lte } = written;
        let ends = Ends { gt, gte, lt, lte };
        let ranges = !ends.is_empty();
        match (all, any, not, documents, field, equals, r#in, ranges) {
            (Some(all), None, None, None, None, None, None, false) => Ok(Self::All { all }),
            (None, Some(any), None, None, None, None, None, false) => Ok(Self::Any { any }),
            (None, None, Some(not), None, None, None, None, false) => Ok(Self::Not { not }),
            (None, None, None, Some(documents), None, None, None, false) => {
                Ok(Self::Documents { documents })
            }
            (None, None, None, None, Some(field), Some(equals), None, false) => {
                Ok(Self::Equals { field, equals })
            }
            (None, None, None, None, Some(field), None, Some(r#in), false) => {
                Ok(Self::In { field, r#in })
            }
            (None, None, None, None, Some(field), None, None, true) => ends.range_of(field),
            _ => Err("must be one of all, any, not, documents, or a field with equals, in or a \
                      range of gt, gte, lt, lte"),
        }
    }
}

impl<T> Ends<T> {
    fn is_empty(&self) -> bool {
        let Self { gt, gte, lt, lte } = self;
        [gt, gte, lt, lte].iter().all(|end| end.is_none())
    }
}

impl Ends<End> {
    /// Returns the range of numbers or of dates that these ends make.
    fn range_of(self, field: String) -> Result<Filter, &'static str> {
        let mut numbers = Ends { gt: None, gte: None, lt: None, lte: None };
        let mut dates = Ends { gt: None, gte: None, lt: None, lte: None };
        for (end, number, date) in [
            (self.gt, &mut numbers.gt, &mut dates.gt),
            (self.gte, &mut numbers.gte, &mut dates.gte),
            (self.lt, &mut numbers.lt, &mut dates.lt),
            (self.lte, &mut numbers.lte, &mut dates.lte),
        ] {
            match end {
                Some(End::Number(value)) => *number = Some(value),
                Some(End::Moment(moment)) => *date = Some(moment),
                None => {}
            }
        }
        match (numbers.is_empty(), dates.is_empty()) {
            (false, true) => Ok(Filter::Range { field, ends: numbers }),
            (true, false) => Ok(Filter::Dates { field, ends: dates }),
            _ => Err("both ends of a range must be numbers, or both dates"),
        }
    }
}

#[cfg(test)]
#[path = "filter/tests.rs"]
mod tests;
