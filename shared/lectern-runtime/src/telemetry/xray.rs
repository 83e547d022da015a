//! Spans as datagrams to the daemon of AWS X-Ray, which Lambda runs beside a function with active tracing.
//!
//! The form is that of AWS's own exporters (AWS Distro for OpenTelemetry, "X-Ray UDP Exporter"): a header line, `T1S` for spans
//! that are sampled, and the base64 of an OTLP `ExportTraceServiceRequest`. Nobody answers, so nothing waits.

use std::net::UdpSocket;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{
        common::tonic::ResourceAttributesWithSchema,
        trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use prost::Message as _;

/// Where the daemon is when nobody says otherwise.
const DEFAULT_ADDRESS: &str = "127.0.0.1:2000";
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\nT1S";

/// The daemon.
#[derive(Debug)]
pub(super) struct Daemon {
    address: String,
    socket: Option<UdpSocket>,
    resource: ResourceAttributesWithSchema,
}

impl Daemon {
    /// Returns the daemon that `AWS_XRAY_DAEMON_ADDRESS` names.
    #[expect(clippy::disallowed_methods, reason = "the platform's own variable, no setting")]
    pub(super) fn from_env() -> Self {
        let address = std::env::var("AWS_XRAY_DAEMON_ADDRESS");
        Self::at(address.unwrap_or_else(|_| DEFAULT_ADDRESS.to_owned()))
    }

    fn at(address: String) -> Self {
        // Without a socket there are no spans, and everything else goes on.
        let socket = UdpSocket::bind("127.0.0.1:0").ok();
        if let Some(socket) = &socket {
            let _ = socket.set_nonblocking(true);
        }
        Self { address, socket, resource: ResourceAttributesWithSchema::default() }
    }
}

impl SpanExporter for Daemon {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let Some(socket) = &self.socket else { return Ok(()) };
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let mut datagram = HEADER.to_owned();
        BASE64_STANDARD.encode_string(request.encode_to_vec(), &mut datagram);
        let sent = socket.send_to(datagram.as_bytes(), &self.address);
        sent.map(|_| ()).map_err(|error| OTelSdkError::InternalFailure(error.to_string()))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    #[test]
    fn the_daemon_hears_each_span() {
        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        daemon.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        let exporter = Daemon::at(daemon.local_addr().unwrap().to_string());
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
        provider.tracer("lectern").in_span("POST /v1/query", |_| {});
        let mut heard = vec![0; 65_536];
        let (length, _) = daemon.recv_from(&mut heard).unwrap();
        let datagram = std::str::from_utf8(&heard[..length]).unwrap();
        let encoded = BASE64_STANDARD.decode(datagram.strip_prefix(HEADER).unwrap()).unwrap();
        let request = ExportTraceServiceRequest::decode(&*encoded).unwrap();
        let span = &request.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!((span.name.as_str(), span.trace_id.len()), ("POST /v1/query", 16));
    }
}
