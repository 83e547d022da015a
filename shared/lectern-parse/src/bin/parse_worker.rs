//! A child of the sandbox on its own, for the tests of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    lectern_parse::worker_main()
}
