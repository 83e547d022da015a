//! The flows of Lectern, one file each, read from top to bottom.
//!
//! A flow is a struct whose public fields are what it needs and whose methods are straight lines of awaits. This
//! crate refuses to know: HTTP, Lambda, command lines, vendors. It knows the table concretely (one
//! implementation), files through `object_store`, and everything else through the ports of
//! `lectern-core`.
//!
//! | module | flow |
//! |---|---|
//! | [`ask`] | one question: retrieve → prompt → generate → verify → record |
//! | [`search`] | retrieval only: embed → search → fuse → check against the documents' records |
//! | [`upload`] | one document arrives: validate → store → register → enqueue |
//! | [`fetch`] | one document arrives by its address: read → upload |
//! | [`uploads`] | a file that arrives by itself: announce → store → complete |
//! | [`ingest`] | one document becomes ready: claim → parse → chunk → embed → index → switch → retire |
//! | [`forget`] | one document goes, with a receipt |
//! | [`expire`] | documents that their collections keep no longer go |
//! | [`documents`], [`collections`] | listing, status, the text a citation points into |
//! | [`conversation`] | reading and deleting a conversation, feedback |
//! | [`subjects`] | what is held on somebody is shown, or erased with a receipt |
//! | [`experiments`] | how questions came out by variant, and what the counts say |
//! | [`keys`], [`tokens`], [`widgets`] | API keys and authentication; tokens of trusted issuers; tokens for pages |
//! | [`audit`] | where the audit log ends |
//! | [`once`] | a request that is sent again is carried out once |
//! | [`cache`], [`known_vectors`] | vectors, passages and answers that need not be made again |
//! | [`worker`] | jobs at the doorbell and those the sweep finds |
//! | [`back_up`] | one tenant is backed up: read documents whole → parts → manifest → record; all of them on schedule |
//! | [`export`] | a collection leaves, document by document |
//! | [`backfill`] | passages without vectors get them once a model is there |
//! | [`health`] | can a question be answered now? |
//! | [`canary`] | a question whose answer is known: plant → ask → compare |
//! | [`backlog`] | may more documents come? |
//! | [`status`] | how promises were kept lately |
//! | [`eval`] | a golden set through the real flows: every question → ask → search → judge → report |
//! | [`blobs`], [`clock`], [`errors`] | names of stored files, time, how flows fail |

pub mod ask;
pub mod audit;
pub mod back_up;
pub mod backfill;
pub mod backlog;
pub mod blobs;
pub mod cache;
pub mod canary;
pub mod clock;
pub mod collections;
pub mod conversation;
pub mod documents;
pub mod errors;
pub mod eval;
pub mod experiments;
pub mod expire;
pub mod export;
pub mod fetch;
pub mod forget;
pub mod guesses;
pub mod health;
pub mod ingest;
pub mod keys;
pub mod known_vectors;
pub mod once;
pub mod restore;
pub mod search;
pub mod spending;
pub mod status;
pub mod subjects;
pub mod tokens;
pub mod upload;
pub mod uploads;
pub mod widgets;
pub mod worker;
