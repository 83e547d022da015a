//! What tokens cost, and what else answering does.

mod running;

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::running::{Estimates, Function, IndexPrice, LambdaPrice, LambdaPrices, NanoDollars};
use crate::ports::TokenCount;

const BUILT_IN: &str = include_str!("prices.json");

/// Millionths of a US dollar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroDollars(pub u64);

impl MicroDollars {
    /// Returns dollars, for people and JSON.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact below 9 billion dollars")]
    pub fn as_dollars(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }
}

/// Most dollars that are taken as an amount.
const MAX_DOLLARS: u64 = 1_000_000_000;

/// A text is no amount of dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be dollars, 0 to {MAX_DOLLARS}, with at most six decimals")]
pub struct NotDollars;

impl FromStr for MicroDollars {
    type Err = NotDollars;

    /// Parses dollars, `12.5`.
    fn from_str(raw: &str) -> Result<Self, NotDollars> {
        let (whole, decimals) = raw.split_once('.').unwrap_or((raw, "0"));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_short = !whole.is_empty() && (1..=6).contains(&decimals.len());
        if !is_short || !is_number(whole) || !is_number(decimals) {
            return Err(NotDollars);
        }
        let whole: u64 = whole.parse().map_err(|_| NotDollars)?;
        let decimals: u64 = format!("{decimals:0<6}").parse().map_err(|_| NotDollars)?;
        let amount = whole.checked_mul(1_000_000).map(|micro| micro + decimals);
        amount.filter(|micro| *micro <= MAX_DOLLARS * 1_000_000).map(Self).ok_or(NotDollars)
    }
}

impl TryFrom<f64> for MicroDollars {
    type Error = NotDollars;

    /// Returns an amount of dollars, rounded to the millionth.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "in bounds"
    )]
    fn try_from(dollars: f64) -> Result<Self, NotDollars> {
        if (0.0..=MAX_DOLLARS as f64).contains(&dollars) {
            Ok(Self((dollars * 1_000_000.0).round() as u64))
        } else {
            Err(NotDollars)
        }
    }
}

/// Dollars per million tokens of one model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Per million prompt tokens.
    pub prompt: f64,
    /// Per million completion tokens.
    pub completion: f64,
}

/// The names under which an operator says what is no model's.
const LAMBDA: &str = "lambda";
const INDEX: &str = "index";

/// What an operator says of a model: what its chats cost, or what its vectors do; or of what else answering costs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum OwnPrice {
    Chat(Price),
    Embedding(EmbeddingPrice),
    Lambda(LambdaPrice),
    Index(IndexPrice),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EmbeddingPrice {
    /// Dollars per million tokens.
    embedding: f64,
}

/// A versioned table of prices by model name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// Day the prices were taken from the vendors' pages, `2026-11-21`.
    pub version: String,
    /// Price of a model that is not listed: the dearest, so that a budget errs on the safe side.
    pub unlisted: Price,
    /// Prices by model name; the longest listed prefix of a name wins.
    pub models: BTreeMap<String, Price>,
    /// Dollars per million tokens of an embedding model that is not listed: the dearest.
    pub unlisted_embedding: f64,
    /// Dollars per million tokens by a part of the embedding model's name; the longest listed part wins. A part, because
    /// inference profiles and ARNs put a region before the name.
    pub embeddings: BTreeMap<String, f64>,
    /// What AWS Lambda bills.
    pub lambda: LambdaPrices,
    /// What the index costs.
    pub index: IndexPrice,
}

/// The price table is not valid.
#[derive(Debug, Error)]
pub enum PriceError {
    /// Not the expected JSON.
    #[error("the price table is not valid JSON of the expected form")]
    Json(#[from] serde_json::Error),
    /// A price that is no finite number of at least 0.
    #[error("the price of `{0}` must be a finite number of at least 0")]
    Number(String),
    /// `lambda` or `index` with a model's price, or a model with theirs.
    #[error("`{0}` has no price of this form")]
    Form(String),
}

impl PriceTable {
    /// Returns the table this version was built with.
    ///
    /// # Panics
    /// Never: a test reads the same bytes.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the built-in table is tested")
    }

    /// Parses a table from JSON.
    ///
    /// # Errors
    /// When the form is another or a price is negative or not finite.
    pub fn parse(json: &str) -> Result<Self, PriceError> {
        serde_json::from_str::<Self>(json)?.checked()
    }

