//! Spans. Every request and job has a trace id, whether or not its spans go anywhere; what goes is said by a setting.
//!
//! Exporting never delays or fails a request: a collector is sent to from a thread of its own, which drops what does not fit
//! its queue, and the daemon of X-Ray is sent datagrams that nobody answers.

use std::{fmt, str::FromStr};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

/// What spans of other crates begin with is not this.
const OURS: &str = "lectern_";
/// How long sending one batch may take.
#[cfg(feature = "server")]
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Where spans go: `none`, `xray`, or `otlp:URL` with the address of a collector, and behind a space the share of traces that
/// begin here, `otlp:http://127.0.0.1:4318 0.1`. A trace that begins elsewhere is followed as it was decided there.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Traces {
    /// Nowhere.
    #[default]
    None,
    /// To the daemon that AWS Lambda runs beside a function with active tracing.
    Xray,
    /// To a collector, by OTLP over HTTP.
    Otlp {
        /// The collector's address, without `/v1/traces`.
        url: String,
        /// Share of traces that begin here, 0 to 1.
        share: f64,
    },
}

/// What a setting for traces must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseTracesError;

impl fmt::Display for ParseTracesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "must be `none`, `xray` or `otlp:http://127.0.0.1:4318`, the last with a share of traces where not all are wanted, `otlp:http://127.0.0.1:4318 0.1`",
        )
    }
}

impl FromStr for Traces {
    type Err = ParseTracesError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        match raw {
            "none" => return Ok(Self::None),
            "xray" => return Ok(Self::Xray),
            _ => {}
        }
        let named = raw.strip_prefix("otlp:").ok_or(ParseTracesError)?;
        let (url, share) = named.split_once(' ').unwrap_or((named, "1"));
        let share: f64 = share.trim().parse().map_err(|_| ParseTracesError)?;
        let is_address = ["http://", "https://"]
            .iter()
            .any(|scheme| url.strip_prefix(scheme).is_some_and(|host| !host.is_empty()));
        if !is_address || !(0.0..=1.0).contains(&share) {
            return Err(ParseTracesError);
        }
        Ok(Self::Otlp { url: url.trim_end_matches('/').to_owned(), share })
    }
}

/// Returns the layer that makes spans of ours into spans of OpenTelemetry; where they cannot go where they should, why.
pub(super) fn layer<S>(
    service: &'static str,
    traces: &Traces,
) -> (SdkTracerProvider, Option<String>, impl Layer<S> + use<S>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let (provider, problem) = provider(service, traces);
    // Where nothing goes out, ids are all that is wanted: of requests and jobs.
    let most = if *traces == Traces::None { Level::INFO } else { Level::DEBUG };
    let layer = layer_of(&provider, most);
    (provider, problem, layer)
}

/// Returns the layer where each span is made and thrown away, or not made.
pub(super) fn rehearsal<S>(is_sampled: bool) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let sampler = if is_sampled { Sampler::AlwaysOn } else { Sampler::AlwaysOff };
    layer_of(&SdkTracerProvider::builder().with_sampler(sampler).build(), Level::DEBUG)
}

fn layer_of<S>(provider: &SdkTracerProvider, most: Level) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let tracer = provider.tracer("lectern");
    let is_ours = move |span: &Metadata<'_>| {
        span.is_span() && *span.level() <= most && span.target().starts_with(OURS)
    };
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        // A span of ours is entered at each poll of what it is about. Nobody asks for its time by polls, and contexts of
        // OpenTelemetry are asked of spans, not of threads.
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(filter_fn(is_ours))
}

fn provider(service: &'static str, traces: &Traces) -> (SdkTracerProvider, Option<String>) {
    let resource = Resource::builder_empty()
        .with_attribute(KeyValue::new("service.name", format!("lectern-{service}")))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let provider = match traces {
        Traces::None => builder.with_sampler(Sampler::AlwaysOff).build(),
        #[cfg(feature = "lambda")]
        Traces::Xray => builder
            // What the gateway did not decide for is not sent: the daemon would drop it.
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .with_simple_exporter(super::xray::Daemon::from_env())
            .build(),
        #[cfg(feature = "server")]
        Traces::Otlp { url, share } => {
            use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
            let root = Box::new(Sampler::TraceIdRatioBased(*share));
            let builder = builder.with_sampler(Sampler::ParentBased(root));
            let exporter = opentelemetry_otlp::SpanExporter::builder()
                .with_http()
                .with_headers(std::collections::HashMap::new())
                .with_endpoint(format!("{url}/v1/traces"))
                .with_timeout(SEND_TIMEOUT)
                .build();
            match exporter {
                Ok(exporter) => builder.with_batch_exporter(exporter).build(),
                // Without a collector there are no traces, and everything else goes on.
                Err(error) => return (builder.build(), Some(error.to_string())),
            }
        }
        #[allow(unreachable_patterns, reason = "with every feature nothing is left")]
        _ => builder.with_sampler(Sampler::AlwaysOff).build(),
    };
    (provider, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_names_a_place_and_a_share() {
        assert_eq!("none".parse(), Ok(Traces::None));
        assert_eq!("xray".parse(), Ok(Traces::Xray));
        let otlp = |url: &str, share| Ok(Traces::Otlp { url: url.to_owned(), share });
        assert_eq!("otlp:http://127.0.0.1:4318/".parse(), otlp("http://127.0.0.1:4318", 1.0));
        assert_eq!("otlp:https://c.example 0.25".parse(), otlp("https://c.example", 0.25));
        for wrong in [
            "",
            "otlp",
            "otlp:",
            "otlp:127.0.0.1:4318",
            "otlp:http://",
            "otlp:http://c 2",
            "jaeger",
        ] {
            assert_eq!(wrong.parse::<Traces>(), Err(ParseTracesError), "{wrong}");
        }
    }
}
