//! The function that the driver is tested with: `examples/lambda_stand_in.rs`.

use std::path::PathBuf;

use lectern_testkit::lambda::{Bootstrap, RestEvent};
use serde_json::Value;

/// Returns the stand-in in one of its modes.
pub(crate) fn stand_in(mode: &str) -> Bootstrap {
    Bootstrap::new("stand-in", program()).set("MODE", mode)
}

/// Returns a request for one of its paths.
pub(crate) fn request(path: &str) -> Value {
    RestEvent::get(path).bearer("lk_test").build()
}

fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(std::path::Path::parent).unwrap();
    let program = profile.join("examples/lambda_stand_in");
    assert!(
        program.is_file(),
        "{} is not built: cargo build -p lectern-testkit --features lambda --examples",
        program.display()
    );
    program
}
