//! What the dashboards show: one definition for Grafana and CloudWatch.

use lectern_telemetry::{
    instruments::{
        ACTIVE_SESSIONS, BACKUP_AGE, CACHE_HITS, CACHE_MISSES, CIRCUIT, COST, DEGRADED, DEPENDENCY,
        DOCUMENT_PROCESSING, DRILL_AGE, FIRST_TOKEN, GENERATION, HTTP_REQUEST, INGESTION_RETRIES,
        Instrument, LIMITED, MODEL_CALL, MODEL_RETRIES, MODEL_TOKENS, QUERY_DURATION, QUERY_ERRORS,
        QUEUE_AGE, REFUSALS, SUPPORTED, TOKENS_USED, VECTOR_SEARCH,
    },
    levels::{self, Good, Level},
};

/// What a panel shows of an instrument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shows {
    /// Events a second, by a label where there is one.
    Rate(Option<&'static str>),
    /// The 50th, 95th and 99th percentile.
    Percentiles,
    /// The 95th percentile, by a label.
    Slowest(&'static str),
    /// The sum of values in an hour, by a label where there is one.
    Sum(Option<&'static str>),
    /// The last value.
    Last,
    /// The mean of values.
    Mean,
}

/// A panel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Panel {
    /// How a promise is kept.
    Kept(&'static Level),
    /// What is measured.
    Of { title: &'static str, instrument: &'static Instrument, shows: Shows },
}

/// A dashboard: for whom, what it is called, its panels.
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) panels: Vec<Panel>,
}

/// Columns of a dashboard, for Grafana and for CloudWatch.
const COLUMNS: usize = 24;
/// Most promises in a row: their titles are sentences.
const PROMISES: usize = 2;
/// Panels of what is measured in a row.
const MEASURED: usize = 3;

/// Where a panel stands, in columns and rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Board {
    /// Returns the panels and where they stand: promises first, as high as `kept`, then what is measured, as high as `measured`.
    pub(crate) fn placed(&self, kept: usize, measured: usize) -> Vec<(Place, Panel)> {
        let promises = self.panels.iter().take_while(|panel| panel.is_kept()).count();
        let below = promises.div_ceil(PROMISES) * kept;
        let place = |at: usize, in_row: usize, height: usize| {
            let width = COLUMNS / in_row;
            Place { x: at % in_row * width, y: at / in_row * height, width, height }
        };
        let placed = self.panels.iter().enumerate().map(|(at, panel)| {
            let place = if at < promises {
                place(at, promises.min(PROMISES), kept)
            } else {
                let place = place(at - promises, MEASURED, measured);
                Place { y: below + place.y, ..place }
            };
            (place, *panel)
        });
        placed.collect()
    }
}

