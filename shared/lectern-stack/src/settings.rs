//! Groups of variables. A function's settings are some of these; `docs/CONFIGURATION.md` lists them all.
//!
//! Each group reads every variable it has in any case (see [`Settings::read`]).

mod process;

use std::{path::PathBuf, sync::Arc, time::Duration};

use lectern_core::{
    chunking::ChunkSettings,
    env::{Settings, SettingsReader},
    ports::EmbeddingModel,
    pricing::{Function, PriceTable},
    secret::SecretSetting,
    spending::SpendingLimits,
    web::Hosts,
};
pub use lectern_models::bedrock::Guardrail;
pub use lectern_models::config::{ChatConfig, EmbedderConfig, RerankerConfig};

pub use self::process::{Environment, Process};

/// Longest answer behind API Gateway unless set otherwise: what the service levels ask for, twice.
const DEFAULT_ANSWER_TIMEOUT_MS: &str = "30000";
/// Largest document. One that is larger than a request may be comes by a presigned upload.
const DEFAULT_MAX_DOCUMENT_BYTES: &str = "50000000";
/// How long a worker alone may write a version.
const DEFAULT_INGEST_LEASE_MS: &str = "120000";
/// Most alternatives to the chat model.
const MAX_ALTERNATIVES: usize = 8;

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    /// `LECTERN_TABLE_URL`: `dynamodb://<table>`.
    pub url: String,
}

impl Settings for Table {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let url = reader.required("LECTERN_TABLE_URL", |raw| with_scheme(raw, &["dynamodb://"]));
        Some(Self { url: url? })
    }
}

/// The index, and whose vectors it keeps.
#[derive(Clone, Debug)]
pub struct Index {
    /// `LECTERN_INDEX_URL`: `https://host:6334`, the gRPC port of a Qdrant server.
    pub url: String,
    /// `LECTERN_INDEX_API_KEY`: what the server asks for.
    pub api_key: Option<SecretSetting>,
    /// `LECTERN_EMBEDDER`: which model's vectors.
    pub embedder: EmbedderConfig,
    /// The model, as the index is named after it.
    pub model: Option<EmbeddingModel>,
}

impl Settings for Index {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let schemes = ["https://", "http://"];
        let url = reader.required("LECTERN_INDEX_URL", |raw| with_scheme(raw, &schemes));
        let api_key = reader.optional_secret("LECTERN_INDEX_API_KEY");
        let embedder = reader.or("LECTERN_EMBEDDER", "none", |raw| {
            let config = EmbedderConfig::parse(raw)?;
            let model = config.embedding_model()?;
            Ok::<_, lectern_models::config::ConfigError>((config, model))
        });
        let (url, api_key, (embedder, model)) = (url?, api_key?, embedder?);
        Some(Self { url, api_key, embedder, model })
    }
}

/// The files of documents.
#[derive(Clone, Debug)]
pub struct Files {
    /// `LECTERN_BLOBS_URL`: `s3://bucket`.
    pub url: String,
    /// `LECTERN_MAX_DOCUMENT_BYTES`: largest document.
    pub max_document_bytes: usize,
}

impl Settings for Files {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let url = blobs_url(reader);
        let max = reader.or("LECTERN_MAX_DOCUMENT_BYTES", DEFAULT_MAX_DOCUMENT_BYTES, str::parse);
        Some(Self { url: url?, max_document_bytes: max? })
    }
}

/// Reads `LECTERN_BLOBS_URL` for a function that takes no documents in.
pub fn blobs_url(reader: &mut SettingsReader<'_>) -> Option<String> {
    reader.required("LECTERN_BLOBS_URL", |raw| with_scheme(raw, &["s3://", "file://"]))
}

/// Reads `LECTERN_BACKUPS_URL`, where backups are kept: `s3://bucket/prefix`.
pub fn backups_url(reader: &mut SettingsReader<'_>) -> Option<String> {
    reader.required("LECTERN_BACKUPS_URL", |raw| with_scheme(raw, &["s3://", "file://"]))
}