    fn checked(self) -> Result<Self, PriceError> {
        let is_price = |usd: f64| usd.is_finite() && usd >= 0.0;
        let are_prices = |price: &Price| is_price(price.prompt) && is_price(price.completion);
        let models = self.models.iter().filter(|(_, price)| !are_prices(price));
        let embeddings = self.embeddings.iter().filter(|(_, usd)| !is_price(**usd));
        let listed = models.map(|(name, _)| name).chain(embeddings.map(|(name, _)| name)).next();
        if let Some(name) = listed {
            return Err(PriceError::Number(name.clone()));
        }
        if let Some((name, _)) = self.of_running().into_iter().find(|(_, usd)| !is_price(*usd)) {
            return Err(PriceError::Number(name.to_owned()));
        }
        let unlisted = are_prices(&self.unlisted) && is_price(self.unlisted_embedding);
        if unlisted { Ok(self) } else { Err(PriceError::Number("unlisted".into())) }
    }

    /// Returns the built-in table with other prices for some models: a JSON object of [`Price`] by name, where a name is the
    /// begin of a model's, and of `{"embedding": DOLLARS}` by name, where it is a part of an embedding model's. `lambda` is a [`LambdaPrice`], for both architectures, and
    /// `index` an [`IndexPrice`].
    ///
    /// # Errors
    /// When the form is another or a price is negative or not finite.
    pub fn overridden(json: &str) -> Result<Self, PriceError> {
        let own: BTreeMap<String, OwnPrice> = serde_json::from_str(json)?;
        let mut table = Self::built_in();
        for (name, price) in own {
            match (name.as_str(), price) {
                (LAMBDA, OwnPrice::Lambda(price)) => {
                    (table.lambda.arm64, table.lambda.x86_64) = (price, price);
                }
                (INDEX, OwnPrice::Index(price)) => table.index = price,
                (LAMBDA | INDEX, _) | (_, OwnPrice::Lambda(_) | OwnPrice::Index(_)) => {
                    return Err(PriceError::Form(name));
                }
                (_, OwnPrice::Chat(price)) => {
                    table.models.insert(name, price);
                }
                (_, OwnPrice::Embedding(EmbeddingPrice { embedding })) => {
                    table.embeddings.insert(name, embedding);
                }
            }
        }
        table.checked()
    }

    /// Whether `model` has a price of its own.
    #[must_use]
    pub fn lists(&self, model: &str) -> bool {
        self.models.keys().any(|name| model.starts_with(name.as_str()))
    }

    /// Whether the embedding model `model` has a price of its own.
    #[must_use]
    pub fn lists_embedding(&self, model: &str) -> bool {
        self.embeddings.keys().any(|name| model.contains(name.as_str()))
    }

    /// Returns the price of `model`.
    #[must_use]
    pub fn price(&self, model: &str) -> Price {
        let longest = self.models.iter().filter(|(name, _)| model.starts_with(name.as_str()));
        longest.max_by_key(|(name, _)| name.len()).map_or(self.unlisted, |(_, price)| *price)
    }

