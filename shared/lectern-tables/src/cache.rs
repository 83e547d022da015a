//! Values that may be lost: embeddings and answers by the hash of what they were made from.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use lectern_core::{
    errors::{ErrorKind, PortError},
    time::Timestamp,
};

use crate::{
    item::{Item, text_in},
    layout,
    table::{BatchWrite, MAX_BATCH_GET, Table, alive, expiry},
    transaction::Condition,
};

/// Largest cached value in bytes. An item holds 400 KB (DynamoDB Developer Guide, "Quotas").
pub const MAX_VALUE_BYTES: usize = 390 * 1024;

/// A value to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheWrite {
    /// Where.
    pub hash: String,
    /// What, at most [`MAX_VALUE_BYTES`].
    pub value: Vec<u8>,
    /// Until when.
    pub until: Timestamp,
}

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
        Ok(item.and_then(|item| value(item, now)))
    }

    /// Returns the values kept under `hashes` (at most a hundred) by hash, without those that have
    /// expired. Equal hashes are read once.
    ///
    /// # Errors
    /// `TooLarge` for more hashes, and when the table cannot be read.
    pub async fn get_many(
        &self,
        hashes: &[String],
        now: Timestamp,
    ) -> Result<HashMap<String, Vec<u8>>, PortError> {
        let operation = "get many cached";
        let mut distinct = hashes.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() > MAX_BATCH_GET {
            return Err(PortError::bare(ErrorKind::TooLarge, operation));
        }
        if distinct.is_empty() {
            return Ok(HashMap::new());
        }
        let keys = distinct.iter().map(|hash| layout::cached(hash)).collect();
        let mut found = HashMap::new();
        for item in self.table.batch_get(operation, keys).await? {
            let hash = text_in(&item, "PK").and_then(|key| key.strip_prefix(layout::CACHE));
            if let Some(hash) = hash.map(str::to_owned)
                && let Some(value) = value(item, now)
            {
                found.insert(hash, value);
            }
        }
        Ok(found)
    }

    /// Keeps `value` under `hash` until `until`.
    ///
    /// # Errors
    /// `TooLarge` beyond [`MAX_VALUE_BYTES`].
    pub async fn put(&self, hash: &str, value: Vec<u8>, until: Timestamp) -> Result<(), PortError> {
        let operation = "put cached";
        let write = CacheWrite { hash: hash.to_owned(), value, until };
        self.table.put(operation, item(operation, write)?, Condition::default()).await.map(|_| ())
    }

    /// Keeps several values; of those under one hash the last. Not atomic.
    ///
    /// # Errors
    /// `TooLarge` when one is beyond [`MAX_VALUE_BYTES`]; then none is kept.
    pub async fn put_many(&self, writes: Vec<CacheWrite>) -> Result<(), PortError> {
        let operation = "put many cached";
        // One call may not name a key twice.
        let distinct: HashMap<String, CacheWrite> =
            writes.into_iter().map(|write| (write.hash.clone(), write)).collect();
        let puts = distinct.into_values().map(|write| item(operation, write).map(BatchWrite::Put));
        let puts = puts.collect::<Result<Vec<_>, _>>()?;
        self.table.batch_write(operation, puts).await
    }
}

fn value(item: Item, now: Timestamp) -> Option<Vec<u8>> {
    match alive(item, now)?.remove("value")? {
        AttributeValue::B(blob) => Some(blob.into_inner()),
        _ => None,
    }
}

fn item(operation: &'static str, write: CacheWrite) -> Result<Item, PortError> {
    if write.value.len() > MAX_VALUE_BYTES {
        return Err(PortError::bare(ErrorKind::TooLarge, operation));
    }
    let mut item = layout::cached(&write.hash).to_item();
    item.insert("value".to_owned(), AttributeValue::B(Blob::new(write.value)));
    item.insert("expires_at".to_owned(), expiry(write.until));
    Ok(item)
}