/// Reads `LECTERN_BACKUP_DAYS`, of how many days a backup is kept, 1 to 3650.
pub fn backup_days(reader: &mut SettingsReader<'_>) -> Option<usize> {
    reader.or("LECTERN_BACKUP_DAYS", "30", |raw| match raw.parse() {
        Ok(days @ 1..=3650) => Ok(days),
        _ => Err("must be 1 to 3650"),
    })
}

/// Reads `LECTERN_QUEUE_URL`, the queue of ingestion jobs, as SQS calls it.
pub fn queue_url(reader: &mut SettingsReader<'_>) -> Option<String> {
    reader.required("LECTERN_QUEUE_URL", |raw| with_scheme(raw, &["https://", "http://"]))
}

/// Reads `LECTERN_DEAD_LETTER_QUEUE_URL`, where jobs end that nobody can do.
pub fn dead_letter_queue_url(reader: &mut SettingsReader<'_>) -> Option<String> {
    let name = "LECTERN_DEAD_LETTER_QUEUE_URL";
    reader.required(name, |raw| with_scheme(raw, &["https://", "http://"]))
}

/// Reads `LECTERN_FETCH_HOSTS`, from which hosts documents are read by their address.
pub fn fetch_hosts(reader: &mut SettingsReader<'_>) -> Option<Hosts> {
    reader.or("LECTERN_FETCH_HOSTS", "", str::parse)
}

/// Reads `LECTERN_CHUNK_TOKENS`, the tokens a chunk aims at.
pub fn chunking(reader: &mut SettingsReader<'_>) -> Option<ChunkSettings> {
    let defaults = ChunkSettings::default();
    let tokens = defaults.target_tokens().to_string();
    reader.or("LECTERN_CHUNK_TOKENS", &tokens, |raw| {
        let target = raw.parse().map_err(|_| "must be a number".to_owned())?;
        ChunkSettings::parse(target, defaults.overlap_tokens(), defaults.max_tokens())
            .map_err(|error| error.to_string())
    })
}

/// Reads `LECTERN_ANSWER_TIMEOUT_MS`, how long a whole answer may take.
pub fn answer_timeout(reader: &mut SettingsReader<'_>) -> Option<Duration> {
    milliseconds(reader, "LECTERN_ANSWER_TIMEOUT_MS", DEFAULT_ANSWER_TIMEOUT_MS)
}

/// What models cost, and what may be spent on them.
#[derive(Clone, Debug)]
pub struct Budget {
    /// `LECTERN_PRICES`: own prices by model, over the built-in ones.
    pub prices: Arc<PriceTable>,
    /// `LECTERN_BUDGET_USD_PER_DAY` and `LECTERN_BUDGET_USD_PER_MONTH`: most that an account may spend which has no limits of
    /// its own.
    pub limits: SpendingLimits,
}

impl Settings for Budget {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let prices = reader.or("LECTERN_PRICES", "{}", PriceTable::overridden);
        let per_day = reader.optional("LECTERN_BUDGET_USD_PER_DAY", str::parse);
        let per_month = reader.optional("LECTERN_BUDGET_USD_PER_MONTH", str::parse);
        let limits = SpendingLimits { per_day: per_day?, per_month: per_month? };
        Some(Self { prices: Arc::new(prices?), limits })
    }
}

/// Returns the function this is, as AWS Lambda says: for estimates of what it costs.
#[must_use]
pub fn function(reader: &SettingsReader<'_>) -> Option<Function> {
    let memory_mb = reader.of_platform("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")?;
    Some(Function { memory_mb })
}

/// Reads `LECTERN_INGEST_LEASE_MS`, how long a worker alone may write a version; what a killed worker had waits as long.
pub fn ingest_lease(reader: &mut SettingsReader<'_>) -> Option<Duration> {
    milliseconds(reader, "LECTERN_INGEST_LEASE_MS", DEFAULT_INGEST_LEASE_MS)
}

