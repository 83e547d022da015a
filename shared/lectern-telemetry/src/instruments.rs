//! What is measured. One definition: recorders, `/metrics`, dashboards, alarms and their tests read this table.
//!
//! Names are those of the service levels (`rag_…`), of the OpenTelemetry semantic conventions for HTTP servers
//! (`http.server.…`, v1.43) and for generative AI (`gen_ai.…`), with the dots and units as Prometheus writes them
//! (OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility").

mod table;

use metrics::{Key, Label, Level, Metadata, with_recorder};

pub use self::table::*;

use crate::{lines, windows};

/// What an instrument does with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Adds it up.
    Counter,
    /// Keeps the last.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// US dollars.
    Dollars,
    /// Milliseconds.
    Milliseconds,
    /// A share, 0 to 1.
    Ratio,
    /// Seconds.
    Seconds,
}

/// One of the things that are measured.
#[derive(Debug, PartialEq)]
pub struct Instrument {
    /// Its name, the same in Prometheus, CloudWatch and dashboards.
    pub name: &'static str,
    /// What it does with a number.
    pub kind: Kind,
    /// What a number counts.
    pub unit: Unit,
    /// What it says, for a person.
    pub help: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Those of them that CloudWatch keeps apart: each combination is a metric that is paid for.
    pub dimensions: &'static [&'static str],
    /// Of each label all values it may have, where they are known beforehand: what is counted then begins at 0.
    pub words: &'static [&'static [&'static str]],
    /// Upper bounds of a histogram's buckets; objectives are among them.
    pub buckets: &'static [f64],
}

/// A label and its value, one of a fixed set of words; see [`crate::labels`].
pub type Pair = (&'static str, &'static str);

static METADATA: Metadata<'static> = Metadata::new("lectern", Level::INFO, None);

impl Instrument {
    /// Adds to a counter.
    pub fn add(&self, by: u64, labels: &[Pair]) {
        debug_assert!(
            self.kind == Kind::Counter && self.takes(labels),
            "{}: {labels:?}",
            self.name
        );
        let key = self.key(labels);
        with_recorder(|recorder| recorder.register_counter(&key, &METADATA).increment(by));
    }

    /// Records a value of a histogram.
    pub fn record(&self, value: f64, labels: &[Pair]) {
        debug_assert!(
            self.kind == Kind::Histogram && self.takes(labels),
            "{}: {labels:?}",
            self.name
        );
        self.sample(value, labels);
    }

    /// Sets a gauge.
    pub fn set(&self, value: f64, labels: &[Pair]) {
        debug_assert!(self.kind == Kind::Gauge && self.takes(labels), "{}: {labels:?}", self.name);
        if lines::are_written() {
            // A line says what was seen once. Kept as a gauge it would be said again with every line, however old.
            return self.sample(value, labels);
        }
        let key = self.key(labels);
        with_recorder(|recorder| recorder.register_gauge(&key, &METADATA).set(value));
    }

    /// Adds to a gauge until what is returned is dropped. Lines have none: a function takes one request at a time.
    #[must_use]
    pub fn while_held(&self, labels: &[Pair]) -> Held {
        debug_assert!(self.kind == Kind::Gauge && self.takes(labels), "{}: {labels:?}", self.name);
        if lines::are_written() {
            return Held(None);
        }
        let key = self.key(labels);
        let gauge = with_recorder(|recorder| recorder.register_gauge(&key, &METADATA));
        gauge.increment(1.0);
        Held(Some(gauge))
    }

    fn sample(&self, value: f64, labels: &[Pair]) {
        let key = self.key(labels);
        with_recorder(|recorder| recorder.register_histogram(&key, &METADATA).record(value));
        windows::event(self, value, labels);
        lines::sampled();
    }

    fn key(&self, labels: &[Pair]) -> Key {
        let all = !lines::are_written();
        let kept = labels.iter().filter(|(name, _)| all || self.dimensions.contains(name));
        let kept = kept.map(|&(name, value)| Label::from_static_parts(name, value));
        Key::from_parts(self.name, kept.collect::<Vec<Label>>())
    }

    /// Whether these are its labels, in its order, with values that are known where all are.
    fn takes(&self, labels: &[Pair]) -> bool {
        let mut known = labels.iter().zip(self.words);
        labels.iter().map(|(name, _)| *name).eq(self.labels.iter().copied())
            && known.all(|((_, value), words)| words.contains(value))
    }

    /// Returns each combination of the values its labels may have; none where they are not known.
    fn combinations(&self) -> Vec<Vec<Pair>> {
        if self.words.len() != self.labels.len() {
            return Vec::new();
        }
        self.labels.iter().zip(self.words).fold(vec![Vec::new()], |begun, (name, words)| {
            let each = begun.iter().flat_map(|pairs| {
                words.iter().map(move |word| [pairs.as_slice(), &[(*name, *word)]].concat())
            });
            each.collect()
        })
    }
}

/// Something that is under way, counted by a gauge.
pub struct Held(Option<metrics::Gauge>);

impl std::fmt::Debug for Held {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Held")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(gauge) = &self.0 {
            gauge.decrement(1.0);
        }
    }
}

const fn instrument(
    kind: Kind,
    unit: Unit,
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
) -> Instrument {
    Instrument { name, kind, unit, help, labels, dimensions: &[], words: &[], buckets: &[] }
}

