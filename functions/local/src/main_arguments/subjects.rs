//! `lectern subjects …`.

use clap::{Args, Subcommand};
use lectern_core::ids::KeyId;

/// `lectern subjects …`.
#[derive(Debug, Subcommand)]
pub(crate) enum SubjectsCommand {
    /// Print the id of the subject of a token, or of a page's visitor
    Find(SubjectName),
    /// Print everything that is held on a subject
    Show {
        /// Its id: a key's, or what `find` prints
        id: KeyId,
    },
    /// Erase a subject's conversations and feedback, and print the receipt
    Erase {
        /// Its id: a key's, or what `find` prints
        id: KeyId,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// How a subject is called where it comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct SubjectName {
    /// The `iss` of its tokens
    #[arg(long, value_name = "URL", requires = "subject", conflicts_with_all = ["key_id", "visitor"])]
    pub(crate) issuer: Option<String>,
    /// The `sub` of its tokens
    #[arg(long, value_name = "NAME", requires = "issuer")]
    pub(crate) subject: Option<String>,
    /// The key that tokens for the page are made with
    #[arg(long, value_name = "ID", requires = "visitor")]
    pub(crate) key_id: Option<String>,
    /// The visitor they are made for
    #[arg(long, value_name = "NAME", requires = "key_id")]
    pub(crate) visitor: Option<String>,
}
