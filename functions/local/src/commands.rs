//! The commands, one file each: what is asked of the API, and how the answer looks to a person or a program.
//!
//! | module | command |
//! |---|---|
//! | `ask`, `search` | questions |
//! | `ingest`, `waiting`, `documents` | documents |
//! | `collections` | collections and their settings |
//! | `experiments` | how experiments came out |
//! | `keys` | API keys of a data directory |
//! | `audit` | whether the audit log is as it was written |
//! | `subjects` | what is held on somebody, and its end |
//! | `usage`, `budget` | what was spent, and what may be |
//! | `backup` | backups of a data directory, and what is restored from them |
//! | `portable` | a collection to a folder, and back; records of other systems |
//! | `eval` | golden sets: figures, and a gate |
//! | `model` | the embedding model's files |
//! | `doctor` | what is wrong, and what to do |
//! | `openapi` | the description of the API |
//! | `bodies`, `places` | what the API answers; how a place in a document is written |

mod ask;
mod audit;
mod backup;
pub(crate) mod bodies;
mod budget;
mod collections;
mod doctor;
mod documents;
pub(crate) mod eval;
mod experiments;
mod ingest;
mod keys;
mod model;
mod openapi;
mod places;
mod portable;
mod search;
mod subjects;
mod usage;
pub(crate) mod waiting;

use std::process::ExitCode;

use clap::CommandFactory as _;
use lectern_core::env::Env;
use lectern_runtime::telemetry;

use crate::{
    bench,
    compose::Local,
    failure::Failure,
    main_arguments::{
        Arguments, CollectionsCommand, Command, Global, ServeArguments, audit::AuditCommand,
        backup::BackupCommand, keys::KeysCommand,
    },
    output::Output,
    serve::{ServeOptions, serve},
    session::{Missing, Session, data_directory},
    settings::Settings,
};

/// Runs a command to its exit code.
pub(crate) async fn run(arguments: Arguments, env: &Env, output: &Output) -> ExitCode {
    let outcome = dispatch(arguments, env, output).await;
    let Err(failure) = outcome else { return ExitCode::SUCCESS };
    if let Some(message) = failure.message() {
        output.complain(format_args!("error: {message}"));
    }
    ExitCode::from(failure.exit_code())
}

async fn dispatch(arguments: Arguments, env: &Env, output: &Output) -> Result<(), Failure> {
    let global = arguments.global;
    match arguments.command {
        // Finishes requests under way by itself.
        Command::Serve(options) => serve_here(&global, env, options).await,
        Command::Doctor(options) => {
            interruptible(doctor::run(&options, &global, env, output)).await
        }
        Command::Openapi => openapi::run(output),
        Command::Bench(options) => interruptible(bench::run(&options, &global, env, output)).await,
        Command::Eval(options) => interruptible(eval::run(&options, &global, env, output)).await,
        Command::Model(command) => {
            let data = data_directory(&global, env);
            interruptible(model::run(&command, &data, output)).await
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "lectern", &mut script);
            Ok(output.write(String::from_utf8_lossy(&script))?)
        }
        // `main` takes this argument before anything is parsed, when it is the first one.
        Command::ParseWorker => {
            Err(Failure::Usage("parse-worker must be the first argument".into()))
        }
        command => {
            let session = Session::open(&global, env, missing(&command)).await?;
            let outcome = interruptible(with_session(&session, &global, command, output)).await;
            // Whatever happened, what was accepted is brought to the disk.
            let closed = session.close().await;
            outcome.and(closed)
        }
    }
}

/// Commands that write make the directory; the others would only find it empty.
fn missing(command: &Command) -> Missing {
    use BackupCommand::{Drill, List, Prune, Restore, Show, Verify};
    match command {
        Command::Ingest(_)
        | Command::Keys(KeysCommand::Create { .. })
        | Command::Import(_)
        | Command::Collections(CollectionsCommand::Set { .. }) => Missing::Create,
        // What is restored may be all there is.
        Command::Backup(
            Restore { .. } | List { .. } | Show { .. } | Verify { .. } | Prune(_) | Drill,
        ) => Missing::AroundBackups,
        _ => Missing::Refuse,
    }
}

async fn with_session(
    session: &Session,
    global: &Global,
    command: Command,
    output: &Output,
) -> Result<(), Failure> {
    let collection = &global.collection;
    match command {
        Command::Ingest(options) => ingest::run(session, collection, &options, output).await,
        Command::Ask(options) => ask::run(&session.api, collection, &options, output).await,
        Command::Search(options) => search::run(&session.api, collection, &options, output).await,
        Command::Documents(command) => documents::run(session, collection, &command, output).await,
        Command::Collections(command) => collections::run(&session.api, &command, output).await,
        Command::Experiments => experiments::run(&session.api, collection, output).await,
        Command::Keys(command) => keys::run(session, command, output).await,
        Command::Audit(AuditCommand::Verify { paths, since }) => {
            audit::verify(session, paths, since, output).await
        }
        Command::Subjects(command) => subjects::run(&session.api, &command, output).await,
        Command::Usage(options) => usage::run(&session.api, &options, output).await,
        Command::Budget(options) => budget::run(&session.api, &options, output).await,
        Command::Backup(command) => backup::run(session, command, output).await,
        Command::Export(options) => {
            portable::export(session, collection, &options.folder, output).await
        }
        Command::Import(options) => portable::import(session, collection, &options, output).await,
        Command::Serve(_)
        | Command::Doctor(_)
        | Command::Openapi
        | Command::Bench(_)
        | Command::Eval(_)
        | Command::Model(_)
        | Command::Completions { .. }
        | Command::ParseWorker => unreachable!("`dispatch` runs these without a session"),
    }
}

async fn serve_here(global: &Global, env: &Env, options: ServeArguments) -> Result<(), Failure> {
    if global.api.is_some() {
        return Err(Failure::Usage("`serve` serves a data directory: leave --api out".into()));
    }
    let settings = Settings::from_env(env).map_err(Failure::Settings)?;
    let local = Local::open(&data_directory(global, env), &settings).await?;
    let options = ServeOptions {
        paths: options.paths,
        addr: options.addr,
        open: options.open,
        watch: options.watch,
        levels: env.get("LECTERN_LOG").unwrap_or(telemetry::DEFAULT_LEVELS).to_owned(),
        collection: global.collection.clone(),
    };
    let served = serve(&local, &options).await.map_err(Failure::Failed);
    served.and(local.close().await.map_err(Failure::from))
}

/// Runs a command until it is done, or Ctrl-C.
async fn interruptible(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // No handler, no Ctrl-C: the system then ends the process by itself.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        outcome = command => outcome,
        () = interrupted => Err(Failure::Interrupted),
    }
}
