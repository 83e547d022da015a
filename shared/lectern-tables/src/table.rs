//! The calls to DynamoDB, one function each. Nothing above this file sees the SDK's client.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{
        AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, ReturnValue,
        ReturnValuesOnConditionCheckFailure, WriteRequest,
    },
};
use lectern_core::{
    errors::{ErrorKind, PortError},
    time::Timestamp,
};
use lectern_telemetry::{call::Dependency, circuit::Circuit};

use crate::{
    errors::failed,
    item::{Item, number_in},
    layout::Key,
    transaction::{Change, Condition},
};

/// Most keys of one `BatchGetItem`.
pub(crate) const MAX_BATCH_GET: usize = 100;
/// Most items of one `BatchWriteItem`.
pub(crate) const MAX_BATCH_WRITE: usize = 25;
/// How often the rest of a batch is sent again.
const MAX_BATCH_ROUNDS: u32 = 8;
const BATCH_BACKOFF: Duration = Duration::from_millis(20);

/// A client and the table's name.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: Arc<str>,
    pub(crate) circuit: Circuit,
}

/// What became of a conditional write.
#[derive(Clone, Debug)]
pub(crate) enum Conditional {
    /// It is written; the item as it is now (nothing for a put).
    Done(Item),
    /// The condition did not hold; the item as it is, if there is one.
    Refused(Option<Item>),
}

/// One write of a batch.
#[derive(Clone, Debug)]
pub(crate) enum BatchWrite {
    Put(Item),
    Delete(Key),
}

impl Table {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.into(), circuit: Circuit::to(Dependency::Table) }
    }

    /// Reads one item, consistently.
    pub(crate) async fn get(
        &self,
        operation: &'static str,
        key: &Key,
    ) -> Result<Option<Item>, PortError> {
        let call = Box::pin(async {
            let call = self.client.get_item().table_name(&*self.name).consistent_read(true);
            let output = call.set_key(Some(key.to_item())).send().await;
            Ok(output.map_err(failed(operation))?.item)
        });
        self.circuit.call_for("get", operation, call).await
    }

    /// Writes one item if the condition holds for the one that is there.
    pub(crate) async fn put(
        &self,
        operation: &'static str,
        item: Item,
        condition: Condition,
    ) -> Result<Conditional, PortError> {
        let call = Box::pin(async {
            let call = self
                .client
                .put_item()
                .table_name(&*self.name)
                .set_item(Some(item))
                .set_expression_attribute_names(condition.names())
                .set_expression_attribute_values(condition.values())
                .set_condition_expression(condition.text)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            match call.send().await {
                Ok(_) => Ok(Conditional::Done(Item::new())),
                Err(SdkError::ServiceError(service)) if is_refused_put(service.err()) => {
                    let PutItemError::ConditionalCheckFailedException(refused) = service.into_err()
                    else {
                        unreachable!("the guard saw this variant")
                    };
                    Ok(Conditional::Refused(refused.item.filter(|item| !item.is_empty())))
                }
                Err(error) => Err(failed(operation)(error)),
            }
        });
        self.circuit.call_for("put", operation, call).await
    }

    /// Changes one item if the condition holds.
    pub(crate) async fn update(
        &self,
        operation: &'static str,
        change: Change,
    ) -> Result<Conditional, PortError> {
        let call = Box::pin(async {
            let call = self
                .client
                .update_item()
                .table_name(&*self.name)
                .set_key(Some(change.key.to_item()))
                .set_expression_attribute_names(change.names())
                .set_expression_attribute_values(change.condition.values())
                .update_expression(change.expression)
                .set_condition_expression(change.condition.text)
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            match call.send().await {
                Ok(output) => Ok(Conditional::Done(output.attributes.unwrap_or_default())),
                Err(SdkError::ServiceError(service)) if is_refused_update(service.err()) => {
                    let UpdateItemError::ConditionalCheckFailedException(refused) =
                        service.into_err()
                    else {
                        unreachable!("the guard saw this variant")
                    };
                    Ok(Conditional::Refused(refused.item.filter(|item| !item.is_empty())))
                }
                Err(error) => Err(failed(operation)(error)),
            }
        });
        self.circuit.call_for("update", operation, call).await
    }

    /// Removes one item if the condition holds; returns whether it did.
    pub(crate) async fn delete(
        &self,
        operation: &'static str,
        key: &Key,
        condition: Condition,
    ) -> Result<bool, PortError> {
        let call = Box::pin(async {
            let call = self
                .client
                .delete_item()
                .table_name(&*self.name)
                .set_key(Some(key.to_item()))
                .set_expression_attribute_names(condition.names())
                .set_expression_attribute_values(condition.values())
                .set_condition_expression(condition.text);
            match call.send().await {
                Ok(_) => Ok(true),
                Err(SdkError::ServiceError(service))
                    if service.err().is_conditional_check_failed_exception() =>
                {
                    Ok(false)
                }
                Err(error) => Err(failed(operation)(error)),
            }
        });
        self.circuit.call_for("delete", operation, call).await
    }

    /// Reads up to [`MAX_BATCH_GET`] items, consistently, in no order; absent ones are left out.
    pub(crate) async fn batch_get(
        &self,
        operation: &'static str,
        keys: Vec<Key>,
    ) -> Result<Vec<Item>, PortError> {
        let call = Box::pin(async {
            if keys.len() > MAX_BATCH_GET {
                return Err(PortError::bare(ErrorKind::TooLarge, operation));
            }
            let mut found = Vec::with_capacity(keys.len());
            let mut open: Vec<Item> = keys.iter().map(Key::to_item).collect();
            for round in 0..MAX_BATCH_ROUNDS {
                if open.is_empty() {
                    return Ok(found);
                }
                pause(round).await;
                let wanted =
                    KeysAndAttributes::builder().consistent_read(true).set_keys(Some(open));
                let wanted = wanted.build().expect("keys are given");
                let call = self.client.batch_get_item().request_items(&*self.name, wanted);
                let output = call.send().await.map_err(failed(operation))?;
                found.extend(output.responses.into_iter().flatten().flat_map(|(_, items)| items));
                let rest = output.unprocessed_keys.unwrap_or_default();
                open = rest.into_values().flat_map(|keys| keys.keys).collect();
            }
            if open.is_empty() { Ok(found) } else { Err(overloaded(operation)) }
        });
        self.circuit.call_for("batch_get", operation, call).await
    }

    /// Writes items without conditions, [`MAX_BATCH_WRITE`] a call. Not atomic: a failed call may have
    /// written some; writing the same again is harmless.
    pub(crate) async fn batch_write(
        &self,
        operation: &'static str,
        writes: Vec<BatchWrite>,
    ) -> Result<(), PortError> {
        let call = Box::pin(async {
            let requests: Vec<_> = writes.into_iter().map(write_request).collect();
            for batch in requests.chunks(MAX_BATCH_WRITE) {
                let mut open = HashMap::from([(self.name.to_string(), batch.to_vec())]);
                for round in 0..MAX_BATCH_ROUNDS {
                    pause(round).await;
                    let call = self.client.batch_write_item().set_request_items(Some(open));
                    let output = call.send().await.map_err(failed(operation))?;
                    open = output.unprocessed_items.unwrap_or_default();
                    if open.is_empty() {
                        break;
                    }
                }
                if !open.is_empty() {
                    return Err(overloaded(operation));
                }
            }
            Ok(())
        });
        self.circuit.call_for("batch_write", operation, call).await
    }
}