impl Panel {
    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

/// Returns what a service level asks of the percentiles of an instrument, to be drawn beside them.
pub(crate) fn bound(instrument: &Instrument, shows: Shows) -> Option<f64> {
    if !matches!(shows, Shows::Percentiles) {
        return None;
    }
    levels::ALL.iter().find_map(|level| match level.good {
        Good::AtMost(bound) if level.instrument == instrument => Some(bound),
        _ => None,
    })
}

const fn of(title: &'static str, instrument: &'static Instrument, shows: Shows) -> Panel {
    Panel::Of { title, instrument, shows }
}

/// Returns the dashboards.
pub(crate) fn boards() -> Vec<Board> {
    use Shows::{Last, Mean, Percentiles, Rate, Slowest, Sum};
    let kept = |level: &'static Level| Panel::Kept(level);
    vec![
        Board {
            name: "on-call",
            title: "Lectern: on call",
            panels: vec![
                kept(&levels::AVAILABILITY),
                kept(&levels::FIRST_TOKEN_LEVEL),
                kept(&levels::ANSWER),
                kept(&levels::DOCUMENT_SUCCESS),
                of("Requests by status", &HTTP_REQUEST, Rate(Some("http_response_status_code"))),
                of("Questions that failed, by kind", &QUERY_ERRORS, Rate(Some("kind"))),
                of("Refused by a limit", &LIMITED, Rate(Some("limit"))),
                of("Answer: first piece", &FIRST_TOKEN, Percentiles),
                of("Answer: complete", &QUERY_DURATION, Percentiles),
                of("Questions being answered", &ACTIVE_SESSIONS, Last),
                of("Stage: retrieval", &VECTOR_SEARCH, Percentiles),
                of("Stage: generation", &GENERATION, Percentiles),
                of("Stages done without", &DEGRADED, Rate(Some("stage"))),
                of("Calls of dependencies, by outcome", &DEPENDENCY, Rate(Some("outcome"))),
                of("Circuit breakers", &CIRCUIT, Rate(Some("event"))),
                of("Time of dependencies (p95)", &DEPENDENCY, Slowest("dependency")),
                of("Calls of models, by outcome", &MODEL_CALL, Rate(Some("error_type"))),
                of("Calls of models made once more", &MODEL_RETRIES, Rate(Some("dependency"))),
                of("Documents, by outcome", &DOCUMENT_PROCESSING, Rate(Some("outcome"))),
                of("Ingestion tried again", &INGESTION_RETRIES, Rate(None)),
                of("Oldest waiting document", &QUEUE_AGE, Last),
                of("Age of the newest backup", &BACKUP_AGE, Last),
                of("Age of the last drill", &DRILL_AGE, Last),
            ],
        },
        Board {
            name: "product",
            title: "Lectern: product",
            panels: vec![
                kept(&levels::ANSWER),
                kept(&levels::DOCUMENT_TIME),
                of("Questions", &QUERY_DURATION, Rate(None)),
                of("Refusals, by reason", &REFUSALS, Rate(Some("reason"))),
                of("Sentences that citations support (mean share)", &SUPPORTED, Mean),
                of("Answer: first piece", &FIRST_TOKEN, Percentiles),
                of("Had in a cache", &CACHE_HITS, Rate(Some("cache"))),
                of("Not in a cache", &CACHE_MISSES, Rate(Some("cache"))),
                of("Documents, by outcome", &DOCUMENT_PROCESSING, Rate(Some("outcome"))),
                of("Time until a document is ready", &DOCUMENT_PROCESSING, Percentiles),
            ],
        },
        Board {
            name: "cost",
            title: "Lectern: cost",
            panels: vec![
                kept(&levels::COST_LEVEL),
                of("Dollars an hour", &COST, Sum(None)),
                of("Dollars a question (mean)", &COST, Mean),
                of("Tokens of questions, by kind", &TOKENS_USED, Rate(Some("kind"))),
                of(
                    "Tokens of all calls an hour, by type",
                    &MODEL_TOKENS,
                    Sum(Some("gen_ai_token_type")),
                ),
                of("Refused by a limit", &LIMITED, Rate(Some("limit"))),
            ],
        },
    ]
}

#[test]
fn every_measurement_is_on_a_board_or_named_as_not() {
    use lectern_telemetry::instruments::ALL;
    // Counted for searches, not to be looked at.
    const ELSEWHERE: [&str; 3] = [
        "rag_cold_starts_total",
        "http_server_active_requests",
        "gen_ai_client_operation_time_to_first_chunk_seconds",
    ];
    let boards = boards();
    let shown: Vec<&str> = boards
        .iter()
        .flat_map(|board| &board.panels)
        .map(|panel| match panel {
            Panel::Kept(level) => level.instrument.name,
            Panel::Of { instrument, .. } => instrument.name,
        })
        .collect();
    for instrument in ALL {
        let name = instrument.name;
        assert!(shown.contains(&name) != ELSEWHERE.contains(&name), "{name}");
    }
}

#[test]
fn panels_stand_beside_each_other_and_below_but_never_on_each_other() {
    for board in boards() {
        let placed = board.placed(4, 7);
        assert_eq!(placed.len(), board.panels.len());
        let mut taken = std::collections::BTreeSet::new();
        for (place, _) in &placed {
            assert!(place.x + place.width <= COLUMNS, "{} {place:?}", board.name);
            for x in place.x..place.x + place.width {
                for y in place.y..place.y + place.height {
                    assert!(taken.insert((x, y)), "{} {place:?}", board.name);
                }
            }
        }
        let promises = board.panels.iter().filter(|panel| panel.is_kept()).count();
        assert!(placed[..promises].iter().all(|(_, panel)| panel.is_kept()), "{}", board.name);
    }
}

#[test]
fn percentiles_stand_beside_what_is_promised_of_them() {
    assert_eq!(bound(&QUERY_DURATION, Shows::Percentiles), Some(6.0));
    assert_eq!(bound(&QUERY_DURATION, Shows::Rate(None)), None);
    assert_eq!(bound(&DEPENDENCY, Shows::Percentiles), None);
}