/// The API that models are behind.
#[derive(Clone, Debug)]
pub struct ModelApi {
    /// `LECTERN_MODEL_URL`: where `openai:` models are.
    pub url: Option<String>,
    /// `LECTERN_MODEL_API_KEY`: bearer token for it.
    pub key: Option<SecretSetting>,
    /// `LECTERN_MODEL_DIRECTORY`: where the files of the model in process are, when not in the layer.
    pub directory: Option<PathBuf>,
}

impl Settings for ModelApi {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let schemes = ["https://", "http://"];
        let url = reader.optional("LECTERN_MODEL_URL", |raw| with_scheme(raw, &schemes));
        let key = reader.optional_secret("LECTERN_MODEL_API_KEY");
        let directory = reader.optional("LECTERN_MODEL_DIRECTORY", str::parse);
        Some(Self { url: url?, key: key?, directory: directory? })
    }
}

/// Reads `LECTERN_CHAT`, the chat model.
pub fn chat(reader: &mut SettingsReader<'_>) -> Option<ChatConfig> {
    reader.or("LECTERN_CHAT", "extractive", ChatConfig::parse)
}

/// Reads `LECTERN_CHAT_ALTERNATIVES`, further chat models that collections may name.
pub fn chat_alternatives(reader: &mut SettingsReader<'_>) -> Option<Vec<ChatConfig>> {
    reader.or("LECTERN_CHAT_ALTERNATIVES", "", |raw| {
        let named = raw.split(',').map(str::trim).filter(|name| !name.is_empty());
        let parsed: Result<Vec<ChatConfig>, _> = named.map(ChatConfig::parse).collect();
        let parsed = parsed.map_err(|error| error.to_string())?;
        if parsed.len() > MAX_ALTERNATIVES {
            return Err(format!("must be at most {MAX_ALTERNATIVES} models"));
        }
        Ok(parsed)
    })
}

/// Reads `LECTERN_GUARDRAIL`, the guardrail of Bedrock before `chat` and its `alternatives`, which must all be Bedrock's or
/// extractive: one that a model got around would be none.
pub fn guardrail(
    reader: &mut SettingsReader<'_>,
    chat: Option<&ChatConfig>,
    alternatives: Option<&[ChatConfig]>,
) -> Option<Option<Guardrail>> {
    let name = "LECTERN_GUARDRAIL";
    let guardrail: Option<Guardrail> = reader.optional(name, str::parse)?;
    for model in chat.into_iter().chain(alternatives.into_iter().flatten()) {
        if let Err(unguarded) = model.guardable(guardrail.as_ref()) {
            reader.refuse(name, unguarded.to_string());
        }
    }
    Some(guardrail)
}

/// The reranker and its API.
#[derive(Clone, Debug)]
pub struct Reranking {
    /// `LECTERN_RERANKER`: which.
    pub reranker: RerankerConfig,
    /// `LECTERN_RERANKER_URL`: where, when not at the vendor's.
    pub url: Option<String>,
    /// `LECTERN_RERANKER_API_KEY`: bearer token for it.
    pub key: Option<SecretSetting>,
}

impl Settings for Reranking {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let reranker = reader.or("LECTERN_RERANKER", "none", RerankerConfig::parse);
        let schemes = ["https://", "http://"];
        let url = reader.optional("LECTERN_RERANKER_URL", |raw| with_scheme(raw, &schemes));
        let key = reader.optional_secret("LECTERN_RERANKER_API_KEY");
        Some(Self { reranker: reranker?, url: url?, key: key? })
    }
}

fn milliseconds(
    reader: &mut SettingsReader<'_>,
    name: &'static str,
    default: &str,
) -> Option<Duration> {
    let parsed = reader.or(name, default, |raw| match raw.parse() {
        Ok(milliseconds @ 1_u64..) => Ok(milliseconds),
        _ => Err("must be a number of milliseconds, at least 1"),
    });
    parsed.map(Duration::from_millis)
}

