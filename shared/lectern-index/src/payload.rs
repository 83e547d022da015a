//! A passage as the flat JSON object both engines store and filter by.

use lectern_core::{
    errors::{ErrorKind, PortError},
    passage::{Passage, Span},
};
use serde_json::{Map, Value};

/// How a field is indexed for filtering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldIndex {
    /// Exact strings, and the engine groups points by them on disk.
    Tenant,
    /// Exact strings.
    Keyword,
    /// Integers, exact and in ranges.
    Integer,
}

/// The fields every filter may use. Metadata fields are not indexed: they are checked on the
/// candidates the indexed fields leave.
pub(crate) const FIELD_INDEXES: [(&str, FieldIndex); 6] = [
    ("tenant", FieldIndex::Tenant),
    ("collection", FieldIndex::Keyword),
    ("document_id", FieldIndex::Keyword),
    ("version", FieldIndex::Integer),
    ("acl", FieldIndex::Keyword),
    ("hostility", FieldIndex::Integer),
];

/// Returns the stored form of `passage`: its fields, the span as `start` and `end`.
pub(crate) fn store(passage: &Passage) -> Map<String, Value> {
    let stored = serde_json::to_value(passage).expect("a passage has string keys only");
    let Value::Object(mut fields) = stored else {
        unreachable!("a struct serialises as an object")
    };
    fields.remove("span");
    fields.insert("start".to_owned(), passage.span.start.into());
    fields.insert("end".to_owned(), passage.span.end.into());
    fields
}

/// Returns the passage stored as `fields`.
///
/// # Errors
/// `Internal` when the object was not written by [`store`].
pub(crate) fn restore(
    mut fields: Map<String, Value>,
    operation: &'static str,
) -> Result<Passage, PortError> {
    let mut offset = |name: &str| {
        let value = fields.remove(name).as_ref().and_then(Value::as_u64);
        value.and_then(|offset| usize::try_from(offset).ok())
    };
    let (Some(start), Some(end)) = (offset("start"), offset("end")) else {
        return Err(PortError::new(ErrorKind::Internal, operation, "a stored passage has no span"));
    };
    let span = serde_json::to_value(Span { start, end }).expect("a span has string keys only");
    fields.insert("span".to_owned(), span);
    // serde's message may quote a value of the passage: only its position is kept.
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        let reason = format!("a stored passage does not parse ({:?})", error.classify());
        PortError::new(ErrorKind::Internal, operation, reason)
    })
}

#[cfg(test)]
mod tests {
    use lectern_core::{
        errors::chain,
        personal::Kind,
        redaction::{Place, Places},
    };
    use lectern_testkit::index_contract::{a_passage, a_tenant};

    use super::*;

    #[test]
    fn a_stored_passage_is_flat_and_comes_back() {
        let mut passage = a_passage(&a_tenant("payload"), 1, 2, 3);
        passage.hostility = Some(4);
        let fields = store(&passage);
        for (name, _) in FIELD_INDEXES {
            assert!(fields.contains_key(name), "`{name}` is indexed but not stored");
        }
        assert_eq!(fields.get("start"), Some(&Value::from(passage.span.start)));
        assert_eq!(restore(fields, "test").unwrap(), passage);
    }

    #[test]
    fn where_personal_data_is_comes_back_and_need_not_be_there() {
        let mut passage = a_passage(&a_tenant("payload"), 1, 2, 3);
        assert!(!store(&passage).contains_key("personal"));
        let place = Place { start: 6, end: 7, kind: Kind::Phone };
        for text in [vec![place], Vec::new()] {
            passage.personal = Some(Places { text, ..Places::default() });
            assert_eq!(restore(store(&passage), "test").unwrap(), passage);
        }
    }

    #[test]
    fn a_foreign_payload_is_refused_without_being_quoted() {
        let mut fields = store(&a_passage(&a_tenant("payload"), 1, 1, 0));
        fields.insert("tenant".to_owned(), "A Secret!".into());
        let refused = restore(fields, "test").unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Internal);
        assert!(!chain(&refused).contains("Secret"));
        assert_eq!(restore(Map::new(), "test").unwrap_err().kind, ErrorKind::Internal);
    }
}
