use std::path::Path;

use super::*;

fn named(model: &str, dimensions: Option<usize>) -> EmbedderConfig {
    EmbedderConfig::OpenAi { model: model.to_owned(), dimensions }
}

#[test]
fn embedders_are_named_by_one_string() {
    for (raw, expected) in [
        ("none", EmbedderConfig::None),
        ("minilm", EmbedderConfig::MiniLm),
        ("openai:text-embedding-3-small", named("text-embedding-3-small", None)),
        ("openai:nomic-embed-text:v1.5@256", named("nomic-embed-text:v1.5", Some(256))),
        ("openai:org/model@main", named("org/model@main", None)),
    ] {
        assert_eq!(EmbedderConfig::parse(raw).unwrap(), expected);
    }
    for raw in ["", "openai:", "openai", "None", "bedrock:", "gemini:x"] {
        let error = EmbedderConfig::parse(raw).unwrap_err().to_string();
        let expected = "`none`, `minilm`, `openai:MODEL`, `bedrock:MODEL`";
        assert_eq!(error, format!("`{raw}` is not one of {expected}"));
    }
}

#[test]
fn embedders_of_bedrock_are_named_by_id_profile_or_arn() {
    let arn = "arn:aws:bedrock:eu-west-1::foundation-model/cohere.embed-english-v3";
    for (model, dimensions, expected) in [
        ("amazon.titan-embed-text-v2:0", None, 1_024),
        ("amazon.titan-embed-text-v2:0", Some(256), 256),
        ("eu.cohere.embed-v4:0", Some(1_536), 1_536),
        (arn, None, 1_024),
    ] {
        let suffix = dimensions.map_or_else(String::new, |number| format!("@{number}"));
        let config = EmbedderConfig::parse(&format!("bedrock:{model}{suffix}")).unwrap();
        let named = EmbedderConfig::Bedrock { model: model.to_owned(), dimensions };
        assert_eq!(config, named);
        assert_eq!(config.embedding_model().unwrap().unwrap().dimensions, expected);
    }
    let config = EmbedderConfig::parse("bedrock:anthropic.claude-v2").unwrap();
    let error = config.embedding_model().unwrap_err().to_string();
    assert!(error.contains("neither a Titan text embedding model"), "{error}");
}

#[test]
fn chats_are_named_by_one_string() {
    assert_eq!(ChatConfig::parse("extractive").unwrap(), ChatConfig::Extractive);
    let expected = ChatConfig::OpenAi { model: "qwen3:8b".into() };
    assert_eq!(ChatConfig::parse("openai:qwen3:8b").unwrap(), expected);
    let profile = "bedrock:us.anthropic.claude-sonnet-4-20250514-v1:0";
    let arn = "bedrock:arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1";
    for raw in ["extractive", "openai:qwen3:8b", profile, arn] {
        assert_eq!(ChatConfig::parse(raw).unwrap().to_string(), raw);
    }
    assert!(ChatConfig::parse("openai:").is_err());
    assert!(ChatConfig::parse("bedrock:").is_err());
    assert!(ChatConfig::parse("minilm").is_err());
}

#[test]
fn none_and_extractive_open_nothing() {
    let (api, policy) = (ApiConfig::default(), RetryPolicy::default());
    assert!(EmbedderConfig::None.open(&api, Path::new("/"), policy).unwrap().is_none());
    assert!(ChatConfig::Extractive.open(&api, None, policy).unwrap().is_none());
}

#[cfg(feature = "openai")]
#[test]
fn an_unknown_model_needs_its_dimensions() {
    let api = ApiConfig { base_url: Some("http://localhost/v1".into()), key: None };
    let open = |raw: &str| {
        let config = EmbedderConfig::parse(raw).unwrap();
        config.open(&api, Path::new("/"), RetryPolicy::default())
    };
    let error = open("openai:mine").unwrap_err().to_string();
    assert!(error.contains("openai:mine@DIMENSIONS"), "{error}");
    let embedder = open("openai:mine@12").unwrap().unwrap();
    assert_eq!(embedder.model().id, "openai:mine");
    assert_eq!(embedder.model().dimensions, 12);
}

#[cfg(feature = "minilm")]
#[test]
fn a_model_that_is_not_installed_says_how() {
    let config = EmbedderConfig::MiniLm;
    let missing = Path::new("/no/such/directory");
    let error = config.open(&ApiConfig::default(), missing, RetryPolicy::default());
    assert!(error.unwrap_err().to_string().contains("lectern model install"));
}

#[cfg(not(feature = "openai"))]
#[test]
fn an_adapter_left_out_says_so() {
    let chat = ChatConfig::OpenAi { model: "m".into() };
    let error = chat.open(&ApiConfig::default(), RetryPolicy::default()).err();
    let message = error.map(|error| error.to_string());
    let expected = "this binary was compiled without the adapter `openai`";
    assert_eq!(message.as_deref(), Some(expected));
}

#[test]
fn a_guardrail_is_before_every_model_or_the_setting_is_refused() {
    let guardrail: Guardrail = "gr4il:1".parse().unwrap();
    let guardable = |raw: &str, guardrail| ChatConfig::parse(raw).unwrap().guardable(guardrail);
    for raw in ["extractive", "bedrock:us.amazon.nova-lite-v1:0"] {
        assert!(guardable(raw, Some(&guardrail)).is_ok(), "{raw}");
    }
    assert!(guardable("openai:gpt-4o", None).is_ok());
    let refused = guardable("openai:gpt-4o", Some(&guardrail)).unwrap_err();
    assert!(
        matches!(&refused, ConfigError::Unguarded(name) if name == "openai:gpt-4o"),
        "{refused}"
    );
    let (api, policy) = (ApiConfig::default(), RetryPolicy::default());
    let opened = ChatConfig::parse("openai:gpt-4o").unwrap().open(&api, Some(&guardrail), policy);
    assert!(matches!(opened, Err(ConfigError::Unguarded(_))));
}
