//! `lectern`: the whole product in one process, and the command line of every deployment.

mod address;
mod api;
mod bench;
mod commands;
mod compose;
mod connections;
mod doorbell;
mod failure;
mod golden_sets;
mod main_arguments;
mod output;
mod serve;
mod session;
mod settings;
mod sources;
mod text_table;

use std::process::ExitCode;

use clap::Parser as _;
use lectern_core::env::Env;
use lectern_runtime::telemetry;

use crate::{
    main_arguments::{Arguments, PARSE_WORKER},
    output::Output,
};

fn main() -> ExitCode {
    // Documents are parsed in a child process of this very program, before anything starts a thread.
    if std::env::args_os().nth(1).is_some_and(|first| first == PARSE_WORKER) {
        return lectern_parse::worker_main();
    }
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing chose a TLS provider before the first line of `main`");
    let arguments = Arguments::parse();
    let env = Env::from_process();
    let telemetry = match settings::telemetry(&env, arguments.command.log_levels()) {
        Ok(telemetry) => telemetry,
        Err(problem) => {
            eprintln!("lectern: {problem}");
            return ExitCode::FAILURE;
        }
    };
    telemetry::init(telemetry::Format::for_stderr(), "local", &telemetry);
    let output = Output::standard(arguments.global.json, arguments.global.quiet);
    let runtime = tokio::runtime::Runtime::new().expect("the system gives threads at start");
    let code = runtime.block_on(commands::run(arguments, &env, &output));
    // A blocking call that Ctrl-C left behind must not keep the process.
    runtime.shutdown_background();
    telemetry::finish();
    code
}
