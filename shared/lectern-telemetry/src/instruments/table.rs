//! The instruments.

use super::{Instrument, Unit, counter, gauge, histogram};

/// Seconds of answers: the objectives are 3 s to the first token, 6 s for all, and 8 s wakes somebody.
const ANSWER_SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 15.0, 30.0];
/// Seconds of one call.
const CALL_SECONDS: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Milliseconds of retrieval: the objective is 500.
const SEARCH_MILLISECONDS: &[f64] =
    &[0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 3_000.0];
/// Milliseconds of generation: the objective is 5000.
const GENERATION_MILLISECONDS: &[f64] =
    &[50.0, 100.0, 250.0, 500.0, 1_000.0, 2_000.0, 3_000.0, 5_000.0, 8_000.0, 15_000.0, 30_000.0];
/// Seconds until a document is ready: the objective is 300.
const DOCUMENT_SECONDS: &[f64] =
    &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0];
/// Dollars of one answer: the objective is 0.01, the target 0.005.
const DOLLARS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1];
const SHARES: &[f64] = &[0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];
/// Buckets that the GenAI conventions ask for (`gen_ai.client.token.usage`).
const TOKENS: &[f64] =
    &[1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];
/// Buckets that the GenAI conventions ask for (`gen_ai.client.operation.duration`).
const MODEL_SECONDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/// Words of what is depended on.
const DEPENDENCIES: &[&str] = &["blobs", "chat", "embedder", "index", "queue", "reranker", "table"];

/// Time from a question to the end of its answer.
pub static QUERY_DURATION: Instrument = histogram(
    Unit::Seconds,
    "rag_query_duration_seconds",
    "Time from a question to the end of its answer; questions that failed are counted apart.",
    &["outcome", "cache"],
    ANSWER_SECONDS,
);
/// Time from a question to the first word of its answer.
pub static FIRST_TOKEN: Instrument = histogram(
    Unit::Seconds,
    "rag_first_token_seconds",
    "Time from a question to the first piece of its answer.",
    &[],
    ANSWER_SECONDS,
);
/// Questions that ended in an error.
pub static QUERY_ERRORS: Instrument =
    counter("rag_query_errors_total", "Questions that ended in an error, by its kind.", &["kind"])
        .apart(&["kind"]);
/// Questions that were refused because nothing supports an answer, or a guardrail kept it back.
pub static REFUSALS: Instrument = counter(
    "rag_refusals_total",
    "Questions nothing supports an answer to, or whose answer was kept back.",
    &["reason"],
)
.of(&[&["guardrail", "unsupported"]]);
/// Stages an answer had to do without.
pub static DEGRADED: Instrument =
    counter("rag_degraded_total", "Stages that answers had to do without.", &["stage"])
        .of(&[&["embed", "generate", "neighbours", "rerank"]])
        .apart(&["stage"]);
/// Tokens that were billed.
pub static TOKENS_USED: Instrument =
    counter("rag_tokens_used_total", "Tokens that providers bill.", &["kind"])
        .of(&[&["completion", "embedding", "prompt"]])
        .apart(&["kind"]);
/// What an answer cost.
pub static COST: Instrument = histogram(
    Unit::Dollars,
    "rag_cost_usd",
    "What a question cost at models, in US dollars.",
    &[],
    DOLLARS,
);
/// Time the index took.
pub static VECTOR_SEARCH: Instrument = histogram(
    Unit::Milliseconds,
    "rag_vector_search_latency_ms",
    "Finding and checking passages, without embedding the question.",
    &[],
    SEARCH_MILLISECONDS,
);
/// Time the model took.
pub static GENERATION: Instrument = histogram(
    Unit::Milliseconds,
    "rag_llm_generation_latency_ms",
    "The whole reply of the chat model.",
    &[],
    GENERATION_MILLISECONDS,
);
/// Share of an answer's sentences that a citation supports.
pub static SUPPORTED: Instrument = histogram(
    Unit::Ratio,
    "rag_citation_supported_ratio",
    "Share of an answer's sentences that its citations support.",
    &[],
    SHARES,
);
/// Questions being answered now.
pub static ACTIVE_SESSIONS: Instrument =
    gauge(Unit::Count, "rag_active_sessions", "Questions that are being answered now.");
/// What a cache had.
pub static CACHE_HITS: Instrument =
    counter("rag_cache_hits_total", "Looked up in a cache, there, and still true.", &["cache"])
        .apart(&["cache"]);
/// What a cache had not.
pub static CACHE_MISSES: Instrument =
    counter("rag_cache_misses_total", "Looked up in a cache and not there.", &["cache"])
        .apart(&["cache"]);
