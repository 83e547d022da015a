//! Everything Lectern remembers besides passages and files, in one DynamoDB table.
//!
//! There is no port here: `aws-sdk-dynamodb` is the only client, and locally the same client talks
//! to an engine in this process through the SDK's HTTP seam. So the conditions, transactions and
//! paging below run the same on a laptop and on AWS; only the URL differs.
//!
//! This crate refuses to know: what a document's text is, the index, models, HTTP, and the clock
//! (every rule takes `now`). It decides nothing that [`lectern_core`] can decide.
//!
//! | module | keeps |
//! |---|---|
//! | [`collections`], [`generation`] | collections, their settings, and the generation that counts changes of answers |
//! | [`documents`], [`registration`] | documents, and how one is accepted |
//! | [`versions`], [`ingestion`] | leases on versions, and how a version becomes live |
//! | [`uploads`] | files on their way into the store |
//! | [`deletion`] | deletions under way and their receipts |
//! | [`keys`], [`subjects`] | API keys and their rate state; that of subjects of tokens |
//! | [`sessions`], [`feedback`] | conversations and what readers thought of answers |
//! | [`holdings`] | which of them are a subject's |
//! | [`expiry`] | how far the sweep for documents that are kept no longer came |
//! | [`cache`], [`idempotency`] | what may be forgotten: cached values, replayed responses |
//! | [`experiments`] | outcomes by variant, and which variants a question was answered with |
//! | [`audit`] | where the streams of the audit log end |
//! | [`usage`], [`budget`], [`spending_rules`] | what was spent, and what may be |
//! | [`backups`], [`restores`], [`erasures`] | what is backed up, restored, and rewritten |
//! | [`log_levels`] | which log lines an operator wants for a while |
//! | [`tenants`] | who there is, and which incarnation of their data is live |
//!
//! # Layout
//!
//! `PK` and `SK` are strings; the index `GSI1` has `GSI1PK` and `GSI1SK` and holds whole items.
//! `expires_at` is the TTL attribute, in seconds; DynamoDB deletes late, so reads filter it too.
//!
//! | item | `PK` | `SK` | `GSI1PK` | `GSI1SK` |
//! |---|---|---|---|---|
//! | collection | `T#{tenant}` | `COLLECTION#{id}` | | |
//! | document | `T#{tenant}` | `DOCUMENT#{id}` | `T#{tenant}#C#{collection}` | `{created_at}#{id}` |
//! | version | `T#{tenant}#D#{document}` | `VERSION#{number}` | `PENDING` while pending | `{created_at}#{tenant}#{document}#{number}` |
//! | deletion, later tombstone | `T#{tenant}#D#{document}` | `DELETION` | `PENDING` while pending | `{begun_at}#{tenant}#{document}#DELETION` |
//! | content | `T#{tenant}#C#{collection}` | `CONTENT#{sha256}` | | |
//! | API key | `KEY#{id}` | `KEY` | | |
//! | API key of a tenant | `T#{tenant}` | `KEY#{id}` | | |
//! | rate of a token's subject | `SUBJECT#{id}` | `RATE` | | |
//! | session message | `T#{tenant}#S#{session}` | `MESSAGE#{at}#{query}#{role}` | | |
//! | conversation, feedback of a subject | `T#{tenant}#W#{subject}` | `SESSION#{session}`, `FEEDBACK#{query}` | | |
//! | sweep of a collection | `T#{tenant}` | `EXPIRY#{collection}` | | |
//! | cached value | `CACHE#{hash}` | `CACHE` | | |
//! | idempotent request | `T#{tenant}#I#{hash}` | `IDEMPOTENCY` | | |
//! | usage of a day | `T#{tenant}#U` | `DAY#{day}#KEY#{key}` | | |
//! | ledger of a month | `T#{tenant}#U` | `BUDGET#{month}#ACCOUNT`, `BUDGET#{month}#KEY#{key}` | | |
//! | what may be spent | `T#{tenant}#U` | `RULES` | | |
//! | feedback | `T#{tenant}` | `FEEDBACK#{query}` | | |
//! | upload under way | `T#{tenant}` | `UPLOAD#{id}` | | |
//! | backup | `T#{tenant}` | `BACKUP#{id}` | | |
//! | restoration | `T#{tenant}` | `RESTORE#{id}` | | |
//! | erasure from backups | `T#{tenant}` | `ERASURE` | | |
//! | end of an audit stream | `AUDIT` | `STREAM#{stream}` | | |
//! | wanted log levels | `LOG` | `LEVELS` | | |
//! | tenant | `TENANTS` | `T#{tenant}` | | |
//! | outcomes of a variant | `T#{tenant}#E#{collection}` | `EXPERIMENT#{experiment}#VARIANT#{variant}` | | |
//! | variants of a question | `T#{tenant}#Q#{query}` | `ASSIGNMENT` | | |
//!
//! Collections, documents, versions, deletions, contents, uploads, sweeps and idempotent requests are of an incarnation, `acme.2`; all
//! else is of the account, `acme`, and stays where it is when a restored incarnation takes over.
//!
//! A key's rate state changes with every request, so keys stay out of the index, which would double
//! that write; the second item lists them instead.

// A crate above builds without either engine when its binary chooses one.
#![cfg_attr(not(any(feature = "embedded", feature = "aws")), allow(dead_code, unused_imports))]

mod connect;
mod errors;
mod item;
mod layout;
mod range;
mod retries;
mod schema;
mod table;
mod takeover;
mod transaction;

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "embedded")]
mod embedded;

pub mod audit;
pub mod backups;
pub mod budget;
pub mod cache;
pub mod collections;
pub mod deletion;
pub mod documents;
pub mod erasures;
pub mod experiments;
pub mod expiry;
pub mod feedback;
pub mod generation;
pub mod holdings;
pub mod idempotency;
pub mod ingestion;
pub mod keys;
pub mod log_levels;
pub mod registration;
pub mod restores;
pub mod sessions;
pub mod spending_rules;
pub mod subjects;
pub mod tenants;
pub mod uploads;
pub mod usage;
pub mod versions;

pub use connect::Tables;

/// Most records of one page; a larger `limit` is cut to it.
pub const MAX_PAGE: usize = 100;

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Pass it to get the next page; `None` at the end.
    pub next: Option<String>,
}
