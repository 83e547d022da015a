//! What a search, a count or a deletion is restricted to, decided once for both engines.
//!
//! The tenant, the collection and the ACL are conditions like any other, added here and nowhere else,
//! so that no adapter can forget one.

use lectern_core::{
    errors::{ErrorKind, PortError},
    filter::Filter,
    passage::{EVERYBODY, PassageQuery, Scope},
};
use serde_json::Value;

/// A restriction in the terms both engines know. Empty lists do not occur: engines disagree about
/// what they mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// The field is, or holds, one of these strings.
    Text { key: String, any_of: Vec<String> },
    /// The field is, or holds, one of these integers.
    Integer { key: String, any_of: Vec<i64> },
    /// The field is, or holds, this boolean.
    Boolean { key: String, value: bool },
    /// The field is, or holds, a number within the bounds.
    Range { key: String, bounds: Bounds },
    /// Every one holds.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
}

/// Ends of a range; one is set at least.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) gt: Option<f64>,
    pub(crate) gte: Option<f64>,
    pub(crate) lt: Option<f64>,
    pub(crate) lte: Option<f64>,
}

/// A condition, or the certainty that makes one unnecessary.
#[derive(Clone, Debug, PartialEq)]
enum Folded {
    Always,
    Never,
    When(Condition),
}

/// Returns the conditions that all hold for the points of `scope`.
pub(crate) fn of_scope(scope: &Scope) -> Vec<Condition> {
    let mut conditions = vec![text("tenant", scope.tenant.as_str())];
    if let Some(collection) = &scope.collection {
        conditions.push(text("collection", collection.as_str()));
    }
    if let Some(document) = &scope.document_id {
        conditions.push(text("document_id", document.as_str()));
    }
    if let Some((from, to)) = scope.versions {
        let bounds =
            Bounds { gte: Some(f64::from(from)), lte: Some(f64::from(to)), ..Bounds::default() };
        conditions.push(Condition::Range { key: "version".to_owned(), bounds });
    }
    conditions
}

/// Returns the conditions that all hold for what `query` may find, `None` when nothing can.
///
/// # Errors
/// `Invalid` when the filter breaks a rule of [`Filter::validate`].
pub(crate) fn of_query(
    query: &PassageQuery,
    operation: &'static str,
) -> Result<Option<Vec<Condition>>, PortError> {
    let mut principals = query.principals.clone();
    principals.push(EVERYBODY.to_owned());
    let mut conditions = vec![
        text("tenant", query.tenant.as_str()),
        text("collection", query.collection.as_str()),
        Condition::Text { key: "acl".to_owned(), any_of: principals },
    ];
    if let Some(filter) = &query.filter {
        filter
            .validate()
            .map_err(|broken| PortError::new(ErrorKind::Invalid, operation, broken))?;
        match fold(filter) {
            Folded::Always => {}
            Folded::Never => return Ok(None),
            Folded::When(condition) => conditions.push(condition),
        }
    }
    Ok(Some(conditions))
}

fn text(key: &str, value: &str) -> Condition {
    Condition::Text { key: key.to_owned(), any_of: vec![value.to_owned()] }
}

