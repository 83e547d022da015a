//! Where log lines and spans go.
//!
//! | module | feature | sends spans |
//! |---|---|---|
//! | [`traces`] | | nowhere, or where a setting says |
//! | `xray` | `lambda` | to the daemon of AWS X-Ray beside the function |

pub mod traces;
#[cfg(feature = "lambda")]
mod xray;

use std::{
    io::IsTerminal as _,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt as _,
};

pub use self::traces::Traces;

/// Level of everything that says nothing else.
pub const DEFAULT_LEVELS: &str =
    "info,h2=warn,hyper=warn,tower=warn,aws=warn,segment=warn,shard=warn";
/// Crates of the functions and of the process.
const OURS: [&str; 9] =
    ["admin", "backup", "health", "ingest", "lectern", "local", "query", "site", "upload"];
/// What the names of all other crates of Lectern begin with.
const OURS_BEGIN: &str = "lectern_";
/// Longest levels that an operator may ask for.
const MAX_WANTED_BYTES: usize = 256;
/// What a sampled request adds: its span says whether it is one.
const SAMPLED: &str = "[request{sampled=true}]=debug";

/// Changes the levels of a running process.
type Reload = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

/// How long the last spans may take.
const LAST_SPANS: Duration = Duration::from_secs(2);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();
static RELOAD: OnceLock<Reload> = OnceLock::new();
/// Levels of the start.
static LEVELS: OnceLock<String> = OnceLock::new();
/// Share of requests whose debug lines are written, as the bits of an `f64`.
static SAMPLE: AtomicU64 = AtomicU64::new(0);

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line; fields of the spans around it stand beside its own.
    Json,
    /// For people at a terminal.
    Text,
}

impl Format {
    /// Returns `Text` at a terminal, `Json` elsewhere.
    #[must_use]
    pub fn for_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// What is written and sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// `LECTERN_STACK`: name of the deployment, which stands at its metrics on AWS.
    pub stack: String,
    /// `LECTERN_LOG`: levels in the syntax of `EnvFilter`; [`DEFAULT_LEVELS`] without.
    pub levels: Option<String>,
    /// `LECTERN_LOG_SAMPLE`: share of requests, 0 to 1, whose debug lines are written all the same.
    pub sample: f64,
    /// `LECTERN_TRACES`: where spans go.
    pub traces: Traces,
}

/// Sends log lines to standard error, and spans where they should go. Call it once, in `main`; a second call changes nothing.
/// Levels that cannot be read fall back to [`DEFAULT_LEVELS`].
pub fn init(format: Format, service: &'static str, telemetry: &Telemetry) {
    SAMPLE.store(telemetry.sample.to_bits(), Ordering::Relaxed);
    let levels = telemetry.levels.as_deref().unwrap_or(DEFAULT_LEVELS);
    let (levels, filter) = match filter(levels) {
        Some(filter) => (levels, filter),
        None => (DEFAULT_LEVELS, EnvFilter::new(DEFAULT_LEVELS)),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let is_sampling = sampled() > 0.0;
    let filter = filter.and(filter_fn(move |of| is_line_of(of, is_sampling)));
    let lines = match format {
        Format::Json => json().with_filter(filter).boxed(),
        Format::Text => fmt::layer()
            .compact()
            .with_target(false)
            .with_writer(std::io::stderr)
            .with_filter(filter)
            .boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines);
    let (provider, problem, spans) = traces::layer(service, &telemetry.traces);
    if registry.with(spans).try_init().is_ok() {
        let _ = PROVIDER.set(provider);
        let _ = LEVELS.set(levels.to_owned());
        let _ = RELOAD.set(Box::new(move |filter| handle.reload(filter).is_ok()));
        if let Some(error) = problem {
            tracing::warn!(error, "spans go nowhere: correct LECTERN_TRACES");
        }
    }
}

/// Returns the levels of the start, [`DEFAULT_LEVELS`] where nothing writes lines.
pub(crate) fn levels() -> &'static str {
    LEVELS.get().map_or(DEFAULT_LEVELS, String::as_str)
}

