//! `lectern export` and `lectern import`: names, defaults and help texts.

use std::path::PathBuf;

use clap::Args;

/// `lectern export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Where to: a folder that is empty or not there
    pub(crate) folder: PathBuf,
}

/// `lectern import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// A folder that `export` wrote, or a file of JSON Lines, a record each
    pub(crate) source: PathBuf,
    /// Field of a record that has its text
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub(crate) text_field: String,
    /// Field that has its vector
    #[arg(long, value_name = "NAME", default_value = "vector")]
    pub(crate) vector_field: String,
    /// Field that has its name; other flat fields become metadata
    #[arg(long, value_name = "NAME", default_value = "id")]
    pub(crate) name_field: String,
    /// The model the vectors of records are of; they are taken over when it is the one in use here
    #[arg(long, value_name = "MODEL")]
    pub(crate) vectors_of: Option<String>,
}
