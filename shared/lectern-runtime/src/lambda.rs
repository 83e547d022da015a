//! What every Lambda starts with: settings, logs, one TLS provider, and the loop that takes invocations.
//!
//! | module | serves |
//! |---|---|
//! | [`http`] | a router behind API Gateway (REST), buffered or streamed |
//! | [`events`] | anything else, as JSON |
//! | `nodelay` | small writes that leave at once |

pub mod events;
pub mod http;
mod nodelay;

use std::{future::Future, process::ExitCode};

use lectern_core::env::{Env, Settings};
use lectern_telemetry::instruments::COLD_STARTS;
use tracing::error;

use crate::{
    metrics,
    telemetry::{self, Format, Telemetry},
};

/// What ends the loop: the Runtime API is gone or answers nonsense.
pub type Error = lambda_http::Error;

/// Threads of a function: it has at most two processors, and what blocks has threads of its own.
const THREADS: usize = 2;

/// The whole of a function's `main`: reads its settings, then runs `serve` until the platform ends the process.
///
/// Settings that are missing or wrong are logged, all of them, and the function does not start: a deployment that cannot
/// work fails at once and not with its first user.
pub fn main<S, F>(
    function: &'static str,
    telemetry: impl FnOnce(&S) -> &Telemetry,
    serve: impl FnOnce(S) -> F,
) -> ExitCode
where
    S: Settings,
    F: Future<Output = Result<(), Error>>,
{
    let provider = rustls::crypto::ring::default_provider();
    provider
        .install_default()
        .expect("nothing chose a TLS provider before the first line of `main`");
    let settings = match S::from_env(&Env::from_process()) {
        Ok(settings) => settings,
        Err(problems) => {
            telemetry::init(Format::Json, function, &Telemetry::default());
            for problem in problems {
                error!(error = %problem, "a setting cannot be used");
            }
            return ExitCode::FAILURE;
        }
    };
    let telemetry = telemetry(&settings);
    metrics::embedded::install(&telemetry.stack, function);
    telemetry::init(Format::Json, function, telemetry);
    COLD_STARTS.add(1, &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .expect("the system gives threads at start");
    match runtime.block_on(serve(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = %lectern_core::errors::chain(&*error), "the function ended");
            ExitCode::FAILURE
        }
    }
}
