//! What Lectern reads from the web: keys of the issuers its operator trusts.
//!
//! This crate refuses to know: whose request it reads for, what bytes mean, the table, models.
//!
//! | module | reads |
//! |---|---|
//! | [`discovery`] | the keys an OpenID Connect issuer publishes |
//! | `get` | one small document, bounded in size and time |

pub mod discovery;

mod get;
