//! Where what is measured goes: as log lines on Lambda, to be scraped elsewhere.
//!
//! | module | feature | is |
//! |---|---|---|
//! | `embedded` | `lambda` | lines of CloudWatch's embedded metric format: no call on the path of a request |
//! | `prometheus` | `server` | Prometheus text |

#[cfg(feature = "lambda")]
pub(crate) mod embedded;
#[cfg(feature = "server")]
pub mod prometheus;
