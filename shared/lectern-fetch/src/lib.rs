//! What Lectern reads from the web: keys of the issuers its operator trusts, documents from hosts they allow.
//!
//! This crate refuses to know: whose request it reads for, what bytes mean, the table, models.
//!
//! | module | reads |
//! |---|---|
//! | [`discovery`] | the keys an OpenID Connect issuer publishes |
//! | [`pages`] | documents by an address somebody else named |
//! | [`addresses`] | which addresses are inside |
//! | `get` | one small document, bounded in size and time |
//! | `bounded` | a response, bounded in size |

pub mod addresses;
pub mod discovery;
pub mod pages;

mod bounded;
mod get;
