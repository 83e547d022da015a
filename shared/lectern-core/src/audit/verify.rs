//! Whether the records of an audit log are those that were written, and all of them.
//!
//! Lines may come in any order, twice, and among others: that is what log services deliver.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{GENESIS, Head, PREFIX, RecordHash, part};
use crate::ids::StreamId;

/// Most records that are checked at once: some 100 bytes of memory each.
pub const MAX_RECORDS: usize = 10_000_000;

/// There are more records than can be checked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there are more than {MAX_RECORDS} records: check them month by month")]
pub struct TooMany;

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A line is not as it was written.
    Altered {
        /// Which line, from 1 on, of all that were read.
        line: usize,
    },
    /// Two different records have the same place in a stream.
    Forked {
        /// Which stream.
        stream: StreamId,
        /// Which place, from 0 on.
        sequence: u64,
    },
    /// Records are missing between two others.
    Missing {
        /// Which stream.
        stream: StreamId,
        /// The first that is missing.
        from: u64,
        /// The first that is there again.
        to: u64,
    },
    /// A record does not follow from the one before it.
    Unchained {
        /// Which stream.
        stream: StreamId,
        /// Which place.
        sequence: u64,
    },
    /// Records that the table knows of are missing at the end.
    Truncated {
        /// Which stream.
        stream: StreamId,
        /// How many there are.
        found: u64,
        /// How many there were at least.
        known: u64,
    },
    /// A stream that the table knows of ends in another way there.
    Replaced {
        /// Which stream.
        stream: StreamId,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { line } => write!(formatter, "line {line} is not as it was written"),
            Self::Forked { stream, sequence } => {
                write!(formatter, "{stream}: two different records say that they are {sequence}")
            }
            Self::Missing { stream, from, to } => {
                write!(formatter, "{stream}: records {from} to {} are missing", to - 1)
            }
            Self::Unchained { stream, sequence } => {
                write!(formatter, "{stream}: record {sequence} does not follow from the one before")
            }
            Self::Truncated { stream, found, known } => write!(
                formatter,
                "{stream}: it ends after {found} records and had at least {known}"
            ),
            Self::Replaced { stream } => {
                write!(formatter, "{stream}: it is not the stream that the table knows")
            }
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Different records.
    pub records: usize,
    /// Streams.
    pub streams: usize,
    /// Records that were there more than once, which does no harm.
    pub repeated: usize,
    /// Streams whose begin is not there: retention removed it, or somebody did.
    pub begin_later: Vec<(StreamId, u64)>,
    /// What is wrong.
    pub flaws: Vec<Flaw>,
}

/// What of a record its place is checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    previous: RecordHash,
    hash: RecordHash,
}

/// Checks a log, line by line.
#[derive(Debug)]
pub struct Verifier {
    streams: BTreeMap<StreamId, BTreeMap<u64, Link>>,
    lines: usize,
    found: Verified,
    most: usize,
}

impl Default for Verifier {
    fn default() -> Self {
        Self::up_to(MAX_RECORDS)
    }
}

/// The fields that are read of a record.
#[derive(Deserialize)]
struct Place {
    stream: StreamId,
    sequence: u64,
    previous: String,
}

impl Verifier {
    /// Returns one of a log of at most so many records.
    pub(super) fn up_to(most: usize) -> Self {
        Self { streams: BTreeMap::new(), lines: 0, found: Verified::default(), most }
    }

    /// Takes the next line; others than of an audit log are passed over.
    ///
    /// # Errors
    /// When there are too many.
    pub fn line(&mut self, line: &str) -> Result<(), TooMany> {
        self.lines += 1;
        let line = line.trim_end_matches(['\r', '\n']);
        if !line.starts_with(PREFIX) {
            return Ok(());
        }
        let Some((place, link)) = read(line) else {
            self.found.flaws.push(Flaw::Altered { line: self.lines });
            return Ok(());
        };
        let Place { stream, sequence, .. } = place;
        match self.streams.entry(stream.clone()).or_default().insert(sequence, link) {
            None => self.found.records += 1,
            Some(before) if before == link => self.found.repeated += 1,
            Some(_) => self.found.flaws.push(Flaw::Forked { stream, sequence }),
        }
        if self.found.records > self.most { Err(TooMany) } else { Ok(()) }
    }

    /// Returns what was found, where the streams' ends are these as far as is known.
    #[must_use]
    pub fn finish(mut self, heads: &[Head]) -> Verified {
        self.found.streams = self.streams.len();
        for (stream, links) in &self.streams {
            self.found.flaws.extend(breaks(stream, links));
            if let Some((first, _)) = links.first_key_value().filter(|(first, _)| **first > 0) {
                self.found.begin_later.push((stream.clone(), *first));
            }
        }
        let ends = heads.iter().filter_map(|head| end(&self.streams, head));
        self.found.flaws.extend(ends);
        self.found
    }
}

/// Returns a record's place and links, `None` when it is not as it was written.
fn read(line: &str) -> Option<(Place, Link)> {
    let (content, hash) = part(line)?;
    let digest: RecordHash = Sha256::digest(content.as_bytes()).into();
    let place: Place = serde_json::from_str(&content).ok()?;
    let mut previous = GENESIS;
    hex::decode_to_slice(&place.previous, &mut previous).ok()?;
    (digest == hash).then_some((place, Link { previous, hash }))
}

/// Returns where a stream is broken.
fn breaks(stream: &StreamId, links: &BTreeMap<u64, Link>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut before: Option<(u64, RecordHash)> = None;
    for (&sequence, link) in links {
        let stream = || stream.clone();
        match before {
            Some((last, _)) if last + 1 != sequence => {
                flaws.push(Flaw::Missing { stream: stream(), from: last + 1, to: sequence });
            }
            Some((_, hash)) if hash != link.previous => {
                flaws.push(Flaw::Unchained { stream: stream(), sequence });
            }
            None if sequence == 0 && link.previous != GENESIS => {
                flaws.push(Flaw::Unchained { stream: stream(), sequence });
            }
            _ => {}
        }
        before = Some((sequence, link.hash));
    }
    flaws
}

/// Returns what the table's head of a stream says against it.
fn end(streams: &BTreeMap<StreamId, BTreeMap<u64, Link>>, head: &Head) -> Option<Flaw> {
    let stream = head.stream.clone();
    // A head of no records says nothing.
    let last = head.length.checked_sub(1)?;
    let links = streams.get(&stream);
    let found = links.and_then(|links| links.last_key_value()).map_or(0, |(last, _)| last + 1);
    if found < head.length {
        return Some(Flaw::Truncated { stream, found, known: head.length });
    }
    let link = links?.get(&last)?;
    (hex::encode(link.hash) != head.hash).then_some(Flaw::Replaced { stream })
}
