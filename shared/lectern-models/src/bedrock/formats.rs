//! How the families of embedding models want to be asked, and what they take.

use lectern_core::{chunking::estimate_tokens, ports::Embedded};
use serde::Deserialize;
use serde_json::{Value, json};

use super::models::{Family, Model};

/// Titan refuses more than 8 192 tokens or 50 000 characters. No tokeniser makes more tokens than bytes; some bytes are
/// left for the tokens it adds.
const TITAN_BYTES: usize = 8_180;
/// Cohere takes 96 texts of at most 2 048 characters in one request.
const COHERE_TEXTS: usize = 96;
const COHERE_CHARACTERS: usize = 2_048;

impl Model {
    /// Most texts of one request.
    pub(super) fn batch_texts(&self) -> usize {
        match self.family {
            Family::Titan => 1,
            Family::Cohere => COHERE_TEXTS,
        }
    }

    /// Returns the longest beginning of `text` that the model takes.
    pub(super) fn cut<'text>(&self, text: &'text str) -> &'text str {
        // The port refuses no text, and Titan refuses the empty one.
        let text = if text.is_empty() { " " } else { text };
        let end = match self.family {
            Family::Titan => text.floor_char_boundary(TITAN_BYTES),
            Family::Cohere => end_of_utf16(text, COHERE_CHARACTERS),
        };
        &text[..end]
    }

    /// Returns the body that asks for the vectors of `texts`, as many as one request takes.
    pub(super) fn body(&self, texts: &[String]) -> Value {
        match (self.family, self.is_known) {
            (Family::Titan, true) => json!({
                "inputText": texts.concat(),
                "dimensions": self.identity.dimensions,
                "normalize": true,
            }),
            (Family::Titan, false) => json!({ "inputText": texts.concat() }),
            (Family::Cohere, true) => {
                json!({ "texts": texts, "input_type": "search_document", "truncate": "END" })
            }
            (Family::Cohere, false) => {
                json!({ "texts": texts, "input_type": "search_document" })
            }
        }
    }

    /// Returns the vectors of a reply to `texts`, with the tokens Titan counted; Cohere's body has none, they are estimated.
    pub(super) fn embedded(
        &self,
        reply: &[u8],
        texts: &[String],
    ) -> Result<Embedded, serde_json::Error> {
        let (vectors, counted) = match self.family {
            Family::Titan => {
                let reply: TitanReply = serde_json::from_slice(reply)?;
                (vec![reply.embedding], reply.input_text_token_count)
            }
            Family::Cohere => (serde_json::from_slice::<CohereReply>(reply)?.embeddings, None),
        };
        Ok(Embedded { vectors, tokens: counted.unwrap_or_else(|| self.estimate(texts)) })
    }

    /// Returns how many tokens the texts are, by estimate, as far as the model reads them.
    pub(super) fn estimate(&self, texts: &[String]) -> u64 {
        texts.iter().map(|text| estimate_tokens(self.cut(text)) as u64).sum()
    }
}

#[derive(Deserialize)]
struct TitanReply {
    embedding: Vec<f32>,
    #[serde(rename = "inputTextTokenCount")]
    input_text_token_count: Option<u64>,
}

#[derive(Deserialize)]
struct CohereReply {
    embeddings: Vec<Vec<f32>>,
}

/// Returns where the first `limit` UTF-16 units of `text` end: whoever counts characters counts no more of them.
fn end_of_utf16(text: &str, limit: usize) -> usize {
    let mut units = 0;
    let beyond = text.char_indices().find(|(_, character)| {
        units += character.len_utf16();
        units > limit
    });
    beyond.map_or(text.len(), |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_go_only_to_models_that_take_them() {
        let body = |model, asked| Model::parse(model, asked).unwrap().body(&["one".to_owned()]);
        assert_eq!(
            body("amazon.titan-embed-text-v2:0", Some(512)),
            json!({"inputText": "one", "dimensions": 512, "normalize": true})
        );
        assert_eq!(body("amazon.titan-embed-text-v1", Some(1_536)), json!({"inputText": "one"}));
        assert_eq!(
            body("cohere.embed-english-v3", None),
            json!({"texts": ["one"], "input_type": "search_document", "truncate": "END"})
        );
        assert_eq!(
            body("cohere.embed-v4:0", Some(1_536)),
            json!({"texts": ["one"], "input_type": "search_document"})
        );
    }

    #[test]
    fn tokens_are_those_of_the_reply_or_an_estimate_of_what_is_read() {
        let titan = Model::parse("amazon.titan-embed-text-v2:0", None).unwrap();
        let cohere = Model::parse("cohere.embed-english-v3", None).unwrap();
        let texts = ["one two three".to_owned()];
        let tokens =
            |model: &Model, reply: &str| model.embedded(reply.as_bytes(), &texts).unwrap().tokens;
        assert_eq!(tokens(&titan, r#"{"embedding":[1.0],"inputTextTokenCount":7}"#), 7);
        let estimate = titan.estimate(&texts);
        assert!(estimate >= 3, "{estimate}");
        assert_eq!(tokens(&titan, r#"{"embedding":[1.0]}"#), estimate);
        assert_eq!(tokens(&cohere, r#"{"embeddings":[[1.0]]}"#), estimate);
        let (long, longer) = (["a ".repeat(2_000)], ["a ".repeat(9_000)]);
        assert_eq!(cohere.estimate(&long), cohere.estimate(&longer));
    }

    #[test]
    fn cuts_between_characters() {
        let titan = Model::parse("amazon.titan-embed-text-v2:0", None).unwrap();
        let cohere = Model::parse("cohere.embed-english-v3", None).unwrap();
        assert_eq!(titan.cut(""), " ");
        assert_eq!(cohere.cut("short"), "short");
        assert_eq!(titan.cut(&"備".repeat(9_000)).len(), 8_178);
        assert_eq!(cohere.cut(&"備".repeat(9_000)).chars().count(), 2_048);
        assert_eq!(cohere.cut(&format!("a{}", "😀".repeat(9_000))).chars().count(), 1_024);
    }
}
