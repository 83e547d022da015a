//! Records as items. A record is a serde struct; each field becomes an attribute of the same name.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use lectern_core::errors::{ErrorKind, PortError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Number, Value};

/// A stored item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Attributes that hold JSON text. They carry what a writer chose, and DynamoDB's numbers would turn
/// `1.0` into `1` and refuse `1e200`.
const JSON_TEXT: [&str; 3] = ["detail", "metadata", "settings"];

/// Returns the item of `record`; absent fields become no attribute.
pub(crate) fn to_item<T: Serialize>(record: &T) -> Item {
    let value =
        serde_json::to_value(record).expect("records have string keys and no failing types");
    let Value::Object(fields) = value else { unreachable!("a record is a struct") };
    fields.into_iter().filter(|(_, value)| !value.is_null()).map(attribute).collect()
}

/// Returns the record in `item`; attributes it does not know are left out.
pub(crate) fn from_item<T: DeserializeOwned>(
    operation: &'static str,
    item: &Item,
) -> Result<T, PortError> {
    let fields: Option<Map<String, Value>> = item.iter().map(field).collect();
    let record = fields.and_then(|fields| serde_json::from_value(Value::Object(fields)).ok());
    // The cause would quote what is stored, which may be a customer's.
    let reason = "a stored item has another form than this version reads";
    record.ok_or_else(|| PortError::new(ErrorKind::Internal, operation, reason))
}

/// Returns `value` as an attribute, for expressions.
pub(crate) fn native(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(native).collect()),
        Value::Object(fields) => AttributeValue::M(
            fields.into_iter().map(|(name, value)| (name, native(value))).collect(),
        ),
    }
}

/// Returns a number attribute.
pub(crate) fn number(value: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// Returns a string attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Returns the number stored under `name`, 0 when there is none.
pub(crate) fn number_in(item: &Item, name: &str) -> u64 {
    let stored = item.get(name).and_then(|value| value.as_n().ok());
    stored.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Returns the text stored under `name`.
pub(crate) fn text_in<'item>(item: &'item Item, name: &str) -> Option<&'item str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

fn attribute((name, value): (String, Value)) -> (String, AttributeValue) {
    let is_text = JSON_TEXT.contains(&name.as_str());
    let value = if is_text { AttributeValue::S(value.to_string()) } else { native(value) };
    (name, value)
}

fn field((name, value): (&String, &AttributeValue)) -> Option<(String, Value)> {
    let is_text = JSON_TEXT.contains(&name.as_str());
    let value = match value.as_s() {
        Ok(json) if is_text => serde_json::from_str(json).ok()?,
        _ => json(value)?,
    };
    Some((name.clone(), value))
}

fn json(value: &AttributeValue) -> Option<Value> {
    Some(match value {
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Bool(flag) => Value::Bool(*flag),
        AttributeValue::N(digits) => Value::Number(digits.parse::<Number>().ok()?),
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::L(values) => Value::Array(values.iter().map(json).collect::<Option<_>>()?),
        AttributeValue::M(fields) => {
            let named = |(name, value): (&String, _)| Some((name.clone(), json(value)?));
            Value::Object(fields.iter().map(named).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        id: String,
        size_bytes: u64,
        live: Option<u32>,
        names: Vec<String>,
        metadata: Map<String, Value>,
    }

    fn record() -> Record {
        let metadata =
            json!({"price": 1.0, "huge": 1e200, "empty": "", "nested": [1, {"a": null}]});
        let Value::Object(metadata) = metadata else { unreachable!() };
        let names = vec![String::new(), "ü".into()];
        Record { id: "x".into(), size_bytes: u64::MAX, live: None, names, metadata }
    }

    #[test]
    fn a_record_reads_back_whatever_its_writer_chose() {
        let mut item = to_item(&record());
        assert!(!item.contains_key("live"));
        item.insert("PK".into(), text("T#acme"));
        assert_eq!(from_item::<Record>("test", &item).unwrap(), record());
    }

    #[test]
    fn an_item_of_another_form_is_an_error_that_quotes_nothing() {
        let mut item = to_item(&record());
        item.insert("size_bytes".into(), text("confidential"));
        let error = from_item::<Record>("test", &item).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(!lectern_core::errors::chain(&error).contains("confidential"));
    }
}
