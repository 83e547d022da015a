//! The keys of every item kind, as the table in the crate's documentation says.

use aws_sdk_dynamodb::types::AttributeValue;
use lectern_core::{
    document::{Document, Version},
    ids::{
        BackupId, CollectionId, DocumentId, ExperimentName, KeyId, QueryId, RestoreId, SessionId,
        StreamId, TenantId, UploadId, VariantName,
    },
    time::Timestamp,
};

use crate::item::{Item, text};

/// Name of the secondary index.
pub(crate) const INDEX: &str = "GSI1";
/// Partition of the index that holds the work to be done.
pub(crate) const PENDING: &str = "PENDING";
/// Begin of a version's sort key.
pub(crate) const VERSION: &str = "VERSION#";
/// Sort key of a deletion.
pub(crate) const DELETION: &str = "DELETION";
/// Begin of a collection's sort key.
pub(crate) const COLLECTION: &str = "COLLECTION#";
/// Begin of a document's sort key.
pub(crate) const DOCUMENT: &str = "DOCUMENT#";
/// Begin of the sort key of a tenant's list of API keys.
pub(crate) const KEY: &str = "KEY#";
/// Begin of a session message's sort key.
pub(crate) const MESSAGE: &str = "MESSAGE#";
/// Begin of a conversation's sort key on the list of its subject.
pub(crate) const HELD_SESSION: &str = "SESSION#";
/// Begin of feedback's sort key on the list of its subject.
pub(crate) const HELD_FEEDBACK: &str = "FEEDBACK#";
/// Begin of the sort key of a variant's outcomes.
pub(crate) const EXPERIMENT: &str = "EXPERIMENT#";

/// Begin of a backup's sort key.
pub(crate) const BACKUP: &str = "BACKUP#";
/// Begin of a restoration's sort key.
pub(crate) const RESTORE: &str = "RESTORE#";
/// The partition that lists all tenants.
pub(crate) const TENANTS: &str = "TENANTS";
/// Begin of a tenant's sort key there.
pub(crate) const TENANT: &str = "T#";

/// The partition of the ends of the audit log's streams.
pub(crate) const AUDIT: &str = "AUDIT";
/// Begin of a stream's sort key there.
pub(crate) const STREAM: &str = "STREAM#";

/// Begin of a cached value's partition key.
pub(crate) const CACHE: &str = "CACHE#";

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// Returns the two attributes.
    pub(crate) fn to_item(&self) -> Item {
        Item::from([("PK".into(), text(&*self.pk)), ("SK".into(), text(&*self.sk))])
    }

    /// Adds the two attributes to `item`.
    pub(crate) fn put_into(&self, item: &mut Item) {
        item.extend(self.to_item());
    }
}

/// The partition of a tenant's collections and documents, in this incarnation.
pub(crate) fn tenant(tenant: &TenantId) -> String {
    format!("T#{tenant}")
}

/// The partition of what belongs to the account, whatever incarnation of its data is live: backups, restorations, feedback
/// and the list of keys.
pub(crate) fn account(tenant: &TenantId) -> String {
    format!("T#{}", tenant.account())
}

pub(crate) fn collection(owner: &TenantId, id: &CollectionId) -> Key {
    Key::new(tenant(owner), format!("{COLLECTION}{id}"))
}

pub(crate) fn document(owner: &TenantId, id: &DocumentId) -> Key {
    Key::new(tenant(owner), format!("{DOCUMENT}{id}"))
}

/// The partition of one document's versions and deletion.
pub(crate) fn document_parts(tenant: &TenantId, document: &DocumentId) -> String {
    format!("T#{tenant}#D#{document}")
}

pub(crate) fn version(tenant: &TenantId, document: &DocumentId, version: Version) -> Key {
    Key::new(document_parts(tenant, document), format!("{VERSION}{version:010}"))
}

pub(crate) fn deletion(tenant: &TenantId, document: &DocumentId) -> Key {
    Key::new(document_parts(tenant, document), DELETION)
}

pub(crate) fn content(tenant: &TenantId, collection: &CollectionId, sha256: &str) -> Key {
    Key::new(format!("T#{tenant}#C#{collection}"), format!("CONTENT#{sha256}"))
}

pub(crate) fn api_key(id: &KeyId) -> Key {
    Key::new(format!("KEY#{id}"), "KEY")
}

pub(crate) fn subject(id: &KeyId) -> Key {
    Key::new(format!("SUBJECT#{id}"), "RATE")
}

pub(crate) fn api_key_listing(owner: &TenantId, id: &KeyId) -> Key {
    Key::new(account(owner), format!("{KEY}{id}"))
}

/// The partition of one conversation. It is the account's: a restored tenant goes on with it.
pub(crate) fn session(tenant: &TenantId, session: &SessionId) -> String {
    format!("T#{}#S#{session}", tenant.account())
}

pub(crate) fn message(partition: &str, at: Timestamp, query: &QueryId, role: u8) -> Key {
    Key::new(partition, format!("{MESSAGE}{}#{query}#{role}", millis(at)))
}

/// The partition of what is held on a subject: its conversations, and its feedback.
pub(crate) fn held(tenant: &TenantId, subject: &KeyId) -> String {
    format!("T#{}#W#{subject}", tenant.account())
}

