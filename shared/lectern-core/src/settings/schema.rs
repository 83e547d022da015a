//! The metadata fields a collection declares.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SettingError;
use crate::{
    document::Metadata,
    filter::{Moment, is_field_name},
};

/// Most fields a schema may declare.
pub(super) const MAX_FIELDS: usize = 64;

/// What a metadata field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A string matched as a whole, or a list of them.
    Keyword,
    /// An integer or a fraction.
    Number,
    /// A day or an instant as RFC 3339 has it, `2026-11-21` or `2026-11-21T10:00:00Z`.
    Date,
    /// True or false.
    Boolean,
}

impl FieldKind {
    /// Returns what a value of this kind must be.
    #[must_use]
    pub fn expected(self) -> &'static str {
        match self {
            Self::Keyword => "must be a string or a list of strings",
            Self::Number => "must be a number or a list of numbers",
            Self::Date => {
                "must be a day like `2026-11-21`, an RFC 3339 instant like \
                 `2026-11-21T10:00:00Z`, or a list of these"
            }
            Self::Boolean => "must be true or false",
        }
    }

    /// Whether a metadata value is of this kind.
    #[must_use]
    pub fn holds(self, value: &Value) -> bool {
        let one = |value: &Value| match self {
            Self::Keyword => value.is_string(),
            Self::Number => value.is_number(),
            Self::Date => value.as_str().is_some_and(|text| text.parse::<Moment>().is_ok()),
            Self::Boolean => value.is_boolean(),
        };
        match value {
            Value::Array(values) => self != Self::Boolean && values.iter().all(one),
            value => one(value),
        }
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Keyword => "keywords",
            Self::Number => "numbers",
            Self::Date => "dates",
            Self::Boolean => "true or false",
        })
    }
}

/// Metadata fields by name. A document with another field, or a filter that names one, is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(pub BTreeMap<String, FieldKind>);

impl Schema {
    /// Returns what `field` holds, if the schema declares it.
    #[must_use]
    pub fn kind(&self, field: &str) -> Option<FieldKind> {
        self.0.get(field).copied()
    }

    /// Returns what is wrong with a document's metadata, with pointers from it.
    #[must_use]
    pub fn check_metadata(&self, metadata: &Metadata) -> Vec<SettingError> {
        let wrong = metadata.iter().filter_map(|(field, value)| {
            let message = match self.kind(field) {
                None => "is not a field the collection's schema declares",
                Some(kind) if !kind.holds(value) => kind.expected(),
                Some(_) => return None,
            };
            Some(SettingError { pointer: format!("/{}", escaped(field)), message: message.into() })
        });
        wrong.collect()
    }

    /// Returns what is wrong, with pointers below `at`.
    pub(super) fn check(&self, at: &str) -> Vec<SettingError> {
        let error = |pointer: String, message: String| SettingError { pointer, message };
        let mut wrong = Vec::new();
        if self.0.len() > MAX_FIELDS {
            wrong.push(error(at.to_owned(), format!("must have at most {MAX_FIELDS} fields")));
        }
        let names = self.0.keys().filter(|name| !is_field_name(name));
        wrong.extend(names.take(MAX_FIELDS).map(|name| {
            let message = "must be named by 1 to 64 letters, digits, `_` or `-`";
            error(format!("{at}/{}", escaped(name)), message.to_owned())
        }));
        wrong
    }
}

/// Returns a name as a segment of a JSON pointer (RFC 6901).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_is_held_to_the_schema() {
        let schema: Schema = serde_json::from_value(
            json!({"team": "keyword", "year": "number", "signed": "date", "draft": "boolean"}),
        )
        .unwrap();
        let check = |metadata: Value| -> Vec<String> {
            let Value::Object(metadata) = metadata else { unreachable!() };
            let wrong = schema.check_metadata(&metadata).into_iter().map(|wrong| wrong.pointer);
            std::collections::BTreeSet::from_iter(wrong).into_iter().collect()
        };
        let right = json!({"team": ["a", "b"], "year": 2.5, "signed": "2026-11-21", "draft": true});
        assert_eq!(check(right), [""; 0]);
        assert_eq!(check(json!({})), [""; 0]);
        let wrong = json!({"team": 1, "year": "x", "signed": "soon", "draft": [true], "a/b": 1});
        assert_eq!(check(wrong), ["/a~1b", "/draft", "/signed", "/team", "/year"]);
    }
}
