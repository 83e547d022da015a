//! Which trace a span belongs to, and how a trace goes on elsewhere.
//!
//! Between processes it goes as `traceparent` (W3C Recommendation "Trace Context", section 3.2). AWS sends its own form, which
//! carries the same (AWS X-Ray Developer Guide, "Tracing header").

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::{Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Header, and attribute of a message, by which a trace goes on.
pub const TRACEPARENT: &str = "traceparent";
/// The header of AWS.
pub const XRAY: &str = "x-amzn-trace-id";

/// Returns the id of a span's trace, 32 digits; `None` where nothing gives ids out.
#[must_use]
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let id = context.span().span_context().trace_id();
    (id != TraceId::INVALID).then(|| id.to_string())
}

/// Returns the current span as `traceparent`, for what goes on elsewhere.
#[must_use]
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| {
        format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
    })
}

/// Makes a span a part of the trace that came from elsewhere, in either form. What is none is passed over: a trace is never a
/// reason to refuse.
pub fn continue_from(span: &Span, header: &str) {
    if let Some(parent) = parse(header).or_else(|| parse_xray(header)) {
        let remote = Context::new().with_remote_span_context(parent);
        // Refused only for a span that has begun, which goes on in its own trace.
        let _ = span.set_parent(remote);
    }
}

/// Returns the span of something that is done in the background, in the trace of what asked for it where that is known. Its
/// trace's id is on each of its log lines.
#[must_use]
pub fn job(kind: &'static str, id: &str, asked_by: Option<&str>) -> Span {
    let span =
        info_span!("job", otel.name = kind, otel.kind = "consumer", job.id = id, trace_id = Empty);
    if let Some(header) = asked_by {
        continue_from(&span, header);
    }
    if let Some(id) = trace_id(&span) {
        span.record("trace_id", id);
    }
    span
}

/// Reads `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. Later versions may go on after that.
fn parse(header: &str) -> Option<SpanContext> {
    let mut parts = header.splitn(5, '-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_known =
        version.len() == 2 && version != "ff" && (version != "00" || parts.next().is_none());
    let flags = u8::from_str_radix(flags, 16).ok().filter(|_| is_known && flags.len() == 2)?;
    context(trace, span, flags & 1 == 1)
}

/// Reads `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
fn parse_xray(header: &str) -> Option<SpanContext> {
    let field = |name: &str| {
        let mut fields = header.split(';').filter_map(|field| field.trim().split_once('='));
        fields.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (epoch, rest) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    context(&format!("{epoch}{rest}"), field("Parent")?, field("Sampled") == Some("1"))
}

fn context(trace: &str, span: &str, is_sampled: bool) -> Option<SpanContext> {
    let lower = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if trace.len() != 32 || span.len() != 16 || !lower(trace) || !lower(span) {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = if is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    Some(SpanContext::new(trace, span, flags, true, TraceState::default()))
        .filter(SpanContext::is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_others_are_none() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let read = parse(&format!("00-{trace}-00f067aa0ba902b7-01")).unwrap();
        assert_eq!((read.trace_id().to_string().as_str(), read.is_sampled()), (trace, true));
        assert!(!parse(&format!("00-{trace}-00f067aa0ba902b7-00")).unwrap().is_sampled());
        assert!(parse(&format!("01-{trace}-00f067aa0ba902b7-01-more")).is_some());
        for wrong in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e47é-00f067aa0ba902b7-01",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
        let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let read = parse_xray(xray).unwrap();
        assert_eq!(read.trace_id().to_string(), "5759e988bd862e3fe1be46a994272793");
        assert!(
            read.is_sampled() && parse_xray("Root=1-5759e988;Parent=53995c3f42cd8ad8").is_none()
        );
    }
}