/// Time from a document's arrival to its answering questions, or its failure.
pub static DOCUMENT_PROCESSING: Instrument = histogram(
    Unit::Seconds,
    "rag_document_processing_seconds",
    "Time from a document's arrival until it answers questions, or is given up.",
    &["outcome"],
    DOCUMENT_SECONDS,
)
.apart(&["outcome"]);
/// Jobs that stopped and will be tried again.
pub static INGESTION_RETRIES: Instrument = counter(
    "rag_ingestion_retries_total",
    "Jobs of ingestion that stopped and are tried again.",
    &["kind"],
);
/// Age of the oldest job that nobody finished.
pub static QUEUE_AGE: Instrument = gauge(
    Unit::Seconds,
    "rag_queue_age_seconds",
    "How long the oldest document waits to be worked on.",
);
/// Age of the newest complete backup.
pub static BACKUP_AGE: Instrument =
    gauge(Unit::Seconds, "rag_backup_age_seconds", "How old the newest complete backup is.");
/// Age of the newest drill that succeeded.
pub static DRILL_AGE: Instrument = gauge(
    Unit::Seconds,
    "rag_drill_age_seconds",
    "How long ago a restoration drill last succeeded.",
);
/// Requests that were refused by a limit.
pub static LIMITED: Instrument = counter(
    "rag_limited_total",
    "Requests refused by a rate, a budget or the concurrency of a key.",
    &["limit"],
)
.of(&[&["budget", "load", "rate"]])
.apart(&["limit"]);
/// Starts of a function.
pub static COLD_STARTS: Instrument =
    counter("rag_cold_starts_total", "Processes that began to serve.", &[]);
/// Time of a request, as the OpenTelemetry conventions have it.
pub static HTTP_REQUEST: Instrument = histogram(
    Unit::Seconds,
    "http_server_request_duration_seconds",
    "Requests, from their head to the last byte of the response.",
    &["http_request_method", "http_route", "http_response_status_code"],
    ANSWER_SECONDS,
)
.apart(&["http_response_status_code"]);
/// Requests under way.
pub static HTTP_ACTIVE: Instrument =
    gauge(Unit::Count, "http_server_active_requests", "Requests that are being answered now.");
/// Calls of what is not a model.
pub static DEPENDENCY: Instrument = histogram(
    Unit::Seconds,
    "rag_dependency_duration_seconds",
    "Calls of the table, the index, the files and the queue.",
    &["dependency", "operation", "outcome"],
    CALL_SECONDS,
)
.apart(&["dependency", "outcome"]);
/// Turns of circuit breakers.
pub static CIRCUIT: Instrument = counter(
    "rag_circuit_total",
    "Dependencies that are not called for a while (opened), calls not made meanwhile (refused), and their return (closed).",
    &["dependency", "event"],
)
.of(&[DEPENDENCIES, &["closed", "opened", "refused"]])
.apart(&["dependency", "event"]);
/// Calls of models that were made once more.
pub static MODEL_RETRIES: Instrument = counter(
    "rag_model_retries_total",
    "Calls of models that failed and were made once more, by how they failed; whoever asked may never hear of it.",
    &["dependency", "kind"],
)
.of(&[&["chat", "embedder", "reranker"], &["rate_limited", "timeout", "unavailable"]])
.apart(&["dependency", "kind"]);
/// Calls of models, as the GenAI conventions have it.
pub static MODEL_CALL: Instrument = histogram(
    Unit::Seconds,
    "gen_ai_client_operation_duration_seconds",
    "Calls of models, to the last token.",
    &["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"],
    MODEL_SECONDS,
)
.apart(&["gen_ai_operation_name", "error_type"]);
/// Time to a model's first token, as the GenAI conventions have it.
pub static MODEL_FIRST_TOKEN: Instrument = histogram(
    Unit::Seconds,
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "From sending a prompt to the first piece of the reply.",
    &["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"],
    MODEL_SECONDS,
)
.apart(&[]);
/// Tokens of one call, as the GenAI conventions have it.
pub static MODEL_TOKENS: Instrument = histogram(
    Unit::Count,
    "gen_ai_client_token_usage",
    "Tokens of one call of a model.",
    &["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type"],
    TOKENS,
)
.apart(&["gen_ai_token_type"]);

/// All of them.
pub static ALL: [&Instrument; 28] = [
    &QUERY_DURATION,
    &FIRST_TOKEN,
    &QUERY_ERRORS,
    &REFUSALS,
    &DEGRADED,
    &TOKENS_USED,
    &COST,
    &VECTOR_SEARCH,
    &GENERATION,
    &SUPPORTED,
    &ACTIVE_SESSIONS,
    &CACHE_HITS,
    &CACHE_MISSES,
    &DOCUMENT_PROCESSING,
    &INGESTION_RETRIES,
    &QUEUE_AGE,
    &BACKUP_AGE,
    &DRILL_AGE,
    &LIMITED,
    &COLD_STARTS,
    &HTTP_REQUEST,
    &HTTP_ACTIVE,
    &DEPENDENCY,
    &CIRCUIT,
    &MODEL_RETRIES,
    &MODEL_CALL,
    &MODEL_FIRST_TOKEN,
    &MODEL_TOKENS,
];
