//! CloudWatch on the loopback, where nothing was measured: functions that read metrics have somebody to ask. The emulator of the
//! other services does not speak its protocol (Smithy RPC v2 CBOR).

use axum::{Router, http::header, routing::post};

use crate::loopback::Loopback;

/// `{"MetricDataResults": []}` (RFC 8949).
const NOTHING: &[u8] = b"\xa1\x71MetricDataResults\x80";

/// A running CloudWatch.
#[derive(Debug)]
pub struct CloudWatch(Loopback);

impl CloudWatch {
    /// Starts one on a free port.
    #[must_use]
    pub fn start() -> Self {
        let answer = async || {
            let headers = [
                ("smithy-protocol", "rpc-v2-cbor"),
                (header::CONTENT_TYPE.as_str(), "application/cbor"),
            ];
            (headers, NOTHING)
        };
        let path = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
        Self(Loopback::start(Router::new().route(path, post(answer))))
    }

    /// Returns the variables that lead the SDK here.
    #[must_use]
    pub fn environment(&self) -> [(String, String); 1] {
        [("AWS_ENDPOINT_URL_CLOUDWATCH".to_owned(), self.0.base_url())]
    }
}