pub(crate) fn held_session(tenant: &TenantId, subject: &KeyId, session: &SessionId) -> Key {
    Key::new(held(tenant, subject), format!("{HELD_SESSION}{session}"))
}

pub(crate) fn held_feedback(tenant: &TenantId, subject: &KeyId, query: &QueryId) -> Key {
    Key::new(held(tenant, subject), format!("{HELD_FEEDBACK}{query}"))
}

pub(crate) fn cached(hash: &str) -> Key {
    Key::new(format!("{CACHE}{hash}"), "CACHE")
}

pub(crate) fn idempotency(tenant: &TenantId, hash: &str) -> Key {
    Key::new(format!("T#{tenant}#I#{hash}"), "IDEMPOTENCY")
}

/// The partition of an account's spending.
pub(crate) fn spending(tenant: &TenantId) -> String {
    format!("T#{}#U", tenant.account())
}

pub(crate) fn usage_day(tenant: &TenantId, day: &str, spender: &str) -> Key {
    Key::new(spending(tenant), format!("DAY#{day}#KEY#{spender}"))
}

/// A month's ledger: the account's, or that of one of its keys.
pub(crate) fn budget(tenant: &TenantId, month: &str, key: Option<&KeyId>) -> Key {
    let of = key.map_or("ACCOUNT".to_owned(), |key| format!("KEY#{key}"));
    Key::new(spending(tenant), format!("BUDGET#{month}#{of}"))
}

pub(crate) fn spending_rules(tenant: &TenantId) -> Key {
    Key::new(spending(tenant), "RULES")
}

pub(crate) fn feedback(owner: &TenantId, query: &QueryId) -> Key {
    Key::new(account(owner), format!("FEEDBACK#{query}"))
}

pub(crate) fn upload(owner: &TenantId, id: &UploadId) -> Key {
    Key::new(tenant(owner), format!("UPLOAD#{id}"))
}

pub(crate) fn backup(owner: &TenantId, id: &BackupId) -> Key {
    Key::new(account(owner), format!("{BACKUP}{id}"))
}

pub(crate) fn erasure(owner: &TenantId) -> Key {
    Key::new(account(owner), "ERASURE")
}

pub(crate) fn restoration(owner: &TenantId, id: &RestoreId) -> Key {
    Key::new(account(owner), format!("{RESTORE}{id}"))
}

pub(crate) fn audit_head(stream: &StreamId) -> Key {
    Key::new(AUDIT, format!("{STREAM}{stream}"))
}

/// Which log lines an operator wants of this deployment.
pub(crate) fn log_levels() -> Key {
    Key::new("LOG", "LEVELS")
}

/// How far the sweep for documents that are kept no longer came in a collection.
pub(crate) fn expiry_sweep(owner: &TenantId, id: &CollectionId) -> Key {
    Key::new(tenant(owner), format!("EXPIRY#{id}"))
}

pub(crate) fn listed_tenant(tenant: &TenantId) -> Key {
    Key::new(TENANTS, format!("{TENANT}{}", tenant.account()))
}

/// The partition of a collection's experiments.
pub(crate) fn experiments(tenant: &TenantId, collection: &CollectionId) -> String {
    format!("T#{}#E#{collection}", tenant.account())
}

pub(crate) fn tally(
    tenant: &TenantId,
    collection: &CollectionId,
    experiment: &ExperimentName,
    variant: &VariantName,
) -> Key {
    let sort = format!("{EXPERIMENT}{experiment}#VARIANT#{variant}");
    Key::new(experiments(tenant, collection), sort)
}

/// In a partition of its own: every question writes one.
pub(crate) fn assignment(tenant: &TenantId, query: &QueryId) -> Key {
    Key::new(format!("T#{}#Q#{query}", tenant.account()), "ASSIGNMENT")
}

/// The item that is always absent; reading it shows that the table can be read.
pub(crate) fn nothing() -> Key {
    Key::new("PING", "PING")
}

/// The index partition that lists a collection's documents.
pub(crate) fn listing(tenant: &TenantId, collection: &CollectionId) -> String {
    format!("T#{tenant}#C#{collection}")
}

/// The index attributes of a document.
pub(crate) fn listed(document: &Document) -> [(String, AttributeValue); 2] {
    let sort = format!("{}#{}", millis(document.created_at), document.id);
    index_keys(listing(&document.tenant, &document.collection), sort)
}

/// The index attributes of work to be done; `part` is a padded version number or [`DELETION`].
pub(crate) fn pending(
    since: Timestamp,
    tenant: &TenantId,
    document: &DocumentId,
    part: &str,
) -> [(String, AttributeValue); 2] {
    index_keys(PENDING.to_owned(), format!("{}#{tenant}#{document}#{part}", millis(since)))
}

/// A padded version number, as it stands in sort keys.
pub(crate) fn padded(version: Version) -> String {
    format!("{version:010}")
}

fn index_keys(partition: String, sort: String) -> [(String, AttributeValue); 2] {
    [("GSI1PK".into(), text(partition)), ("GSI1SK".into(), text(sort))]
}

/// Milliseconds padded so that text order is time order until the year 33658.
fn millis(at: Timestamp) -> String {
    format!("{:015}", at.as_millis())
}
