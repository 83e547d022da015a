//! What a search, a count or a deletion is restricted to, decided once for both engines.
//!
//! The tenant, the collection and the ACL are conditions like any other, added here and nowhere else,
//! so that no adapter can forget one.

use lectern_core::{
    errors::{ErrorKind, PortError},
    filter::{Ends, Filter, Moment},
    ids::{CollectionId, TenantId},
    passage::{EVERYBODY, PassageQuery, PointId, Scope, Visibility},
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
    Range { key: String, bounds: Ends<f64> },
    /// The field is, or holds, a moment within the bounds, in microseconds since the epoch.
    Dates { key: String, bounds: Ends<i64> },
    /// The point is one of these.
    Ids(Vec<PointId>),
    /// Every one holds.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
}

/// A condition, or the certainty that makes one unnecessary.
#[derive(Clone, Debug, PartialEq)]
enum Folded {
    Always,
    Never,
    When(Condition),
}

/// Returns the conditions that all hold for the points of `scope`.
///
/// # Errors
/// `Invalid` when it names no document, or more than [`Scope::MAX_DOCUMENTS`].
pub(crate) fn of_scope(
    scope: &Scope,
    operation: &'static str,
) -> Result<Vec<Condition>, PortError> {
    let mut conditions = vec![text("tenant", scope.tenant.as_str())];
    if let Some(collection) = &scope.collection {
        conditions.push(text("collection", collection.as_str()));
    }
    if let Some(ids) = &scope.document_ids {
        if !(1..=Scope::MAX_DOCUMENTS).contains(&ids.len()) {
            let reason = format!("a scope has 1 to {} documents", Scope::MAX_DOCUMENTS);
            return Err(PortError::new(ErrorKind::Invalid, operation, reason));
        }
        let any_of = ids.iter().map(|id| id.as_str().to_owned()).collect();
        conditions.push(Condition::Text { key: "document_id".to_owned(), any_of });
    }
    if let Some((from, to)) = scope.versions {
        let bounds =
            Ends { gte: Some(f64::from(from)), lte: Some(f64::from(to)), ..Ends::default() };
        conditions.push(Condition::Range { key: "version".to_owned(), bounds });
    }
    Ok(conditions)
}

/// Returns the conditions that all hold for what `query` may find, `None` when nothing can.
///
/// # Errors
/// `Invalid` when the filter breaks a rule of [`Filter::validate`].
pub(crate) fn of_query(
    query: &PassageQuery,
    operation: &'static str,
) -> Result<Option<Vec<Condition>>, PortError> {
    let mut conditions = visible(&query.tenant, &query.collection, &query.principals);
    if let Some(percent) = query.hostile_from {
        // Not below it: passages that nobody looked at have no such field.
        let bounds = Ends { gte: Some(f64::from(percent)), ..Ends::default() };
        let hostile = Condition::Range { key: "hostility".to_owned(), bounds };
        conditions.push(Condition::Not(Box::new(hostile)));
    }
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

/// Returns the conditions that all hold for those of `ids` that a caller may see.
pub(crate) fn of_ids(visibility: &Visibility, ids: &[PointId]) -> Vec<Condition> {
    let Visibility { tenant, collection, principals } = visibility;
    let mut conditions = visible(tenant, collection, principals);
    conditions.push(Condition::Ids(ids.to_vec()));
    conditions
}

fn visible(tenant: &TenantId, collection: &CollectionId, principals: &[String]) -> Vec<Condition> {
    let mut any_of = principals.to_vec();
    any_of.push(EVERYBODY.to_owned());
    vec![
        text("tenant", tenant.as_str()),
        text("collection", collection.as_str()),
        Condition::Text { key: "acl".to_owned(), any_of },
    ]
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
        Filter::Range { field, ends } => {
            Folded::When(Condition::Range { key: metadata_key(field), bounds: *ends })
        }
        Filter::Dates { field, ends } => {
            Folded::When(Condition::Dates { key: metadata_key(field), bounds: micros(ends) })
        }
    }
}

/// A day counts whole: after it means from its end, until it means before its end.
fn micros(ends: &Ends<Moment>) -> Ends<i64> {
    let first = |moment: &Moment| moment.first_micros();
    let is_day = |moment: &&Moment| moment.day_end_micros().is_some();
    let day_end = |end: &Option<Moment>| end.as_ref().and_then(Moment::day_end_micros);
    let instant = |end: &Option<Moment>| end.as_ref().filter(|end| !is_day(end)).map(first);
    let later = |one: Option<i64>, other: Option<i64>| one.max(other);
    let earlier = |one: Option<i64>, other: Option<i64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    Ends {
        gt: instant(&ends.gt),
        gte: later(ends.gte.as_ref().map(first), day_end(&ends.gt)),
        lt: earlier(ends.lt.as_ref().map(first), day_end(&ends.lte)),
        lte: instant(&ends.lte),
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
            hostile_from: None,
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
    fn a_day_counts_whole() {
        let day = 86_400_000_000;
        let key = || "metadata.signed".to_owned();
        for (filter, bounds) in [
            (
                r#""gte":"1970-01-02","lt":"1970-01-04""#,
                Ends { gte: Some(day), lt: Some(3 * day), ..Ends::default() },
            ),
            (
                r#""gt":"1970-01-02","lte":"1970-01-04""#,
                Ends { gte: Some(2 * day), lt: Some(4 * day), ..Ends::default() },
            ),
            (r#""gt":"1970-01-01T00:00:01Z""#, Ends { gt: Some(1_000_000), ..Ends::default() }),
            (r#""lte":"1970-01-02","lt":"1970-01-02""#, Ends { lt: Some(day), ..Ends::default() }),
        ] {
            let condition = last(&format!(r#"{{"field":"signed",{filter}}}"#));
            assert_eq!(condition, Condition::Dates { key: key(), bounds }, "{filter}");
        }
    }

    #[test]
    fn a_field_cannot_leave_the_metadata() {
        let error = of_query(&query(r#"{"field":"a].tenant","equals":"b"}"#), "test").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
    }
}
