//! Where log lines go.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Level of everything that says nothing else.
pub const DEFAULT_LEVELS: &str =
    "info,h2=warn,hyper=warn,tower=warn,aws=warn,segment=warn,shard=warn";

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
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

/// Sends log lines of `levels` (the syntax of `EnvFilter`) to standard error. Call it once, in `main`;
/// a second call changes nothing. An unreadable filter falls back to [`DEFAULT_LEVELS`].
pub fn init(format: Format, levels: Option<&str>) {
    let filter = levels.and_then(|levels| EnvFilter::try_new(levels).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(DEFAULT_LEVELS));
    let registry = tracing_subscriber::registry().with(filter);
    let installed = match format {
        Format::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
        Format::Text => registry
            .with(fmt::layer().compact().with_target(false).with_writer(std::io::stderr))
            .try_init(),
    };
    drop(installed);
}
