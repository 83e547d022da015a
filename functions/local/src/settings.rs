//! Settings of the local process, read from `LECTERN_*` variables; every problem is named at once.

use std::{fmt::Display, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use lectern_app::{back_up::seal::Seal, guesses::GUESSES_PER_MINUTE};
use lectern_core::{
    chunking::ChunkSettings,
    env::{Env, EnvError},
    issuers::Issuers,
    pricing::PriceTable,
    spending::SpendingLimits,
    web::Hosts,
};
use lectern_models::config::{ApiConfig, ChatConfig, EmbedderConfig, RerankerConfig};
use lectern_runtime::{
    concurrency::DEFAULT_KEY_CONCURRENCY, origins::Origins, telemetry::Telemetry,
};

/// Settings of the local process.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `LECTERN_EMBEDDER`: `minilm` (default: used when its files are there), `none`, `openai:MODEL`.
    pub(crate) embedder: EmbedderConfig,
    /// `LECTERN_CHAT`: `extractive` (default) or `openai:MODEL`.
    pub(crate) chat: ChatConfig,
    /// `LECTERN_CHAT_ALTERNATIVES`: further chat models that collections may name, by comma.
    pub(crate) chat_alternatives: Vec<ChatConfig>,
    /// `LECTERN_MODEL_URL` and `LECTERN_MODEL_API_KEY`: where `openai:` models are.
    pub(crate) api: ApiConfig,
    /// `LECTERN_RERANKER`: `none` (default), `cohere:MODEL`, `jina:MODEL`, `voyage:MODEL` or `tei:URL`.
    pub(crate) reranker: RerankerConfig,
    /// `LECTERN_RERANKER_URL` and `LECTERN_RERANKER_API_KEY`: where the reranker is.
    pub(crate) reranker_api: ApiConfig,
    /// `LECTERN_ANSWER_TIMEOUT_MS`: how long a whole answer may take.
    pub(crate) answer_timeout: Duration,
    /// `LECTERN_PRICES`: own prices by model, over the built-in ones.
    pub(crate) prices: Arc<PriceTable>,
    /// `LECTERN_BUDGET_USD_PER_DAY` and `LECTERN_BUDGET_USD_PER_MONTH`: most that an account may spend which has no limits of
    /// its own.
    pub(crate) spending: SpendingLimits,
    /// `LECTERN_ISSUERS`: whose tokens are trusted.
    pub(crate) issuers: Issuers,
    /// `LECTERN_ALLOWED_ORIGINS`: whose pages may call, besides the server's own.
    pub(crate) origins: Origins,
    /// `LECTERN_WRONG_KEYS_PER_MINUTE`: how often an address may present what is no key.
    pub(crate) wrong_keys_per_minute: u32,
    /// `LECTERN_KEY_CONCURRENCY`: requests of one key that are worked on at once.
    pub(crate) key_concurrency: usize,
    /// `LECTERN_AUDIT_DAYS`: how many days of the audit log are kept.
    pub(crate) audit_days: usize,
    /// `LECTERN_FETCH_HOSTS`: from which hosts documents are read by their address.
    pub(crate) fetch_hosts: Hosts,
    /// `LECTERN_MAX_DOCUMENT_BYTES`: largest document.
    pub(crate) max_document_bytes: usize,
    /// `LECTERN_INGEST_WORKERS`: documents ingested at the same time.
    pub(crate) ingest_workers: usize,
    /// `LECTERN_CHUNK_TOKENS`: tokens a chunk aims at.
    pub(crate) chunking: ChunkSettings,
    /// `LECTERN_BACKUPS_DIRECTORY`: where backups are kept; the data directory's folder `backups` without it.
    pub(crate) backups_directory: Option<PathBuf>,
    /// `LECTERN_BACKUP_IDENTITY`: lines of `age-keygen`. The first encrypts backups, each decrypts them; without it they are not
    /// encrypted.
    pub(crate) backup_seal: Option<Arc<Seal>>,
    /// Where the embedding model's files are, when not in the data directory that is opened. No variable.
    pub(crate) model_directory: Option<PathBuf>,
}

