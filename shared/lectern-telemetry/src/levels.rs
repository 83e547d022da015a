//! Service levels: of what is measured, how much was good, and how much must be (Google, *Site Reliability Engineering*,
//! chapter 4). One definition: `/v1/status`, dashboards, alarms and their tests read this table.
//!
//! Each is a share of good events, so that a window's error budget is a count: of 200 answers with an objective of 95 % ten
//! may be late.

use crate::instruments::{
    COST, DOCUMENT_PROCESSING, FIRST_TOKEN, GENERATION, HTTP_REQUEST, Instrument, Pair,
    QUERY_DURATION, VECTOR_SEARCH,
};

/// Which events are good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Good {
    /// Those of at most this value; it is a bound of the instrument's buckets.
    AtMost(f64),
    /// Those whose label begins with none of these.
    Without {
        /// Which label.
        label: &'static str,
        /// Begins of the values of bad events.
        bad: &'static [&'static str],
    },
}

/// One objective.
#[derive(Debug, PartialEq)]
pub struct Level {
    /// Its name in JSON, dashboards and alarms.
    pub name: &'static str,
    /// What it promises, for a person.
    pub promise: &'static str,
    /// What is counted.
    pub instrument: &'static Instrument,
    /// Which of it is good.
    pub good: Good,
    /// Share that must be good, 0 to 1.
    pub objective: f64,
}

impl Level {
    /// Whether an event is good.
    #[must_use]
    pub fn is_good(&self, value: f64, labels: &[Pair]) -> bool {
        match self.good {
            Good::AtMost(bound) => value <= bound,
            Good::Without { label, bad } => {
                let found = labels.iter().find(|(name, _)| *name == label);
                found.is_none_or(|(_, value)| !bad.iter().any(|begin| value.starts_with(begin)))
            }
        }
    }
}

/// Responses that are no server error: 99.5 % of a month.
pub static AVAILABILITY: Level = Level {
    name: "availability",
    promise: "99.5 % of requests are answered without a server error",
    instrument: &HTTP_REQUEST,
    good: Good::Without { label: "http_response_status_code", bad: &["5"] },
    objective: 0.995,
};
/// Answers that begin within 3 s.
pub static FIRST_TOKEN_LEVEL: Level = Level {
    name: "first_token",
    promise: "95 % of answers begin within 3 s",
    instrument: &FIRST_TOKEN,
    good: Good::AtMost(3.0),
    objective: 0.95,
};
/// Answers that are complete within 6 s.
pub static ANSWER: Level = Level {
    name: "answer",
    promise: "95 % of answers are complete within 6 s",
    instrument: &QUERY_DURATION,
    good: Good::AtMost(6.0),
    objective: 0.95,
};
/// Passages that are found within 500 ms.
pub static RETRIEVAL: Level = Level {
    name: "retrieval",
    promise: "95 % of retrievals take at most 500 ms",
    instrument: &VECTOR_SEARCH,
    good: Good::AtMost(500.0),
    objective: 0.95,
};
/// Replies of the model that are complete within 5 s.
pub static GENERATION_LEVEL: Level = Level {
    name: "generation",
    promise: "95 % of the replies of models take at most 5 s",
    instrument: &GENERATION,
    good: Good::AtMost(5_000.0),
    objective: 0.95,
};
/// Documents that are ready, or given up, within 5 min.
pub static DOCUMENT_TIME: Level = Level {
    name: "document_time",
    promise: "95 % of documents answer questions within 5 min",
    instrument: &DOCUMENT_PROCESSING,
    good: Good::AtMost(300.0),
    objective: 0.95,
};
/// Documents that become ready.
pub static DOCUMENT_SUCCESS: Level = Level {
    name: "document_success",
    promise: "98 % of documents become ready",
    instrument: &DOCUMENT_PROCESSING,
    good: Good::Without { label: "outcome", bad: &["failed"] },
    objective: 0.98,
};
/// Questions that cost less than a cent.
pub static COST_LEVEL: Level = Level {
    name: "cost",
    promise: "95 % of questions cost at most $0.01",
    instrument: &COST,
    good: Good::AtMost(0.01),
    objective: 0.95,
};

/// All of them.
pub static ALL: [&Level; 8] = [
    &AVAILABILITY,
    &FIRST_TOKEN_LEVEL,
    &ANSWER,
    &RETRIEVAL,
    &GENERATION_LEVEL,
    &DOCUMENT_TIME,
    &DOCUMENT_SUCCESS,
    &COST_LEVEL,
];

/// What happened in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Events.
    pub total: f64,
    /// Good ones.
    pub good: f64,
}

impl Tally {
    /// Returns the share that was good; 1 where nothing happened.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.total > 0.0 { self.good / self.total } else { 1.0 }
    }

    /// Returns how much of the error budget is left: 1 for all of it, 0 for none, less than that where more was spent than
    /// there was.
    #[must_use]
    pub fn budget_left(&self, objective: f64) -> f64 {
        1.0 - (1.0 - self.share()) / (1.0 - objective)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_objective_is_a_bound_of_a_bucket_or_a_label_of_its_instrument() {
        let names: BTreeSet<&str> = ALL.iter().map(|level| level.name).collect();
        assert_eq!(names.len(), ALL.len());
        for level in ALL {
            let Instrument { buckets, labels, dimensions, .. } = level.instrument;
            match level.good {
                Good::AtMost(bound) => assert!(buckets.contains(&bound), "{}", level.name),
                // On CloudWatch good is told from bad by a dimension.
                Good::Without { label, .. } => {
                    assert!(
                        labels.contains(&label) && dimensions.contains(&label),
                        "{}",
                        level.name
                    );
                }
            }
            assert!((0.5..1.0).contains(&level.objective), "{}", level.name);
        }
    }

    #[test]
    fn good_is_told_from_bad() {
        let status = |code| [("http_response_status_code", code)];
        assert!(AVAILABILITY.is_good(9.0, &status("404")));
        assert!(!AVAILABILITY.is_good(0.1, &status("503")));
        assert!(ANSWER.is_good(6.0, &[]) && !ANSWER.is_good(6.001, &[]));
    }

    #[test]
    fn a_budget_is_spent_event_by_event() {
        let left = |good| Tally { total: 200.0, good }.budget_left(0.95);
        for (good, expected) in [(200.0, 1.0), (195.0, 0.5), (190.0, 0.0), (180.0, -1.0)] {
            assert!((left(good) - expected).abs() < 1e-9, "{good}");
        }
        assert!((Tally::default().budget_left(0.95) - 1.0).abs() < 1e-9, "nothing happened");
    }
}
