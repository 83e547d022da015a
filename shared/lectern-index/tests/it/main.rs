//! Both adapters against the contract, against each other, and against failure.
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod contract;
mod crash;
mod edge;
mod qdrant;
mod rankings;

use std::time::Duration;

use lectern_core::ports::EmbeddingModel;
use lectern_index::{IndexSettings, Qdrant, Timeouts};
use lectern_testkit::index_contract;

/// Returns the settings of the index the contract suite runs on.
fn contract_settings() -> IndexSettings {
    IndexSettings::new(Some(index_contract::model())).unwrap()
}

/// Returns the settings of an index for `dimensions`-long vectors of a model of its own.
fn settings(dimensions: usize) -> IndexSettings {
    IndexSettings::new(Some(EmbeddingModel { id: "test".to_owned(), dimensions })).unwrap()
}

/// Returns timeouts that do not pass on a busy machine.
fn patient() -> Timeouts {
    let minute = Duration::from_secs(60);
    Timeouts { connect: minute, read: minute, write: minute }
}

/// Returns an index on the server at `url`.
fn server(url: &str, settings: IndexSettings) -> Qdrant {
    Qdrant::connect(url, None, settings, patient()).unwrap()
}
