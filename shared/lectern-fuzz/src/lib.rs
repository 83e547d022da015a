//! What is fuzzed: every door through which bytes come in that somebody else wrote.
//!
//! A target takes any bytes and panics when a promise is broken. `cargo fuzz` runs them for hours (`fuzz/`), this crate's own
//! test runs them over the corpus that was kept. Each is listed once, in [`TARGETS`].
//!
//! | module | target | the bytes are |
//! |---|---|---|
//! | `documents` | `parse_text`, `parse_archive`, `parse_pdf` | a file as uploaded |
//! | `requests` | `requests` | the JSON body of a request, or a collection's settings |
//! | `answers` | `citations`, `questions` | a model's draft and the passages it was given; a question |
//! | `leaving` | `outgoing` | what an answer is made from, and the answer |
//! | `passages` | `injection` | a passage that may speak to a machine |
//! | `tokens` | `tokens`, `claims` | a bearer token; the claims of one that was signed |
//! | `replies` | `replies` | the events of a chat model |
//! | `kept` | `kept` | lines and manifests of a backup, settings of the operator |
#![allow(clippy::unwrap_used, reason = "a panic is what a fuzzer looks for")]

mod answers;
mod documents;
mod kept;
mod leaving;
mod passages;
mod replies;
mod requests;
mod tokens;

/// Between a draft and the passages, and between these: RS of ASCII.
const SEPARATOR: char = '\u{1e}';

/// A door, and what comes through it.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 12] = [
    ("citations", answers::citations),
    ("claims", tokens::claims),
    ("injection", passages::injection),
    ("kept", kept::kept),
    ("outgoing", leaving::outgoing),
    ("parse_archive", documents::archive),
    ("parse_pdf", documents::pdf),
    ("parse_text", documents::text),
    ("questions", answers::questions),
    ("replies", replies::replies),
    ("requests", requests::requests),
    ("tokens", tokens::tokens),
];

/// Runs the target of this name.
///
/// # Panics
/// When there is none, or a promise is broken.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target is listed");
    target(bytes);
}

/// Returns the first byte, which chooses among forms, and the rest.
fn chosen(bytes: &[u8]) -> Option<(usize, &[u8])> {
    bytes.split_first().map(|(first, rest)| (usize::from(*first), rest))
}