fn fold(filter: &Filter) -> Folded {
    match filter {
        Filter::All { all } => all_of(all.iter().map(fold)),
        Filter::Any { any } => any_of(any.iter().map(fold)),
        Filter::Not { not } => match fold(not) {
            Folded::Always => Folded::Never,
            Folded::Never => Folded::Always,
            Folded::When(condition) => Folded::When(Condition::Not(Box::new(condition))),
        },
        Filter::Documents { documents } if documents.is_empty() => Folded::Never,
        Filter::Documents { documents } => Folded::When(Condition::Text {
            key: "document_id".to_owned(),
            any_of: documents.iter().map(|document| document.as_str().to_owned()).collect(),
        }),
        Filter::Equals { field, equals } => one_of(field, std::slice::from_ref(equals)),
        Filter::In { field, r#in } => one_of(field, r#in),
        Filter::Range { field, gt, gte, lt, lte } => Folded::When(Condition::Range {
            key: metadata_key(field),
            bounds: Bounds { gt: *gt, gte: *gte, lt: *lt, lte: *lte },
        }),
    }
}

fn all_of(parts: impl Iterator<Item = Folded>) -> Folded {
    let mut conditions = Vec::new();
    for part in parts {
        match part {
            Folded::Always => {}
            Folded::Never => return Folded::Never,
            Folded::When(condition) => conditions.push(condition),
        }
    }
    if conditions.is_empty() { Folded::Always } else { Folded::When(Condition::All(conditions)) }
}

fn any_of(parts: impl Iterator<Item = Folded>) -> Folded {
    let mut conditions = Vec::new();
    for part in parts {
        match part {
            Folded::Always => return Folded::Always,
            Folded::Never => {}
            Folded::When(condition) => conditions.push(condition),
        }
    }
    if conditions.is_empty() { Folded::Never } else { Folded::When(Condition::Any(conditions)) }
}

/// Values of several types are matched type by type: an engine's list holds one type only.
fn one_of(field: &str, values: &[Value]) -> Folded {
    let key = metadata_key(field);
    let strings: Vec<_> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let integers: Vec<_> = values.iter().filter_map(Value::as_i64).collect();
    let mut parts = Vec::new();
    if !strings.is_empty() {
        parts.push(Condition::Text { key: key.clone(), any_of: strings });
    }
    if !integers.is_empty() {
        parts.push(Condition::Integer { key: key.clone(), any_of: integers });
    }
    for value in values.iter().filter_map(Value::as_bool) {
        parts.push(Condition::Boolean { key: key.clone(), value });
    }
    any_of(parts.into_iter().map(Folded::When))
}

fn metadata_key(field: &str) -> String {
    format!("metadata.{field}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(filter: &str) -> PassageQuery {
        PassageQuery {
            tenant: "acme".parse().unwrap(),
            collection: "default".parse().unwrap(),
            principals: vec!["ops".to_owned()],
            filter: Some(serde_json::from_str(filter).unwrap()),
            dense: None,
            sparse: lectern_core::analysis::SparseVector::default(),
            limit: 1,
        }
    }

    fn last(filter: &str) -> Condition {
        of_query(&query(filter), "test").unwrap().unwrap().pop().unwrap()
    }

    #[test]
    fn tenant_collection_and_acl_are_always_there() {
        let conditions = of_query(&query(r#"{"all":[]}"#), "test").unwrap().unwrap();
        let acl = Condition::Text {
            key: "acl".to_owned(),
            any_of: vec!["ops".to_owned(), "*".to_owned()],
        };
        assert_eq!(conditions, [text("tenant", "acme"), text("collection", "default"), acl]);
    }

    #[test]
    fn what_cannot_match_is_not_asked() {
        for impossible in [
            r#"{"any":[]}"#,
            r#"{"documents":[]}"#,
            r#"{"field":"team","in":[]}"#,
            r#"{"not":{"all":[]}}"#,
            r#"{"all":[{"field":"team","equals":"ops"},{"any":[]}]}"#,
        ] {
            assert_eq!(of_query(&query(impossible), "test").unwrap(), None, "{impossible}");
        }
        let kept = of_query(&query(r#"{"not":{"any":[]}}"#), "test").unwrap().unwrap();
        assert_eq!(kept.len(), 3);
    }

    #[test]
    fn mixed_lists_are_split_by_type() {
        let condition = last(r#"{"field":"tag","in":["a",1,true]}"#);
        let key = "metadata.tag".to_owned();
        let parts = vec![
            Condition::Text { key: key.clone(), any_of: vec!["a".to_owned()] },
            Condition::Integer { key: key.clone(), any_of: vec![1] },
            Condition::Boolean { key, value: true },
        ];
        assert_eq!(condition, Condition::Any(parts));
    }

    #[test]
    fn a_field_cannot_leave_the_metadata() {
        let error = of_query(&query(r#"{"field":"a].tenant","equals":"b"}"#), "test").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
    }
}
