//! Which model a setting names, as values; [`EmbedderConfig::open`], [`ChatConfig::open`] and
//! [`RerankerConfig::open`] build it.

mod reranker;

use std::{path::PathBuf, sync::Arc};

use lectern_core::{
    ports::{ChatModel, Embedder, EmbeddingModel},
    secret::LiveSecret,
};
use lectern_telemetry::observed::{ObservedChat, ObservedEmbedder};
use thiserror::Error;

pub use reranker::RerankerConfig;

use crate::{bedrock, bedrock::Guardrail, identity, rerank::Vendor, retrying::RetryPolicy};

/// Whose model it is, as telemetry names them (OpenTelemetry semantic conventions, `gen_ai.provider.name`).
const OPENAI: &str = "openai";
const BEDROCK: &str = "aws.bedrock";
/// The model in this process.
const IN_PROCESS: &str = "lectern";

/// Why a model cannot be had. Never holds the key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The setting names no known kind of model.
    #[error("`{found}` is not one of {expected}")]
    Unknown {
        /// What the setting holds.
        found: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// The length of the model's vectors is neither known nor given.
    #[error("the vectors' length of `{0}` is not known; write `openai:{0}@DIMENSIONS`")]
    Dimensions(String),
    /// A model of Bedrock that cannot embed, or not into vectors of that length.
    #[error(transparent)]
    Bedrock(#[from] bedrock::ModelError),
    /// The adapter was left out of this binary.
    #[error("this binary was compiled without the adapter `{0}`")]
    NotCompiled(&'static str),
    /// A guardrail of Bedrock cannot be put before a model that is elsewhere.
    #[error("`{0}` is no model of Bedrock, and the guardrail would not be before it")]
    Unguarded(String),
    /// A vendor's own API is to be asked without a key.
    #[error("`{0}` wants a key")]
    KeyMissing(Vendor),
    /// The address of `tei:URL` is also set apart.
    #[error("`tei:URL` holds its address; leave the other one out")]
    TwoAddresses,
    /// The model in process is not installed or cannot be read.
    #[cfg(feature = "minilm")]
    #[error(transparent)]
    MiniLm(#[from] crate::minilm::ModelError),
    /// The API's address or client is unusable.
    #[cfg(feature = "openai")]
    #[error(transparent)]
    Endpoint(#[from] crate::openai::EndpointError),
}

/// The API models may use: `LECTERN_MODEL_URL` and `LECTERN_MODEL_API_KEY` for chats and embeddings,
/// `LECTERN_RERANKER_URL` and `LECTERN_RERANKER_API_KEY` for rerankers.
#[derive(Clone, Debug, Default)]
pub struct ApiConfig {
    /// Base URL; the vendor's own when absent.
    pub base_url: Option<String>,
    /// Bearer token; local servers take none.
    pub key: Option<LiveSecret>,
}

/// Which embedder, the value of `LECTERN_EMBEDDER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbedderConfig {
    /// `none`: retrieval by BM25 alone.
    None,
    /// `minilm`: all-MiniLM-L6-v2 in process.
    MiniLm,
    /// `openai:MODEL` or `openai:MODEL@DIMENSIONS`.
    OpenAi {
        /// The API's name of the model.
        model: String,
        /// Numbers per vector, where the setting says it.
        dimensions: Option<usize>,
    },
    /// `bedrock:MODEL` or `bedrock:MODEL@DIMENSIONS`.
    Bedrock {
        /// Id of a foundation model, id of an inference profile, or an ARN.
        model: String,
        /// Numbers per vector, where the setting says it.
        dimensions: Option<usize>,
    },
}

/// Which chat model, the value of `LECTERN_CHAT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatConfig {
    /// `extractive`: answers are sentences of the documents; no model is called.
    Extractive,
    /// `openai:MODEL`.
    OpenAi {
        /// The API's name of the model.
        model: String,
    },
    /// `bedrock:MODEL`.
    Bedrock {
        /// Id of a foundation model, id of an inference profile, or an ARN.
        model: String,
    },
}

impl EmbedderConfig {
    /// Returns what `raw` names.
    ///
    /// # Errors
    /// When it names nothing known.
    pub fn parse(raw: &str) -> Result<Self, ConfigError> {
        match (raw, raw.split_once(':')) {
            ("none", _) => Ok(Self::None),
            ("minilm", _) => Ok(Self::MiniLm),
            (_, Some(("openai", named))) if !named.is_empty() => {
                let (model, dimensions) = parse_model(named);
                Ok(Self::OpenAi { model, dimensions })
            }
            (_, Some(("bedrock", named))) if !named.is_empty() => {
                let (model, dimensions) = parse_model(named);
                Ok(Self::Bedrock { model, dimensions })
            }
            _ => Err(ConfigError::Unknown {
                found: raw.to_owned(),
                expected: "`none`, `minilm`, `openai:MODEL`, `bedrock:MODEL`",
            }),
        }
    }

    /// Returns whose vectors the embedder makes, `None` for `none`. Asks nobody and needs no adapter.
    ///
    /// # Errors
    /// When the length of the vectors is neither known nor given.
    pub fn embedding_model(&self) -> Result<Option<EmbeddingModel>, ConfigError> {
        match self {
            Self::None => Ok(None),
            Self::MiniLm => {
                let (id, dimensions) = identity::MINILM;
                Ok(Some(EmbeddingModel { id: id.to_owned(), dimensions }))
            }
            Self::OpenAi { model, dimensions } => {
                let dimensions = dimensions.or_else(|| identity::native_dimensions(model));
                let dimensions =
                    dimensions.ok_or_else(|| ConfigError::Dimensions(model.to_owned()))?;
                Ok(Some(identity::openai(model, dimensions)))
            }
            Self::Bedrock { model, dimensions } => {
                Ok(Some(bedrock::Model::parse(model, *dimensions)?.identity))
            }
        }
    }

    /// Returns the embedder, tried again as `policy` says where it is a network away; `None` for `none`.
    /// `model_directory` is where [`crate::minilm`] is installed. Reads from disk; connects to nothing.
    ///
    /// # Errors
    /// When the adapter is not compiled in, not installed, or its address is unusable.
    pub fn open(
        &self,
        api: &ApiConfig,
        model_directory: &std::path::Path,
        policy: RetryPolicy,
    ) -> Result<Option<Arc<dyn Embedder>>, ConfigError> {
        let (embedder, provider) = match self {
            Self::None => return Ok(None),
            Self::MiniLm => (open_minilm(model_directory)?, IN_PROCESS),
            Self::OpenAi { model, dimensions } => {
                (open_embedder(model, *dimensions, api, policy)?, OPENAI)
            }
            Self::Bedrock { model, dimensions } => {
                (bedrock::open_embedder(model, *dimensions, policy)?, BEDROCK)
            }
        };
        Ok(Some(Arc::new(ObservedEmbedder::new(embedder, provider))))
    }
}

/// An Ollama tag and Bedrock's ids contain `:`, a hub's name and an ARN `/`; `@` is free to set the dimensions apart.
fn parse_model(named: &str) -> (String, Option<usize>) {
    let parts = named.rsplit_once('@');
    match parts.and_then(|(model, number)| Some((model, number.parse().ok()?))) {
        Some((model, dimensions)) if !model.is_empty() && dimensions > 0 => {
            (model.to_owned(), Some(dimensions))
        }
        _ => (named.to_owned(), None),
    }
}

impl ChatConfig {
    /// Returns what `raw` names.
    ///
    /// # Errors
    /// When it names nothing known.
    pub fn parse(raw: &str) -> Result<Self, ConfigError> {
        match (raw, raw.split_once(':')) {
            ("extractive", _) => Ok(Self::Extractive),
            (_, Some(("openai", model))) if !model.is_empty() => {
                Ok(Self::OpenAi { model: model.to_owned() })
            }
            (_, Some(("bedrock", model))) if !model.is_empty() => {
                Ok(Self::Bedrock { model: model.to_owned() })
            }
            _ => Err(ConfigError::Unknown {
                found: raw.to_owned(),
                expected: "`extractive`, `openai:MODEL`, `bedrock:MODEL`",
            }),
        }
    }

    /// Returns the model, behind `guardrail` where there is one and tried again as `policy` says; `None` for
    /// `extractive`, whose sentences are the documents' own. Connects to nothing.
    ///
    /// # Errors
    /// When the adapter is not compiled in, its address is unusable, or the guardrail cannot be put before it.
    pub fn open(
        &self,
        api: &ApiConfig,
        guardrail: Option<&Guardrail>,
        policy: RetryPolicy,
    ) -> Result<Option<Arc<dyn ChatModel>>, ConfigError> {
        self.guardable(guardrail)?;
        let (chat, provider) = match self {
            Self::Extractive => return Ok(None),
            Self::OpenAi { model } => (open_chat(model, api, policy)?, OPENAI),
            Self::Bedrock { model } => (bedrock::open_chat(model, guardrail, policy)?, BEDROCK),
        };
        Ok(Some(Arc::new(ObservedChat::new(chat, provider))))
    }

    /// Refuses a guardrail that would not be before the model: whoever sets one counts on it.
    ///
    /// # Errors
    /// When there is one, and the model is not Bedrock's.
    pub fn guardable(&self, guardrail: Option<&Guardrail>) -> Result<(), ConfigError> {
        match (self, guardrail) {
            (Self::OpenAi { .. }, Some(_)) => Err(ConfigError::Unguarded(self.to_string())),
            _ => Ok(()),
        }
    }
}

/// As [`ChatConfig::parse`] reads it.
impl std::fmt::Display for ChatConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Extractive => formatter.write_str("extractive"),
            Self::OpenAi { model } => write!(formatter, "openai:{model}"),
            Self::Bedrock { model } => write!(formatter, "bedrock:{model}"),
        }
    }
}

