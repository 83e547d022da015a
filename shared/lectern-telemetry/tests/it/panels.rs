//! What the dashboards show: one definition for Grafana and CloudWatch.

use lectern_telemetry::{
    instruments::{
        ACTIVE_SESSIONS, BACKUP_AGE, CACHE_HITS, CACHE_MISSES, COST, DEGRADED, DEPENDENCY,
        DOCUMENT_PROCESSING, DRILL_AGE, FIRST_TOKEN, GENERATION, HTTP_REQUEST, INGESTION_RETRIES,
        Instrument, LIMITED, MODEL_CALL, MODEL_TOKENS, QUERY_DURATION, QUERY_ERRORS, QUEUE_AGE,
        REFUSALS, SUPPORTED, TOKENS_USED, VECTOR_SEARCH,
    },
    levels::{self, Level},
};

/// What a panel shows of an instrument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shows {
    /// Events a second, by a label where there is one.
    Rate(Option<&'static str>),
    /// The 50th, 95th and 99th percentile.
    Percentiles,
    /// The sum of values in a stretch, by a label where there is one.
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

const fn of(title: &'static str, instrument: &'static Instrument, shows: Shows) -> Panel {
    Panel::Of { title, instrument, shows }
}

/// Returns the dashboards.
pub(crate) fn boards() -> Vec<Board> {
    use Shows::{Last, Mean, Percentiles, Rate, Sum};
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
                of("Answer: first piece", &FIRST_TOKEN, Percentiles),
                of("Answer: complete", &QUERY_DURATION, Percentiles),
                of("Stage: retrieval (ms)", &VECTOR_SEARCH, Percentiles),
                of("Stage: generation (ms)", &GENERATION, Percentiles),
                of("Calls of dependencies, by outcome", &DEPENDENCY, Rate(Some("outcome"))),
                of("Time of dependencies", &DEPENDENCY, Percentiles),
                of("Calls of models, by outcome", &MODEL_CALL, Rate(Some("error_type"))),
                of("Stages done without", &DEGRADED, Rate(Some("stage"))),
                of("Oldest waiting document (s)", &QUEUE_AGE, Last),
                of("Ingestion tried again", &INGESTION_RETRIES, Rate(None)),
                of("Refused by a limit", &LIMITED, Rate(Some("limit"))),
                of("Questions being answered", &ACTIVE_SESSIONS, Last),
                of("Age of the newest backup (s)", &BACKUP_AGE, Last),
                of("Age of the last drill (s)", &DRILL_AGE, Last),
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
                of("Dollars", &COST, Sum(None)),
                of("Dollars a question (mean)", &COST, Mean),
                of("Tokens, by kind", &TOKENS_USED, Rate(Some("kind"))),
                of("Tokens a call, by type", &MODEL_TOKENS, Sum(Some("gen_ai_token_type"))),
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
