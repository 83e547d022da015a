//! Which reranker a setting names.

use std::sync::Arc;

use lectern_core::ports::Reranker;
use lectern_telemetry::observed::ObservedReranker;

use super::{ApiConfig, ConfigError};
use crate::{rerank::Vendor, retrying::RetryPolicy};

/// Which reranker, the value of `LECTERN_RERANKER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RerankerConfig {
    /// `none`: the fused order stays.
    None,
    /// `cohere:MODEL`, `jina:MODEL` or `voyage:MODEL`.
    Hosted {
        /// Whose API.
        vendor: Vendor,
        /// The vendor's name of the model.
        model: String,
    },
    /// `tei:URL`: Text Embeddings Inference.
    Tei {
        /// Address of the server, the part before `/rerank`.
        base_url: String,
    },
}

impl RerankerConfig {
    /// Returns what `raw` names.
    ///
    /// # Errors
    /// When it names nothing known.
    pub fn parse(raw: &str) -> Result<Self, ConfigError> {
        let unknown = || ConfigError::Unknown {
            found: raw.to_owned(),
            expected: "`none`, `cohere:MODEL`, `jina:MODEL`, `voyage:MODEL`, `tei:URL`",
        };
        if raw == "none" {
            return Ok(Self::None);
        }
        let (kind, named) = raw.split_once(':').ok_or_else(unknown)?;
        match (kind, kind.parse()) {
            _ if named.is_empty() => Err(unknown()),
            ("tei", _) => Ok(Self::Tei { base_url: named.to_owned() }),
            (_, Ok(vendor)) => Ok(Self::Hosted { vendor, model: named.to_owned() }),
            (_, Err(())) => Err(unknown()),
        }
    }

    /// Returns the reranker, tried again as `policy` says within the time of each call; `None` for `none`.
    /// `api` is where a vendor's models are if not at the vendor's, and the key. Connects to nothing.
    ///
    /// # Errors
    /// When the adapter is not compiled in, its address is unusable or said twice, or the vendor's own API is
    /// to be asked without a key.
    pub fn open(
        &self,
        api: &ApiConfig,
        policy: RetryPolicy,
    ) -> Result<Option<Arc<dyn Reranker>>, ConfigError> {
        let (reranker, provider) = match self {
            Self::None => return Ok(None),
            Self::Hosted { vendor, .. } if api.base_url.is_none() && api.key.is_none() => {
                return Err(ConfigError::KeyMissing(*vendor));
            }
            Self::Tei { .. } if api.base_url.is_some() => return Err(ConfigError::TwoAddresses),
            Self::Hosted { vendor, model } => {
                let base_url = api.base_url.as_deref().unwrap_or(vendor.default_base_url());
                (adapters::hosted(base_url, *vendor, model, api, policy)?, vendor.as_str())
            }
            Self::Tei { base_url } => (adapters::tei(base_url, api, policy)?, "tei"),
        };
        Ok(Some(Arc::new(ObservedReranker::new(reranker, provider))))
    }
}

#[cfg(feature = "openai")]
mod adapters {
    use super::{ApiConfig, Arc, ConfigError, Reranker, RetryPolicy, Vendor};
    use crate::{
        http::{Endpoint, EndpointError, ReplyLimits},
        rerank::{HostedReranker, MAX_REPLY_BYTES, TeiReranker},
        retrying::Retrying,
    };

    fn endpoint(base_url: &str, api: &ApiConfig) -> Result<Endpoint, EndpointError> {
        let limits = ReplyLimits { body_bytes: MAX_REPLY_BYTES, ..ReplyLimits::default() };
        Endpoint::new(base_url, api.key.clone(), limits)
    }

    pub(super) fn hosted(
        base_url: &str,
        vendor: Vendor,
        model: &str,
        api: &ApiConfig,
        policy: RetryPolicy,
    ) -> Result<Arc<dyn Reranker>, ConfigError> {
        let reranker = HostedReranker::new(endpoint(base_url, api)?, vendor, model);
        Ok(Arc::new(Retrying::new(reranker, policy)))
    }

