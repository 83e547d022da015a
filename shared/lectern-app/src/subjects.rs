//! What is held on a subject: shown whole, page by page, or erased, with a receipt.
//!
//! A subject is the id of an API key, what stands for the subject of a token, or a visitor of a page. Its conversations and
//! feedback are found by a list that is written with them; usage and ledgers by its id. Documents have no subjects: who may see
//! one stands in its access list, and [`crate::forget`] deletes it.
//!
//! | module | flow |
//! |---|---|
//! | `erase` | conversations and feedback go, a step at a time → what is left is counted |
//! | `place` | where the next page begins |
//! | `show` | conversations → feedback → usage, as much as a page has room for |

mod erase;
mod place;
mod show;

use lectern_core::{
    auth::{Caller, MAX_PRINCIPAL_BYTES},
    ids::KeyId,
    widget::MAX_VISITOR_BYTES,
};
use lectern_tables::Tables;
pub use lectern_tables::{
    budget::MonthSpent,
    feedback::{Feedback, Rating},
    sessions::Speaker,
    usage::UsageDay,
};

pub use self::{
    erase::SubjectReceipt,
    show::{
        HeldConversation, HeldMessage, HeldOnSubject, LEDGER_MONTHS, MAX_READS, MAX_RECORDS,
        USAGE_DAYS,
    },
};
use crate::{clock::Clock, errors::FlowError, keys::administers, widgets::visitor_id};

/// Longest name of an issuer in bytes.
pub const MAX_ISSUER_BYTES: usize = 2_048;

/// Shows and erases what is held on subjects.
#[derive(Clone, Debug)]
pub struct Subjects {
    /// The table.
    pub tables: Tables,
    /// The time.
    pub clock: Clock,
}

/// How a subject is called where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The subject of a token, as its issuer calls both.
    Token {
        /// `iss`.
        issuer: String,
        /// `sub`, or the claim the issuer's settings name.
        subject: String,
    },
    /// A visitor, as the holder of the key calls them who makes tokens for a page.
    Visitor {
        /// The key.
        key_id: KeyId,
        /// The `visitor` the tokens were made for.
        visitor: String,
    },
}

impl Subjects {
    /// Refuses who may not ask about subjects, before anything else is said.
    ///
    /// # Errors
    /// When the caller is no administrator.
    pub fn authorize(&self, caller: &Caller) -> Result<(), FlowError> {
        administers(caller)
    }

    /// Returns the id of a subject of the caller's account. Whether there ever was one of that name is not known.
    ///
    /// # Errors
    /// When the caller is no administrator, or a name is empty or too long.
    pub fn id_of(&self, caller: &Caller, named: &Named) -> Result<KeyId, FlowError> {
        self.authorize(caller)?;
        match named {
            Named::Token { issuer, subject } => {
                check("/issuer", issuer, MAX_ISSUER_BYTES)?;
                check("/subject", subject, MAX_PRINCIPAL_BYTES)?;
                let account = caller.tenant.account();
                Ok(KeyId::of_subject(issuer, account.as_str(), subject))
            }
            Named::Visitor { key_id, visitor } => {
                check("/visitor", visitor, MAX_VISITOR_BYTES)?;
                Ok(visitor_id(key_id, visitor))
            }
        }
    }
}

fn check(pointer: &str, name: &str, max: usize) -> Result<(), FlowError> {
    if (1..=max).contains(&name.len()) {
        return Ok(());
    }
    Err(FlowError::field(pointer, format!("must have 1 to {max} bytes")))
}
