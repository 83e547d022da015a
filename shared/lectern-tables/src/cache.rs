//! Values that may be lost: embeddings and answers by the hash of what they were made from.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use lectern_core::{
    errors::{ErrorKind, PortError},
    time::Timestamp,
};

use crate::{
    layout,
    table::{Table, alive, expiry},
    transaction::Condition,
};

/// Largest cached value in bytes. An item holds 400 KB (DynamoDB Developer Guide, "Quotas").
pub const MAX_VALUE_BYTES: usize = 390 * 1024;

/// Cached values. The hash must cover everything that may see the value: the tenant for one.
#[derive(Clone, Copy, Debug)]
pub struct Cache<'tables> {
    pub(crate) table: &'tables Table,
}

impl Cache<'_> {
    /// Returns the value kept under `hash` unless it has expired.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, hash: &str, now: Timestamp) -> Result<Option<Vec<u8>>, PortError> {
        let item = self.table.get("get cached", &layout::cached(hash)).await?;
        let value = item.and_then(|item| alive(item, now)?.remove("value"));
        Ok(value.and_then(|value| match value {
            AttributeValue::B(blob) => Some(blob.into_inner()),
            _ => None,
        }))
    }

    /// Keeps `value` under `hash` until `until`.
    ///
    /// # Errors
    /// `TooLarge` beyond [`MAX_VALUE_BYTES`].
    pub async fn put(&self, hash: &str, value: Vec<u8>, until: Timestamp) -> Result<(), PortError> {
        let operation = "put cached";
        if value.len() > MAX_VALUE_BYTES {
            return Err(PortError::bare(ErrorKind::TooLarge, operation));
        }
        let mut item = layout::cached(hash).to_item();
        item.insert("value".to_owned(), AttributeValue::B(Blob::new(value)));
        item.insert("expires_at".to_owned(), expiry(until));
        self.table.put(operation, item, Condition::default()).await.map(|_| ())
    }
}