const fn counter(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
) -> Instrument {
    instrument(Kind::Counter, Unit::Count, name, help, labels)
}

const fn gauge(unit: Unit, name: &'static str, help: &'static str) -> Instrument {
    instrument(Kind::Gauge, unit, name, help, &[])
}

const fn histogram(
    unit: Unit,
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    buckets: &'static [f64],
) -> Instrument {
    Instrument { buckets, ..instrument(Kind::Histogram, unit, name, help, labels) }
}

impl Instrument {
    /// Returns it with all values its labels may have.
    const fn of(mut self, words: &'static [&'static [&'static str]]) -> Self {
        self.words = words;
        self
    }

    /// Returns it with those of its labels that CloudWatch keeps apart.
    const fn apart(mut self, dimensions: &'static [&'static str]) -> Self {
        self.dimensions = dimensions;
        self
    }
}

/// Returns the instrument of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Instrument> {
    ALL.into_iter().find(|instrument| instrument.name == name)
}

/// Tells the recorder what each instrument means. Call it once, when the recorder is there.
pub fn describe() {
    with_recorder(|recorder| {
        for instrument in ALL {
            let (name, help) = (instrument.name.into(), instrument.help.into());
            let unit = match instrument.unit {
                Unit::Count => Some(metrics::Unit::Count),
                Unit::Milliseconds => Some(metrics::Unit::Milliseconds),
                Unit::Seconds => Some(metrics::Unit::Seconds),
                // What neither Prometheus nor CloudWatch has a word for.
                Unit::Dollars | Unit::Ratio => None,
            };
            match instrument.kind {
                Kind::Counter => recorder.describe_counter(name, unit, help),
                Kind::Gauge => recorder.describe_gauge(name, unit, help),
                Kind::Histogram => recorder.describe_histogram(name, unit, help),
            }
        }
    });
}

/// Begins counters at 0 whose labels' values are known. Prometheus asks by how much a series grew, and one that is not there
/// until something happens seems never to have grown: the first failure of a kind would ring nobody. Call it once, when the
/// recorder is there.
pub fn begin_at_zero() {
    let counters = ALL.into_iter().filter(|instrument| instrument.kind == Kind::Counter);
    for instrument in counters {
        for labels in instrument.combinations() {
            let key = instrument.key(&labels);
            with_recorder(|recorder| recorder.register_counter(&key, &METADATA).increment(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them() {
        let names: BTreeSet<&str> = ALL.iter().map(|instrument| instrument.name).collect();
        assert_eq!(names.len(), ALL.len(), "a name stands twice");
        for instrument in ALL {
            let Instrument { name, kind, labels, dimensions, words, buckets, .. } = instrument;
            let plain =
                |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(plain(name) && labels.iter().all(|label| plain(label)), "{name}");
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(*kind == Kind::Histogram, !buckets.is_empty(), "{name}");
            assert!(buckets.is_sorted_by(|one, next| one < next), "{name}");
            assert!(dimensions.iter().all(|dimension| labels.contains(dimension)), "{name}");
            assert!(words.is_empty() || words.len() == labels.len(), "{name}");
            assert!(instrument.help.ends_with('.') && named(name) == Some(instrument), "{name}");
        }
    }

    #[test]
    fn what_is_recorded_arrives_under_its_name_and_labels() {
        let recorder = DebuggingRecorder::new();
        let snapshots = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || {
            QUERY_ERRORS.add(2, &[("kind", "timeout")]);
            FIRST_TOKEN.record(0.5, &[]);
            QUEUE_AGE.set(3.0, &[]);
            let held = ACTIVE_SESSIONS.while_held(&[]);
            drop((ACTIVE_SESSIONS.while_held(&[]), ()));
            std::mem::forget(held);
        });
        let mut found: Vec<(String, DebugValue)> = snapshots
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, _, _, value)| (key.key().to_string(), value))
            .collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(
            found,
            [
                ("Key(rag_active_sessions)".to_owned(), DebugValue::Gauge(1.0.into())),
                (
                    "Key(rag_first_token_seconds)".to_owned(),
                    DebugValue::Histogram(vec![0.5.into()])
                ),
                (
                    "Key(rag_query_errors_total, [kind = timeout])".to_owned(),
                    DebugValue::Counter(2)
                ),
                ("Key(rag_queue_age_seconds)".to_owned(), DebugValue::Gauge(3.0.into())),
            ]
        );
    }

    #[test]
    fn what_may_be_counted_begins_at_zero() {
        let recorder = DebuggingRecorder::new();
        let snapshots = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, begin_at_zero);
        let found: BTreeSet<String> = snapshots
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, _, _, value)| {
                assert_eq!(value, DebugValue::Counter(0), "{}", key.key());
                key.key().to_string()
            })
            .collect();
        for key in [
            "Key(rag_cold_starts_total)",
            "Key(rag_degraded_total, [stage = rerank])",
            "Key(rag_circuit_total, [dependency = index, event = opened])",
        ] {
            assert!(found.contains(key), "{key}: {found:?}");
        }
    }

    #[test]
    #[should_panic(expected = "rag_circuit_total")]
    fn a_word_that_was_forgotten_is_found_by_a_test() {
        CIRCUIT.add(1, &[("dependency", "index"), ("event", "burnt")]);
    }
}