/// Returns `item` unless it has expired. DynamoDB deletes expired items within days, not at once.
pub(crate) fn alive(item: Item, now: Timestamp) -> Option<Item> {
    let expires_at = number_in(&item, "expires_at");
    (expires_at == 0 || expires_at > now.as_secs()).then_some(item)
}

/// Returns the value of `expires_at` for an item that lives until `until`.
pub(crate) fn expiry(until: Timestamp) -> AttributeValue {
    AttributeValue::N(until.as_millis().div_ceil(1_000).to_string())
}

fn is_refused_put(error: &PutItemError) -> bool {
    error.is_conditional_check_failed_exception()
}

fn is_refused_update(error: &UpdateItemError) -> bool {
    error.is_conditional_check_failed_exception()
}

fn write_request(write: BatchWrite) -> WriteRequest {
    let request = WriteRequest::builder();
    match write {
        BatchWrite::Put(item) => {
            let put = PutRequest::builder().set_item(Some(item)).build();
            request.put_request(put.expect("an item is given"))
        }
        BatchWrite::Delete(key) => {
            let delete = DeleteRequest::builder().set_key(Some(key.to_item())).build();
            request.delete_request(delete.expect("a key is given"))
        }
    }
    .build()
}

/// Waits before every round but the first, twice as long each time.
async fn pause(round: u32) {
    if round > 0 {
        tokio::time::sleep(BATCH_BACKOFF * 2_u32.pow(round - 1)).await;
    }
}

fn overloaded(operation: &'static str) -> PortError {
    let reason = "a part of the batch was never processed";
    PortError::new(ErrorKind::RateLimited { retry_after: None }, operation, reason)
}