fn text(raw: &str) -> Result<String, std::convert::Infallible> {
    Ok(raw.to_owned())
}

fn with_scheme(raw: &str, schemes: &[&str]) -> Result<String, String> {
    let rest = schemes.iter().find_map(|scheme| raw.strip_prefix(scheme));
    match rest {
        Some(rest) if !rest.is_empty() => Ok(raw.to_owned()),
        _ => Err(format!("must be a URL that begins with {}", schemes.join(" or "))),
    }
}

#[cfg(test)]
mod tests {
    use lectern_core::env::{Env, EnvError};

    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn names<T>(read: Result<T, Vec<EnvError>>) -> Vec<String> {
        let errors = read.err().unwrap_or_default();
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn groups_refuse_what_is_no_address() {
        for (url, fine) in
            [("dynamodb://t", true), ("dynamodb://", false), ("embedded:///t", false)]
        {
            assert_eq!(Table::from_env(&env(&[("LECTERN_TABLE_URL", url)])).is_ok(), fine, "{url}");
        }
        let wrong = env(&[("LECTERN_INDEX_URL", "host:6334"), ("LECTERN_EMBEDDER", "telepathy")]);
        let errors = names(Index::from_env(&wrong));
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].contains("`LECTERN_INDEX_URL`"), "{errors:?}");
        assert!(errors[1].contains("`LECTERN_EMBEDDER`"), "{errors:?}");
    }

    #[test]
    fn an_index_is_named_after_the_model_of_its_vectors() {
        let set = |embedder| {
            env(&[("LECTERN_INDEX_URL", "https://q:6334"), ("LECTERN_EMBEDDER", embedder)])
        };
        let index = Index::from_env(&set("openai:text-embedding-3-small")).unwrap();
        let model = index.model.unwrap();
        assert_eq!((model.id.as_str(), model.dimensions), ("openai:text-embedding-3-small", 1_536));
        assert!(Index::from_env(&set("none")).unwrap().model.is_none());
        // What the index is named after has to be known without asking the model.
        assert!(names(Index::from_env(&set("openai:mine")))[0].contains("openai:mine@DIMENSIONS"));
    }

    #[test]
    fn a_guardrail_that_a_model_gets_around_is_refused() {
        let read = |chat: &str, alternatives: &[&str]| {
            let env = env(&[("LECTERN_GUARDRAIL", "gr4il:1")]);
            let parse = |raw: &&str| ChatConfig::parse(raw).unwrap();
            let alternatives: Vec<ChatConfig> = alternatives.iter().map(parse).collect();
            let mut reader = SettingsReader::new(&env);
            let read = guardrail(&mut reader, Some(&parse(&chat)), Some(&alternatives));
            (read.flatten(), reader.errors().len())
        };
        let fine = Some("gr4il:1".parse().unwrap());
        assert_eq!(read("bedrock:a", &["extractive", "bedrock:b"]), (fine, 0));
        assert_eq!(read("openai:a", &[]).1, 1);
        assert_eq!(read("bedrock:a", &["openai:b", "openai:c"]).1, 2);
    }

    #[test]
    fn the_function_is_what_the_platform_says_and_no_setting() {
        let said = |memory| {
            let env = env(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory)]);
            function(&SettingsReader::new(&env))
        };
        assert_eq!(said("1024"), Some(Function { memory_mb: 1_024 }));
        assert_eq!((said(""), said("much")), (None, None));
    }

    #[test]
    fn no_time_is_no_duration() {
        let mut reader_env = env(&[("LECTERN_ANSWER_TIMEOUT_MS", "0")]);
        let mut reader = SettingsReader::new(&reader_env);
        assert!(answer_timeout(&mut reader).is_none());
        reader_env = env(&[("LECTERN_ANSWER_TIMEOUT_MS", "1")]);
        let mut reader = SettingsReader::new(&reader_env);
        assert_eq!(answer_timeout(&mut reader), Some(Duration::from_millis(1)));
    }
}