#[cfg(feature = "minilm")]
fn open_minilm(directory: &std::path::Path) -> Result<Arc<dyn Embedder>, ConfigError> {
    Ok(Arc::new(crate::minilm::MiniLm::open(directory)?))
}

#[cfg(not(feature = "minilm"))]
fn open_minilm(_: &std::path::Path) -> Result<Arc<dyn Embedder>, ConfigError> {
    Err(ConfigError::NotCompiled("minilm"))
}

#[cfg(feature = "openai")]
mod api {
    use super::{ApiConfig, Arc, ChatModel, ConfigError, Embedder, RetryPolicy};
    use crate::{
        openai::{
            DEFAULT_BASE_URL, EmbeddingLimits, Endpoint, EndpointError, OpenAiChat, OpenAiEmbedder,
            ReplyLimits, native_dimensions,
        },
        retrying::Retrying,
        timed::Timed,
    };

    fn endpoint(api: &ApiConfig) -> Result<Endpoint, EndpointError> {
        let base_url = api.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL);
        Endpoint::new(base_url, api.key.clone(), ReplyLimits::default())
    }

    pub(super) fn open_embedder(
        model: &str,
        dimensions: Option<usize>,
        api: &ApiConfig,
        policy: RetryPolicy,
    ) -> Result<Arc<dyn Embedder>, ConfigError> {
        let dimensions = dimensions.or_else(|| native_dimensions(model));
        let dimensions = dimensions.ok_or_else(|| ConfigError::Dimensions(model.to_owned()))?;
        let limits = EmbeddingLimits::default();
        let embedder = OpenAiEmbedder::new(endpoint(api)?, model, dimensions, limits);
        // Half, so that an attempt that hangs leaves time for another.
        let timed = Timed::new(embedder, policy.embedding_budget / 2);
        Ok(Arc::new(Retrying::new(timed, policy)))
    }

    pub(super) fn open_chat(
        model: &str,
        api: &ApiConfig,
        policy: RetryPolicy,
    ) -> Result<Arc<dyn ChatModel>, ConfigError> {
        Ok(Arc::new(Retrying::new(OpenAiChat::new(endpoint(api)?, model), policy)))
    }
}

#[cfg(not(feature = "openai"))]
mod api {
    use super::{ApiConfig, Arc, ChatModel, ConfigError, Embedder, RetryPolicy};

    pub(super) fn open_embedder(
        _: &str,
        _: Option<usize>,
        _: &ApiConfig,
        _: RetryPolicy,
    ) -> Result<Arc<dyn Embedder>, ConfigError> {
        Err(ConfigError::NotCompiled("openai"))
    }

    pub(super) fn open_chat(
        _: &str,
        _: &ApiConfig,
        _: RetryPolicy,
    ) -> Result<Arc<dyn ChatModel>, ConfigError> {
        Err(ConfigError::NotCompiled("openai"))
    }
}

use api::{open_chat, open_embedder};

/// Where `lectern model install` puts all-MiniLM-L6-v2 below a data directory.
#[must_use]
pub fn minilm_directory(data_directory: &std::path::Path) -> PathBuf {
    data_directory.join("models").join("all-MiniLM-L6-v2")
}

#[cfg(test)]
mod tests;
