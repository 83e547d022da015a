//! Region, credentials and endpoint from the environment: in a process of its own, whose environment is known.

use std::{path::Path, process::Output};

use lectern_core::{errors::chain, ports::Embedder};
use lectern_models::{
    config::{ApiConfig, EmbedderConfig},
    retrying::RetryPolicy,
};
use std::sync::Arc;
use tokio::process::Command;

use super::server::Server;

const REGION: (&str, &str) = ("AWS_REGION", "ap-south-1");
const KEY: (&str, &str) = ("AWS_ACCESS_KEY_ID", "AKIDENV");
const SECRET: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "secret-of-the-environment");

/// Runs [`in_a_process_of_its_own`] with nothing but these variables.
async fn embed_with(variables: &[(&str, &str)]) -> String {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "bedrock::environment::in_a_process_of_its_own"])
        .args(["--ignored", "--nocapture"])
        .env_clear()
        // Neither files of whoever runs the tests nor a metadata service.
        .envs([("HOME", "/nonexistent"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .envs(variables.iter().copied())
        .output();
    let Output { stdout, stderr, .. } = child.await.unwrap();
    String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap()
}

#[tokio::test]
#[ignore = "started by the other tests of this file"]
async fn in_a_process_of_its_own() {
    let config = EmbedderConfig::parse("bedrock:amazon.titan-embed-text-v2:0@512").unwrap();
    let opened = config.open(&ApiConfig::default(), Path::new("/"), RetryPolicy::default());
    let embedder: Arc<dyn Embedder> = opened.unwrap().unwrap();
    match embedder.embed(&["text".to_owned()]).await {
        Ok(vectors) => println!("{} numbers", vectors[0].len()),
        Err(error) => println!("{:?}: {}", error.kind, chain(&error)),
    }
}

#[tokio::test]
async fn the_environment_says_where_and_who() {
    for name in ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"] {
        let server = Server::start([]).await;
        let printed = embed_with(&[REGION, KEY, SECRET, (name, &server.base_url())]).await;
        assert!(printed.contains("512 numbers"), "{printed}");
        let asked = server.requests();
        let expected = "AWS4-HMAC-SHA256 Credential=AKIDENV/";
        assert!(asked[0].authorization.starts_with(expected), "{}", asked[0].authorization);
        assert!(asked[0].authorization.contains("/ap-south-1/bedrock/aws4_request"));
    }
}

#[tokio::test]
async fn an_api_key_of_bedrock_is_a_bearer_token() {
    let server = Server::start([]).await;
    let key = ("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-1");
    let endpoint = ("AWS_ENDPOINT_URL", server.base_url());
    let printed = embed_with(&[REGION, key, (endpoint.0, &endpoint.1)]).await;
    assert!(printed.contains("512 numbers"), "{printed}");
    assert_eq!(server.requests()[0].authorization, "Bearer bedrock-api-key-1");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let server = Server::start([]).await;
    let url = server.base_url();
    let endpoint = ("AWS_ENDPOINT_URL", url.as_str());
    let printed = embed_with(&[REGION, endpoint]).await;
    let expected = "Unauthenticated: bedrock embed failed: the credentials were refused: \
        the AWS credentials cannot be loaded";
    assert!(printed.contains(expected), "{printed}");
    let printed = embed_with(&[KEY, SECRET, endpoint]).await;
    assert!(printed.contains("no AWS region is configured; set `AWS_REGION`"), "{printed}");
    assert!(!printed.contains("secret-of-the-environment"), "{printed}");
    assert!(server.requests().is_empty());
}
