//! The `site` Lambda: composition only.

use std::process::ExitCode;

use lectern_runtime::lambda;
use site::{router, settings::Settings};

fn main() -> ExitCode {
    lambda::main(
        |settings: &Settings| settings.process.log.as_deref(),
        async |_| lambda::http::serve(router()).await,
    )
}
