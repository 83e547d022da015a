//! The client of Amazon's service.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use crate::retries::{OnTransactionConflict, retry_config, service_timeouts};

/// Returns a client with region, credentials and endpoint from the environment chain
/// (`AWS_ENDPOINT_URL_DYNAMODB` points it elsewhere). Opens no connection yet.
pub(crate) async fn client() -> Client {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let shared = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(retry_config())
        .timeout_config(service_timeouts())
        .load()
        .await;
    let config = aws_sdk_dynamodb::config::Builder::from(&shared)
        .retry_classifier(OnTransactionConflict)
        .build();
    Client::from_conf(config)
}