const DEFAULT_ANSWER_TIMEOUT_MS: u64 = 30_000;
const DEFAULT_MAX_DOCUMENT_BYTES: usize = 50_000_000;
/// How many days of the audit log are kept: a year, and the time an audit of it takes.
pub(crate) const DEFAULT_AUDIT_DAYS: usize = 400;
const DEFAULT_INGEST_WORKERS: usize = 2;
/// Most alternatives to the chat model.
const MAX_ALTERNATIVES: usize = 8;

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Every variable that is missing or wrong.
    pub(crate) fn from_env(env: &Env) -> Result<Self, Vec<EnvError>> {
        let mut errors = Vec::new();
        let api = ApiConfig {
            base_url: env.get("LECTERN_MODEL_URL").map(str::to_owned),
            key: env.secret("LECTERN_MODEL_API_KEY").map(Into::into),
        };
        let embedder = EmbedderConfig::parse(env.get("LECTERN_EMBEDDER").unwrap_or("minilm"));
        let embedder = note(&mut errors, "LECTERN_EMBEDDER", embedder);
        let chat = ChatConfig::parse(env.get("LECTERN_CHAT").unwrap_or("extractive"));
        let chat = note(&mut errors, "LECTERN_CHAT", chat);
        let reranker_api = ApiConfig {
            base_url: env.get("LECTERN_RERANKER_URL").map(str::to_owned),
            key: env.secret("LECTERN_RERANKER_API_KEY").map(Into::into),
        };
        let reranker = RerankerConfig::parse(env.get("LECTERN_RERANKER").unwrap_or("none"));
        let reranker = note(&mut errors, "LECTERN_RERANKER", reranker);
        let alternatives = env.get("LECTERN_CHAT_ALTERNATIVES").unwrap_or_default();
        let alternatives =
            note(&mut errors, "LECTERN_CHAT_ALTERNATIVES", parse_alternatives(alternatives));
        let timeout =
            read(&mut errors, env, "LECTERN_ANSWER_TIMEOUT_MS", DEFAULT_ANSWER_TIMEOUT_MS);
        let prices = PriceTable::overridden(env.get("LECTERN_PRICES").unwrap_or("{}"));
        let prices = note(&mut errors, "LECTERN_PRICES", prices);
        let spending = spending(&mut errors, env);
        let issuers = read(&mut errors, env, "LECTERN_ISSUERS", Issuers::default());
        let fetch_hosts = read(&mut errors, env, "LECTERN_FETCH_HOSTS", Hosts::default());
        let origins = read(&mut errors, env, "LECTERN_ALLOWED_ORIGINS", Origins::default());
        let guesses = read(&mut errors, env, "LECTERN_WRONG_KEYS_PER_MINUTE", GUESSES_PER_MINUTE);
        let bytes =
            read(&mut errors, env, "LECTERN_MAX_DOCUMENT_BYTES", DEFAULT_MAX_DOCUMENT_BYTES);
        let workers = read(&mut errors, env, "LECTERN_INGEST_WORKERS", DEFAULT_INGEST_WORKERS);
        let key_concurrency =
            read(&mut errors, env, "LECTERN_KEY_CONCURRENCY", DEFAULT_KEY_CONCURRENCY);
        let audit_days = read(&mut errors, env, "LECTERN_AUDIT_DAYS", DEFAULT_AUDIT_DAYS);
        let defaults = ChunkSettings::default();
        let target = read(&mut errors, env, "LECTERN_CHUNK_TOKENS", defaults.target_tokens());
        let chunking =
            ChunkSettings::parse(target, defaults.overlap_tokens(), defaults.max_tokens());
        let chunking = note(&mut errors, "LECTERN_CHUNK_TOKENS", chunking);
        let seal = env.secret("LECTERN_BACKUP_IDENTITY").map(|identity| Seal::parse(&identity));
        let seal = note(&mut errors, "LECTERN_BACKUP_IDENTITY", seal.transpose());
        match (embedder, chat, alternatives, reranker, chunking, prices) {
            (
                Some(embedder),
                Some(chat),
                Some(chat_alternatives),
                Some(reranker),
                Some(chunking),
                Some(prices),
            ) if errors.is_empty() => Ok(Self {
                embedder,
                chat,
                chat_alternatives,
                api,
                reranker,
                reranker_api,
                answer_timeout: Duration::from_millis(timeout),
                prices: Arc::new(prices),
                spending,
                issuers,
                fetch_hosts,
                origins,
                wrong_keys_per_minute: guesses,
                key_concurrency,
                audit_days,
                max_document_bytes: bytes,
                ingest_workers: workers.max(1),
                chunking,
                backup_seal: seal.flatten().map(Arc::new),
                backups_directory: env.get("LECTERN_BACKUPS_DIRECTORY").map(PathBuf::from),
                model_directory: None,
            }),
            _ => Err(errors),
        }
    }
}

