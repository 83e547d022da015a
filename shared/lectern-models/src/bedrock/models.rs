//! The embedding models whose format is known, told apart by their ids. Compiled without the adapter too: indexes are
//! named by the model, also by functions that embed nothing.

use lectern_core::ports::EmbeddingModel;
use thiserror::Error;

/// Known models, by the part of the id that inference profiles and ARNs keep, and the lengths of vectors each offers,
/// its own first. Sources: Amazon Bedrock User Guide, "Amazon Titan Embeddings Text" and "Cohere Embed v3".
const KNOWN: [(&str, &[usize]); 3] = [
    ("amazon.titan-embed-text-v2", &[1_024, 512, 256]),
    ("cohere.embed-english-v3", &[1_024]),
    ("cohere.embed-multilingual-v3", &[1_024]),
];

/// Why a model of Bedrock cannot embed.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelError {
    /// Neither Titan nor Cohere.
    #[error("`{0}` is neither a Titan text embedding model nor a Cohere embedding model")]
    Format(String),
    /// The length of the model's vectors is neither known nor given.
    #[error("the vectors' length of `{0}` is not known; write `bedrock:{0}@DIMENSIONS`")]
    Dimensions(String),
    /// The model makes no vectors of the length asked for.
    #[error("`{model}` makes vectors of {offered} numbers, not of {asked}")]
    NotOffered {
        /// The id of the model.
        model: String,
        /// What it offers.
        offered: String,
        /// What was asked for.
        asked: usize,
    },
}

/// Models that are asked in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Titan,
    Cohere,
}

/// One embedding model.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "bedrock"), expect(dead_code, reason = "read by the adapter"))]
pub(crate) struct Model {
    /// Id of a foundation model, id of an inference profile, or an ARN.
    pub(crate) name: String,
    pub(crate) family: Family,
    /// Whether it takes what the family's known models take; others are asked with as little as possible.
    pub(crate) is_known: bool,
    pub(crate) identity: EmbeddingModel,
}

impl Model {
    /// Returns the model of the id `name`, with vectors of the length `asked` for or its own.
    pub(crate) fn parse(name: &str, asked: Option<usize>) -> Result<Self, ModelError> {
        let family = if name.contains("amazon.titan-embed-text-") {
            Family::Titan
        } else if name.contains("cohere.embed-") {
            Family::Cohere
        } else {
            return Err(ModelError::Format(name.to_owned()));
        };
        let known = KNOWN.iter().find(|(part, _)| name.contains(part));
        let own = known.map(|(_, offered)| offered[0]);
        let dimensions = asked.or(own).ok_or_else(|| ModelError::Dimensions(name.to_owned()))?;
        if let Some((_, offered)) = known
            && !offered.contains(&dimensions)
        {
            let offered: Vec<_> = offered.iter().map(ToString::to_string).collect();
            let (model, offered) = (name.to_owned(), offered.join(", "));
            return Err(ModelError::NotOffered { model, offered, asked: dimensions });
        }
        let is_shortened = own.is_some_and(|own| own != dimensions);
        let suffix = if is_shortened { format!("@{dimensions}") } else { String::new() };
        let identity = EmbeddingModel { id: format!("bedrock:{name}{suffix}"), dimensions };
        Ok(Self { name: name.to_owned(), family, is_known: known.is_some(), identity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_models_are_known_under_every_name() {
        for (name, asked, dimensions, family) in [
            ("amazon.titan-embed-text-v2:0", None, 1_024, Family::Titan),
            ("amazon.titan-embed-text-v2:0", Some(1_024), 1_024, Family::Titan),
            ("cohere.embed-english-v3", None, 1_024, Family::Cohere),
            ("eu.cohere.embed-multilingual-v3", None, 1_024, Family::Cohere),
            (
                "arn:aws:bedrock:eu-west-1::foundation-model/cohere.embed-english-v3",
                None,
                1_024,
                Family::Cohere,
            ),
            ("amazon.titan-embed-text-v1", Some(1_536), 1_536, Family::Titan),
            ("global.cohere.embed-v4:0", Some(1_536), 1_536, Family::Cohere),
        ] {
            let model = Model::parse(name, asked).unwrap();
            assert_eq!((model.identity.dimensions, model.family), (dimensions, family), "{name}");
            assert_eq!(model.identity.id, format!("bedrock:{name}"));
        }
        let shortened = Model::parse("amazon.titan-embed-text-v2:0", Some(256)).unwrap();
        assert_eq!(shortened.identity.id, "bedrock:amazon.titan-embed-text-v2:0@256");
    }

    #[test]
    fn what_no_model_can_do_is_refused_at_once() {
        let refused = |model, asked| Model::parse(model, asked).unwrap_err().to_string();
        let arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x1";
        assert!(refused(arn, Some(1_024)).contains("neither a Titan text embedding"));
        let expected = "the vectors' length of `cohere.embed-v4:0` is not known; \
            write `bedrock:cohere.embed-v4:0@DIMENSIONS`";
        assert_eq!(refused("cohere.embed-v4:0", None), expected);
        let expected =
            "`amazon.titan-embed-text-v2:0` makes vectors of 1024, 512, 256 numbers, not of 300";
        assert_eq!(refused("amazon.titan-embed-text-v2:0", Some(300)), expected);
        assert!(refused("cohere.embed-english-v3", Some(512)).contains("1024 numbers, not of 512"));
    }
}