    pub(super) fn tei(
        base_url: &str,
        api: &ApiConfig,
        policy: RetryPolicy,
    ) -> Result<Arc<dyn Reranker>, ConfigError> {
        let reranker = TeiReranker::new(endpoint(base_url, api)?);
        Ok(Arc::new(Retrying::new(reranker, policy)))
    }
}

#[cfg(not(feature = "openai"))]
mod adapters {
    use super::{ApiConfig, Arc, ConfigError, Reranker, RetryPolicy, Vendor};

    pub(super) fn hosted(
        _: &str,
        _: Vendor,
        _: &str,
        _: &ApiConfig,
        _: RetryPolicy,
    ) -> Result<Arc<dyn Reranker>, ConfigError> {
        Err(ConfigError::NotCompiled("openai"))
    }

    pub(super) fn tei(
        _: &str,
        _: &ApiConfig,
        _: RetryPolicy,
    ) -> Result<Arc<dyn Reranker>, ConfigError> {
        Err(ConfigError::NotCompiled("openai"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosted(vendor: Vendor, model: &str) -> RerankerConfig {
        RerankerConfig::Hosted { vendor, model: model.to_owned() }
    }

    #[test]
    fn rerankers_are_named_by_one_string() {
        let tei = RerankerConfig::Tei { base_url: "http://localhost:8080".to_owned() };
        for (raw, expected) in [
            ("none", RerankerConfig::None),
            ("cohere:rerank-v3.5", hosted(Vendor::Cohere, "rerank-v3.5")),
            ("jina:jina-reranker-v3", hosted(Vendor::Jina, "jina-reranker-v3")),
            ("jina:org/model:tag", hosted(Vendor::Jina, "org/model:tag")),
            ("voyage:rerank-2.5", hosted(Vendor::Voyage, "rerank-2.5")),
            ("tei:http://localhost:8080", tei),
        ] {
            assert_eq!(RerankerConfig::parse(raw).unwrap(), expected);
        }
        for raw in ["", "cohere", "cohere:", "tei:", "Cohere:x", "bge:x", ":x"] {
            let error = RerankerConfig::parse(raw).unwrap_err().to_string();
            assert!(error.contains("`voyage:MODEL`, `tei:URL`"), "{error}");
        }
    }

    #[test]
    fn none_opens_nothing() {
        let opened = RerankerConfig::None.open(&ApiConfig::default(), RetryPolicy::default());
        assert!(opened.unwrap().is_none());
    }

    #[cfg(feature = "openai")]
    #[test]
    fn a_vendor_needs_its_key_and_tei_one_address() {
        let open = |raw: &str, base_url: Option<&str>, key: Option<&str>| {
            let api = ApiConfig { base_url: base_url.map(str::to_owned), key: key.map(Into::into) };
            RerankerConfig::parse(raw).unwrap().open(&api, RetryPolicy::default())
        };
        let named = |opened: Result<Option<Arc<dyn Reranker>>, ConfigError>| {
            opened.unwrap().unwrap().model().to_owned()
        };
        assert_eq!(named(open("cohere:rerank-v3.5", None, Some("k"))), "cohere:rerank-v3.5");
        assert_eq!(named(open("jina:mine", Some("http://localhost/v1"), None)), "jina:mine");
        assert_eq!(named(open("tei:http://localhost", None, None)), "tei");
        let error = open("voyage:rerank-2.5", None, None).unwrap_err().to_string();
        assert!(error.contains("`voyage` wants a key"), "{error}");
        let error = open("tei:http://localhost", Some("http://other"), None).unwrap_err();
        assert!(matches!(error, ConfigError::TwoAddresses), "{error}");
        let error = open("tei:localhost", None, None).unwrap_err();
        assert!(matches!(error, ConfigError::Endpoint(_)), "{error}");
    }

    #[cfg(not(feature = "openai"))]
    #[test]
    fn an_adapter_left_out_says_so() {
        let config = RerankerConfig::parse("tei:http://localhost").unwrap();
        let error = config.open(&ApiConfig::default(), RetryPolicy::default()).err();
        let message = error.map(|error| error.to_string());
        let expected = "this binary was compiled without the adapter `openai`";
        assert_eq!(message.as_deref(), Some(expected));
    }
}
