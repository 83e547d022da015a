//! The `site` Lambda: composition only.

use std::process::ExitCode;

use lectern_runtime::lambda;
use site::{router, settings::Settings};

fn main() -> ExitCode {
    lambda::main(
        env!("CARGO_PKG_NAME"),
        |settings: &Settings| &settings.process.telemetry,
        async |_| lambda::http::serve(router()).await,
    )
}