    /// Returns what `tokens` of `model` cost, rounded up to the millionth.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked prices, u32 counts"
    )]
    pub fn cost(&self, model: &str, tokens: TokenCount) -> MicroDollars {
        let price = self.price(model);
        // Dollars per million tokens are millionths of a dollar per token.
        let cost = f64::from(tokens.prompt) * price.prompt
            + f64::from(tokens.completion) * price.completion;
        MicroDollars(cost.ceil() as u64)
    }

    /// Returns what `tokens` cost that the embedding model `model` was sent, rounded up to the millionth; a model in
    /// process is sent none (see [`crate::ports::Embedder::estimate`]).
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "checked prices; no account is sent 2^53 tokens"
    )]
    pub fn embedding_cost(&self, model: &str, tokens: u64) -> MicroDollars {
        let listed = self.embeddings.iter().filter(|(name, _)| model.contains(name.as_str()));
        let longest = listed.max_by_key(|(name, _)| name.len());
        let price = longest.map_or(self.unlisted_embedding, |(_, price)| *price);
        MicroDollars((tokens as f64 * price).ceil() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_prefix_wins_and_the_unlisted_is_dearest() {
        let table = PriceTable::built_in();
        assert!(table.price("gpt-4o-mini-2024-07-18").prompt < table.price("gpt-4o").prompt);
        let dearest = table.models.values().map(|price| price.completion).fold(0.0, f64::max);
        assert!(table.unlisted.completion >= dearest);
        assert!(table.lists("gpt-4o-mini-2024-07-18") && !table.lists("telepathy"));
        let small = "openai:text-embedding-3-small@512";
        assert!(table.lists_embedding(small) && !table.lists_embedding("openai:mine"));
    }

    #[test]
    fn embeddings_are_priced_by_a_part_of_their_name_and_the_unlisted_is_dearest() {
        let table = PriceTable::built_in();
        let million = |model| table.embedding_cost(model, 1_000_000);
        assert_eq!(million("openai:text-embedding-3-small@512"), MicroDollars(20_000));
        assert_eq!(million("openai:text-embedding-3-large"), MicroDollars(130_000));
        let profile = "bedrock:arn:aws:bedrock:eu-west-1:1:inference-profile/eu.cohere.embed-v4:0";
        assert_eq!(million(profile), million("bedrock:cohere.embed-v4:0"));
        let dearest = table.embeddings.values().copied().fold(0.0, f64::max);
        assert!(table.unlisted_embedding >= dearest);
        assert!(million("openai:mine") >= million("openai:gemini-embedding-001"));
        assert_eq!(table.embedding_cost("openai:mine", 0), MicroDollars(0));
        assert_eq!(table.embedding_cost("openai:text-embedding-3-small", 1), MicroDollars(1));
    }

    #[test]
    fn refuses_prices_that_are_no_price() {
        let bad = r#"{"version":"x","unlisted":{"prompt":-1,"completion":1},"models":{},"unlisted_embedding":1,"embeddings":{},"lambda":{"source":"x","arm64":{"gb_second":1,"request":1},"x86_64":{"gb_second":1,"request":1}},"index":{"question":0}}"#;
        assert!(PriceTable::parse(&bad.replace("-1", "1")).is_ok());
        assert!(PriceTable::parse(bad).is_err());
        let bad = bad
            .replace("-1", "1")
            .replace(r#""unlisted_embedding":1"#, r#""unlisted_embedding":-1"#);
        assert!(PriceTable::parse(&bad).is_err());
    }

    #[test]
    fn own_prices_stand_before_the_built_in_ones() {
        let own = r#"{"gpt-4o":{"prompt":1,"completion":2},"local/":{"prompt":0,"completion":0}}"#;
        let table = PriceTable::overridden(own).unwrap();
        assert!((table.price("gpt-4o").completion - 2.0).abs() < f64::EPSILON);
        assert!(table.price("local/qwen").completion.abs() < f64::EPSILON);
        assert_eq!(table.price("gpt-4.1"), PriceTable::built_in().price("gpt-4.1"));
        let own = r#"{"text-embedding-3":{"embedding":1},"nomic":{"embedding":0}}"#;
        let table = PriceTable::overridden(own).unwrap();
        assert_eq!(table.embedding_cost("openai:nomic-embed-text", 1_000_000), MicroDollars(0));
        // The built-in names are longer.
        let small = table.embedding_cost("openai:text-embedding-3-small", 1_000_000);
        assert_eq!(small, MicroDollars(20_000));
        for bad in [
            r#"{"x":{"prompt":-1,"completion":1}}"#,
            r#"{"x":{"prompt":1}}"#,
            r#"{"x":{"embedding":-1}}"#,
            r#"{"x":{"embedding":1,"prompt":1}}"#,
            r#"{"x":1}"#,
            "[]",
        ] {
            assert!(PriceTable::overridden(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_are_dollars_to_the_millionth() {
        for (raw, micro) in
            [("0", 0), ("12", 12_000_000), ("0.005", 5_000), ("1.000001", 1_000_001)]
        {
            assert_eq!(raw.parse(), Ok(MicroDollars(micro)), "{raw}");
            assert_eq!(
                MicroDollars::try_from(raw.parse::<f64>().unwrap()),
                Ok(MicroDollars(micro))
            );
        }
        assert_eq!("1000000000".parse(), Ok(MicroDollars(MAX_DOLLARS * 1_000_000)));
        let bad = [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "0.0000001",
            "1000000000.000001",
            "1000000001",
        ];
        for raw in bad {
            assert_eq!(raw.parse::<MicroDollars>(), Err(NotDollars), "{raw}");
        }
        for bad in [-0.1, 1.1e9, f64::NAN, f64::INFINITY] {
            assert_eq!(MicroDollars::try_from(bad), Err(NotDollars), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn cost_never_falls_when_tokens_rise(prompt in 0_u32..1_000_000, completion in 0_u32..100_000, more in 0_u32..1_000) {
            let table = PriceTable::built_in();
            let less = table.cost("gpt-4o", TokenCount { prompt, completion });
            let dearer = table.cost("gpt-4o", TokenCount { prompt: prompt + more, completion });
            prop_assert!(less <= dearer);
        }

        /// What is rounded up is less than a millionth a piece: sums over pieces are never below the whole, nor far above it.
        #[test]
        fn costs_of_pieces_add_up_to_the_whole(pieces in prop::collection::vec(0_u64..100_000, 0..20)) {
            let table = PriceTable::built_in();
            let cost = |tokens| table.embedding_cost("openai:text-embedding-3-small", tokens).0;
            let sum: u64 = pieces.iter().map(|tokens| cost(*tokens)).sum();
            let whole = cost(pieces.iter().sum());
            prop_assert!(whole <= sum && sum <= whole + pieces.len() as u64, "{sum} of {whole}");
        }
    }
}
