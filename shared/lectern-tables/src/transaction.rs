//! Conditional changes of one item, alone or several at once.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Delete, Put, TransactWriteItem, Update},
};
use lectern_core::errors::{ErrorKind, PortError};

use crate::{errors::failed, item::Item, layout::Key, table::Table};

/// Values of an expression by placeholder, `:now`.
pub(crate) type Values = HashMap<String, AttributeValue>;

/// A condition on the item that is there. Attributes are written `#name`, values `:name`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    pub(crate) text: Option<String>,
    pub(crate) values: Values,
}

impl Condition {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: Some(text.to_owned()), values: Values::new() }
    }

    pub(crate) fn with(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Placeholders of the condition's attributes.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        self.text.as_deref().and_then(|text| names_in(&[text]))
    }

    /// The values, absent when there are none: DynamoDB refuses an empty map.
    pub(crate) fn values(&self) -> Option<Values> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }
}

/// A change of one item by an update expression.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: Key,
    pub(crate) expression: String,
    pub(crate) condition: Condition,
}

impl Change {
    pub(crate) fn of(key: Key, expression: &str) -> Self {
        Self { key, expression: expression.to_owned(), condition: Condition::default() }
    }

    pub(crate) fn when(mut self, condition: &str) -> Self {
        self.condition.text = Some(condition.to_owned());
        self
    }

    /// Sets a value of either expression.
    pub(crate) fn with(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.condition.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Placeholders of the attributes of both expressions.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        names_in(&[&self.expression, self.condition.text.as_deref().unwrap_or_default()])
    }
}

/// One write of a transaction.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Put(Item, Condition),
    Change(Change),
    Delete(Key, Condition),
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transacted {
    /// All of it is written.
    Written,
    /// Nothing is written: the condition of the write with this number, from 0, did not hold.
    Refused(usize),
}

impl Table {
    /// Writes all or nothing.
    pub(crate) async fn transact(
        &self,
        operation: &'static str,
        writes: Vec<Write>,
    ) -> Result<Transacted, PortError> {
        let call = Box::pin(async {
            let items = writes.into_iter().map(|write| self.transact_item(write)).collect();
            let sent =
                self.client.transact_write_items().set_transact_items(Some(items)).send().await;
            match sent {
                Ok(_) => Ok(Transacted::Written),
                Err(error) => match refused(&error) {
                    Some(position) => Ok(Transacted::Refused(position)),
                    None if is_too_large(&error) => {
                        let reason = "an item of the transaction is too large";
                        Err(PortError::new(ErrorKind::TooLarge, operation, reason))
                    }
                    None => Err(failed(operation)(error)),
                },
            }
        });
        self.circuit.call_for("transact", operation, call).await
    }

    fn transact_item(&self, write: Write) -> TransactWriteItem {
        let item = TransactWriteItem::builder();
        match write {
            Write::Put(content, condition) => {
                let put = Put::builder()
                    .table_name(&*self.name)
                    .set_item(Some(content))
                    .set_expression_attribute_names(condition.names())
                    .set_expression_attribute_values(condition.values())
                    .set_condition_expression(condition.text);
                item.put(put.build().expect("table and item are given"))
            }
            Write::Change(change) => {
                let update = Update::builder()
                    .table_name(&*self.name)
                    .set_key(Some(change.key.to_item()))
                    .set_expression_attribute_names(change.names())
                    .set_expression_attribute_values(change.condition.values())
                    .update_expression(change.expression)
                    .set_condition_expression(change.condition.text);
                item.update(update.build().expect("table, key and expression are given"))
            }
            Write::Delete(key, condition) => {
                let delete = Delete::builder()
                    .table_name(&*self.name)
                    .set_key(Some(key.to_item()))
                    .set_expression_attribute_names(condition.names())
                    .set_expression_attribute_values(condition.values())
                    .set_condition_expression(condition.text);
                item.delete(delete.build().expect("table and key are given"))
            }
        }
        .build()
    }
}

fn refused<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<usize> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) =
        error.as_service_error()?
    else {
        return None;
    };
    let mut reasons = cancelled.cancellation_reasons().iter();
    reasons.position(|reason| reason.code() == Some("ConditionalCheckFailed"))
}

/// Whether an item of the transaction is too large: that is one of its reasons, where a write of its own is refused at once.
fn is_too_large<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return false;
    };
    cancelled.cancellation_reasons().iter().any(|reason| {
        reason.code() == Some("ValidationError")
            && reason.message().is_some_and(|message| message.contains("size"))
    })
}

/// Returns `#name → name` for every `#name` in the expressions. Every attribute is written so,
/// because DynamoDB reserves 573 words, `state` and `name` among them.
pub(crate) fn names_in(expressions: &[&str]) -> Option<HashMap<String, String>> {
    let mut names = HashMap::new();
    for expression in expressions {
        for after in expression.split('#').skip(1) {
            let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
            let end = after.find(|character| !is_part(character)).unwrap_or(after.len());
            names.insert(format!("#{}", &after[..end]), after[..end].to_owned());
        }
    }
    Some(names).filter(|names| !names.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marked_attribute_gets_its_name() {
        let names = names_in(&["SET #state = :state, #a_1 = #b + :c", "#state <> :d"]).unwrap();
        let mut placeholders: Vec<_> = names.keys().map(String::as_str).collect();
        placeholders.sort_unstable();
        assert_eq!(placeholders, ["#a_1", "#b", "#state"]);
        assert_eq!(names["#a_1"], "a_1");
        assert_eq!(names_in(&["nothing"]), None);
    }
}
