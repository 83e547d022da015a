//! What the clients have in common: TLS by ring, deadlines, retries.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Longest time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Longest time of a call with all its attempts.
const CALL: Duration = Duration::from_secs(10);
/// Most attempts of a call.
const MAX_ATTEMPTS: u32 = 3;

/// Returns the configuration of a client. Opens no connection.
pub(crate) async fn config() -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(CALL)
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .load()
        .await
}