/// Reads what is written and sent of what the process does; `levels` where `LECTERN_LOG` says nothing.
///
/// # Errors
/// The first variable that is wrong.
pub(crate) fn telemetry(env: &Env, levels: &str) -> Result<Telemetry, EnvError> {
    let sample = env.parsed::<f64>("LECTERN_LOG_SAMPLE")?.unwrap_or_default();
    if !(0.0..=1.0).contains(&sample) {
        let (name, reason) = ("LECTERN_LOG_SAMPLE".to_owned(), "must be from 0 to 1".to_owned());
        return Err(EnvError::Invalid { name, reason });
    }
    Ok(Telemetry {
        stack: String::new(),
        levels: Some(env.get("LECTERN_LOG").unwrap_or(levels).to_owned()),
        sample,
        traces: env.parsed("LECTERN_TRACES")?.unwrap_or_default(),
    })
}

/// Reads a list of chat models.
fn parse_alternatives(raw: &str) -> Result<Vec<ChatConfig>, String> {
    let named = raw.split(',').map(str::trim).filter(|name| !name.is_empty());
    let parsed: Result<Vec<ChatConfig>, _> = named.map(ChatConfig::parse).collect();
    let parsed = parsed.map_err(|error| error.to_string())?;
    if parsed.len() > MAX_ALTERNATIVES {
        return Err(format!("must be at most {MAX_ALTERNATIVES} models"));
    }
    Ok(parsed)
}

/// Reads the limits of accounts that have none of their own.
fn spending(errors: &mut Vec<EnvError>, env: &Env) -> SpendingLimits {
    let mut limit = |name| {
        env.parsed(name).unwrap_or_else(|error| {
            errors.push(error);
            None
        })
    };
    SpendingLimits {
        per_day: limit("LECTERN_BUDGET_USD_PER_DAY"),
        per_month: limit("LECTERN_BUDGET_USD_PER_MONTH"),
    }
}

fn read<T: FromStr<Err: Display>>(
    errors: &mut Vec<EnvError>,
    env: &Env,
    name: &str,
    default: T,
) -> T {
    match env.parsed(name) {
        Ok(value) => value.unwrap_or(default),
        Err(error) => {
            errors.push(error);
            default
        }
    }
}

fn note<T, E: Display>(errors: &mut Vec<EnvError>, name: &str, parsed: Result<T, E>) -> Option<T> {
    let invalid = |error: E| EnvError::Invalid { name: name.to_owned(), reason: error.to_string() };
    parsed.map_err(|error| errors.push(invalid(error))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_set_is_fine() {
        let settings = Settings::from_env(&Env::default()).unwrap();
        assert_eq!(settings.ingest_workers, DEFAULT_INGEST_WORKERS);
    }

    #[test]
    fn alternatives_are_a_bounded_list() {
        let parsed = parse_alternatives(" openai:a , extractive,").unwrap();
        assert_eq!(
            parsed.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["openai:a", "extractive"]
        );
        assert_eq!(parse_alternatives("").unwrap(), []);
        assert!(parse_alternatives(&["openai:a"; MAX_ALTERNATIVES].join(",")).is_ok());
        assert!(parse_alternatives(&["openai:a"; MAX_ALTERNATIVES + 1].join(",")).is_err());
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let env = env(&[
            ("LECTERN_CHAT", "telepathy"),
            ("LECTERN_RERANKER", "cohere"),
            ("LECTERN_INGEST_WORKERS", "many"),
            ("LECTERN_CHUNK_TOKENS", "9999"),
            ("LECTERN_CHAT_ALTERNATIVES", "openai:a,telepathy"),
        ]);
        let errors = Settings::from_env(&env).unwrap_err();
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        for name in [
            "`LECTERN_CHAT`",
            "`LECTERN_RERANKER`",
            "`LECTERN_INGEST_WORKERS`",
            "`LECTERN_CHUNK_TOKENS`",
            "`LECTERN_CHAT_ALTERNATIVES`",
        ] {
            assert!(text.iter().any(|line| line.contains(name)), "{name}: {text:?}");
        }
    }
}
