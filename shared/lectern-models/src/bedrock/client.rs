//! The client of Amazon's service, made at its first use.

use std::{fmt, mem, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_bedrockruntime::{
    Client,
    config::{
        Builder as ConfigBuilder, ConfigBag, Intercept, RuntimeComponents,
        StalledStreamProtectionConfig, interceptors::BeforeDeserializationInterceptorContextMut,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::BoxError,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use lectern_core::errors::PortError;
use tokio::sync::OnceCell;

use super::failures::Failure;

/// How long and how large one reply may be. The whole reply's deadline is the request's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait from sending a chat to its first token.
    pub first_event: Duration,
    /// Longest wait between two events of a chat.
    pub stall: Duration,
    /// Longest body, stream or JSON. 96 vectors of 1 024 numbers take some 2 MB.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_event: Duration::from_secs(20),
            stall: Duration::from_secs(10),
            body_bytes: 8 * 1024 * 1024,
        }
    }
}

/// Amazon Bedrock in one region, for one caller. Cloning shares the connections.
#[derive(Clone)]
pub struct Bedrock {
    shared: Arc<Shared>,
    pub(super) limits: Limits,
}

struct Shared {
    /// What the caller knows already; otherwise the environment is asked.
    settings: Option<SdkConfig>,
    client: OnceCell<Client>,
}

impl Bedrock {
    /// Returns the service as the environment names it, which is read at the first call.
    #[must_use]
    pub fn from_env(limits: Limits) -> Self {
        Self::with(None, limits)
    }

    /// Returns the service of `settings`: with their region, credentials and endpoint. What they say of retries,
    /// timeouts and the HTTP client is not used.
    #[must_use]
    pub fn new(settings: SdkConfig, limits: Limits) -> Self {
        Self::with(Some(settings), limits)
    }

    fn with(settings: Option<SdkConfig>, limits: Limits) -> Self {
        Self { shared: Arc::new(Shared { settings, client: OnceCell::new() }), limits }
    }

    /// Returns the client. The caller bounds the time: reading the environment may ask the instance's metadata.
    pub(super) async fn client(&self, operation: &'static str) -> Result<&Client, PortError> {
        let make = || async {
            let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
            let http = http.build_https();
            let loaded = match &self.shared.settings {
                Some(settings) => settings.clone(),
                None => {
                    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
                    loader.http_client(http.clone()).load().await
                }
            };
            if loaded.region().is_none() {
                return Err(Failure::NoRegion.at(operation));
            }
            let config = ConfigBuilder::from(&loaded)
                .http_client(http)
                // `Retrying` tries again, and the adapters bound the time.
                .retry_config(RetryConfig::disabled())
                .timeout_config(
                    TimeoutConfig::builder().connect_timeout(self.limits.connect).build(),
                )
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .interceptor(BoundedReplies { limit_bytes: self.limits.body_bytes })
                .build();
            Ok(Client::from_conf(config))
        };
        self.shared.client.get_or_try_init(make).await
    }
}

/// Credentials stay out.
impl fmt::Debug for Bedrock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bedrock").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Ends every body in an error past a limit: the SDK buffers what comes.
#[derive(Debug)]
struct BoundedReplies {
    limit_bytes: usize,
}

impl Intercept for BoundedReplies {
    fn name(&self) -> &'static str {
        "bounded replies"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let unbounded = mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(Limited::new(unbounded, self.limit_bytes));
        Ok(())
    }
}
