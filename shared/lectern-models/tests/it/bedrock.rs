//! Bedrock's models against a server on the loopback that speaks Bedrock's wire format.

mod chat;
mod chat_failures;
mod embedder;
mod environment;
mod frames;
mod server;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_bedrockruntime::config::{Credentials, SharedCredentialsProvider};
use lectern_core::errors::{PortError, chain};
use lectern_models::bedrock::{Bedrock, Limits};
use server::Server;

/// What must never be in an error.
const SECRET_KEY: &str = "wJalrXUtnFEMIsecret";
const PROMPT: &str = "confidential prompt";

fn bedrock(server: &Server, limits: Limits) -> Bedrock {
    let credentials = Credentials::new("AKIDTEST", SECRET_KEY, None, None, "test");
    let settings = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(server.base_url())
        .build();
    Bedrock::new(settings, limits)
}

/// Fails when `error` could put a secret into a log.
fn assert_discreet(error: &PortError) {
    for printed in [chain(error), format!("{error:?}")] {
        for secret in [SECRET_KEY, PROMPT] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