/// Sends the spans that wait. For the end of a process; what is not sent within [`LAST_SPANS`] is lost.
pub fn finish() {
    if let Some(provider) = PROVIDER.get() {
        let _ = provider.shutdown_with_timeout(LAST_SPANS);
    }
}

/// Writes lines of other levels from now on.
///
/// # Errors
/// When they cannot be read, or nothing writes lines.
pub fn set_levels(levels: &str) -> Result<(), &'static str> {
    let filter = filter(levels).ok_or("levels look like `info,lectern_app=debug`")?;
    let reload = RELOAD.get().ok_or("nothing writes log lines")?;
    if reload(filter) { Ok(()) } else { Err("nothing writes log lines any more") }
}

/// Whether these levels let lines of `level` be written by the module `target`; `None` where they cannot be read, or say more
/// than levels of modules.
#[must_use]
pub fn writes(levels: &str, target: &str, level: tracing::Level) -> Option<bool> {
    // `[span{field}]` would be read as the name of a module.
    if levels.contains('[') {
        return None;
    }
    let targets: tracing_subscriber::filter::Targets = levels.parse().ok()?;
    Some(targets.would_enable(target, &level))
}

/// Whether an operator may ask a deployment for these levels: more lines of Lectern's own modules, and no others. What other crates
/// write in debug lines is redacted by nobody, and fewer lines would hide what is done.
///
/// Read here, word by word, and not by a parser of levels: those differ in what an empty level is.
///
/// # Errors
/// With what they must be.
pub fn check_wanted(levels: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    let is_fine = |wanted: &str| match wanted.split_once('=') {
        Some((module, level)) => {
            let crate_name = module.split("::").next().unwrap_or_default();
            is_ours(crate_name)
                && module.bytes().all(is_plain)
                && ["info", "debug", "trace"].contains(&level)
        }
        None => wanted == "info",
    };
    if levels.len() <= MAX_WANTED_BYTES
        && levels.split(',').all(is_fine)
        && EnvFilter::try_new(levels).is_ok()
    {
        return Ok(());
    }
    Err(
        "must be `info`, or levels of Lectern's modules, `lectern=debug,query=trace`: info, debug or trace, without spaces",
    )
}

/// Returns the share of requests whose debug lines are written.
pub(crate) fn sampled() -> f64 {
    f64::from_bits(SAMPLE.load(Ordering::Relaxed))
}

/// Whether something may be a line, or stand on lines. Spans of stages and calls stand on none: each line has the fields of the
/// request, and would have those of all stages around it, under one name. A sampled request has debug lines of ours only.
fn is_line_of(of: &Metadata<'_>, is_sampling: bool) -> bool {
    let is_ours = || is_ours(of.target().split("::").next().unwrap_or_default());
    *of.level() <= Level::INFO || (of.is_event() && (!is_sampling || is_ours()))
}

fn is_ours(crate_name: &str) -> bool {
    OURS.contains(&crate_name) || crate_name.starts_with(OURS_BEGIN)
}

fn filter(levels: &str) -> Option<EnvFilter> {
    let sampled = if sampled() > 0.0 { format!("{levels},{SAMPLED}") } else { levels.to_owned() };
    EnvFilter::try_new(sampled).ok()
}

/// Returns what [`init`] would install for JSON lines of [`DEFAULT_LEVELS`], with the lines going nowhere and every span made and
/// thrown away, or not made where its trace is not sampled: for measuring what that costs.
#[must_use]
pub fn rehearsal(is_sampled: bool) -> impl Subscriber + Send + Sync {
    let filter = EnvFilter::new(DEFAULT_LEVELS);
    let filter = filter.and(filter_fn(|of| is_line_of(of, false)));
    let lines = json().with_writer(std::io::sink).with_filter(filter);
    tracing_subscriber::registry().with(lines).with(traces::rehearsal(is_sampled))
}

fn json<S>() -> json_subscriber::fmt::Layer<S, fn() -> std::io::Stderr>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    json_subscriber::fmt::layer()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .flatten_span_list_on_top_level(true)
        .with_writer(std::io::stderr as fn() -> std::io::Stderr)
}
