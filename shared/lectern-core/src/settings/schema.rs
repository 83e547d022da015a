//! The metadata fields a collection declares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SettingError;
use crate::filter::is_field_name;

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
            let escaped = name.replace('~', "~0").replace('/', "~1");
            error(format!("{at}/{escaped}"), message.to_owned())
        }));
        wrong
    }
}
