//! What the judge sends back. Models wrap JSON in prose and Markdown and write booleans in many ways; what cannot
//! be understood without guessing is refused.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, Unexpected},
};
use serde_json::Value;

use super::{GUESSES, MAX_STATEMENTS};

/// Places of a reply where an object may begin that are tried. Each costs a pass over the reply.
const MAX_TRIES: usize = 16;
/// Where the thoughts of a model that thinks aloud end.
const END_OF_THOUGHTS: &str = "</think>";

/// A reply that can tell whether it is what was asked for.
pub(super) trait Reply: DeserializeOwned {
    /// Whether it has as many entries as it may have.
    fn is_usable(&self) -> bool;
}

/// Returns the first object in `text` that is a usable reply.
pub(super) fn read<T: Reply>(text: &str) -> Option<T> {
    let text = text.rsplit_once(END_OF_THOUGHTS).map_or(text, |(_, reply)| reply);
    let beginnings = text.match_indices('{').take(MAX_TRIES).map(|(at, _)| &text[at..]);
    // A stream takes the first value and does not mind what follows it.
    beginnings
        .filter_map(|text| serde_json::Deserializer::from_str(text).into_iter().next()?.ok())
        .find(T::is_usable)
}

/// The claims of an answer.
#[derive(Deserialize)]
pub(super) struct Statements {
    statements: Vec<String>,
}

impl Statements {
    /// Returns the claims that are not empty.
    pub(super) fn statements(&self) -> Vec<&str> {
        let trimmed = self.statements.iter().map(|statement| statement.trim());
        trimmed.filter(|statement| !statement.is_empty()).collect()
    }
}

impl Reply for Statements {
    fn is_usable(&self) -> bool {
        self.statements.len() <= MAX_STATEMENTS
    }
}

/// Whether something holds.
#[derive(Deserialize)]
pub(super) struct Verdict {
    #[serde(deserialize_with = "binary")]
    verdict: bool,
}

impl Verdict {
    pub(super) fn holds(&self) -> bool {
        self.verdict
    }
}

impl Reply for Verdict {
    fn is_usable(&self) -> bool {
        true
    }
}

/// A verdict per statement.
#[derive(Deserialize)]
pub(super) struct Verdicts {
    verdicts: Vec<Verdict>,
}

impl Verdicts {
    pub(super) fn supported(&self) -> Vec<bool> {
        self.verdicts.iter().map(Verdict::holds).collect()
    }
}

impl Reply for Verdicts {
    fn is_usable(&self) -> bool {
        (1..=MAX_STATEMENTS).contains(&self.verdicts.len())
    }
}

#[derive(Deserialize)]
struct Classification {
    #[serde(deserialize_with = "binary")]
    attributed: bool,
}

/// A verdict per sentence of the reference.
#[derive(Deserialize)]
pub(super) struct Classifications {
    classifications: Vec<Classification>,
}

impl Classifications {
    pub(super) fn attributed(&self) -> Vec<bool> {
        self.classifications.iter().map(|sentence| sentence.attributed).collect()
    }
}

impl Reply for Classifications {
    fn is_usable(&self) -> bool {
        (1..=MAX_STATEMENTS).contains(&self.classifications.len())
    }
}

#[derive(Deserialize)]
struct Guess {
    question: String,
    #[serde(deserialize_with = "binary")]
    noncommittal: bool,
}

/// Questions the answer may have been given to.
#[derive(Deserialize)]
pub(super) struct Guesses {
    questions: Vec<Guess>,
}

impl Guesses {
    fn guesses(&self) -> impl Iterator<Item = &Guess> {
        self.questions.iter().filter(|guess| !guess.question.trim().is_empty()).take(GUESSES)
    }

    pub(super) fn questions(&self) -> Vec<&str> {
        self.guesses().map(|guess| guess.question.trim()).collect()
    }

    pub(super) fn all_noncommittal(&self) -> bool {
        self.guesses().all(|guess| guess.noncommittal)
    }
}

impl Reply for Guesses {
    fn is_usable(&self) -> bool {
        self.questions().len() == GUESSES
    }
}

fn binary<'json, D: Deserializer<'json>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let said = match &value {
        Value::Bool(holds) => return Ok(*holds),
        Value::Number(number) => number.to_string(),
        Value::String(word) => word.trim().to_ascii_lowercase(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    };
    match said.as_str() {
        "1" | "1.0" | "true" | "yes" => Ok(true),
        "0" | "0.0" | "false" | "no" => Ok(false),
        // The value itself is the model's text and stays out of messages.
        _ => Err(D::Error::invalid_value(Unexpected::Other("another value"), &"0 or 1")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdict(text: &str) -> Option<bool> {
        read::<Verdict>(text).map(|verdict| verdict.holds())
    }

    #[test]
    fn verdicts_are_understood_in_every_spelling_that_leaves_no_doubt() {
        for holds in ["1", "1.0", "true", "\"1\"", "\" Yes\"", "\"TRUE\""] {
            assert_eq!(verdict(&format!("{{\"verdict\": {holds}}}")), Some(true), "{holds}");
        }
        for fails in ["0", "0.0", "false", "\"0\"", "\"no\"", "\"False\""] {
            assert_eq!(verdict(&format!("{{\"verdict\": {fails}}}")), Some(false), "{fails}");
        }
        for unclear in ["2", "-1", "0.5", "null", "\"maybe\"", "[1]", "{\"a\": 1}", "\"\""] {
            assert_eq!(verdict(&format!("{{\"verdict\": {unclear}}}")), None, "{unclear}");
        }
    }

    #[test]
    fn the_object_is_found_in_prose_markdown_and_after_thoughts() {
        for text in [
            "{\"reason\": \"x\", \"verdict\": 1}",
            "```json\n{\"verdict\": 1}\n```",
            "Here you are {as asked}: {\"verdict\": 1} Anything else?",
            "<think>perhaps {\"verdict\": 0}</think>\n{\"verdict\": 1}",
        ] {
            assert_eq!(verdict(text), Some(true), "{text}");
        }
        for text in ["", "yes", "{\"verdict\": 1", "[1]", "{}", "{\"verdicts\": [1]}"] {
            assert_eq!(verdict(text), None, "{text}");
        }
        let late = format!("{}{{\"verdict\": 1}}", "{ ".repeat(MAX_TRIES));
        assert_eq!(verdict(&late), None, "only so many places are tried");
        assert_eq!(verdict(&late[2..]), Some(true));
    }

    #[test]
    fn counts_are_bounded() {
        let statements = |count: usize| {
            let text = serde_json::json!({ "statements": vec!["a"; count] }).to_string();
            read::<Statements>(&text).map(|reply| reply.statements().len())
        };
        assert_eq!(statements(0), Some(0));
        assert_eq!(statements(MAX_STATEMENTS), Some(MAX_STATEMENTS));
        assert_eq!(statements(MAX_STATEMENTS + 1), None);
        let blank = read::<Statements>(r#"{"statements": [" ", "a "]}"#).unwrap();
        assert_eq!(blank.statements(), ["a"]);
        assert!(read::<Verdicts>(r#"{"verdicts": []}"#).is_none());
        assert!(read::<Classifications>(r#"{"classifications": []}"#).is_none());
    }

    #[test]
    fn three_questions_are_wanted_and_a_fourth_is_left_out() {
        let guesses = |questions: &[(&str, u8)]| {
            let questions: Value = questions
                .iter()
                .map(|(question, flag)| serde_json::json!({"question": question, "noncommittal": flag}))
                .collect();
            read::<Guesses>(&serde_json::json!({ "questions": questions }).to_string())
        };
        assert!(guesses(&[("a?", 0), ("b?", 0)]).is_none());
        assert!(guesses(&[("a?", 0), ("b?", 0), (" ", 0)]).is_none());
        let four = guesses(&[("a?", 1), ("b?", 1), ("c?", 1), ("d?", 0)]).unwrap();
        assert_eq!((four.questions(), four.all_noncommittal()), (vec!["a?", "b?", "c?"], true));
        assert!(!guesses(&[("a?", 1), ("b?", 0), ("c?", 1)]).unwrap().all_noncommittal());
    }

    proptest! {
        #[test]
        fn no_reply_makes_reading_fail(text in "[\\{\\}\\[\\]\":,a-z0-9 ]{0,200}|\\PC{0,100}") {
            drop(read::<Guesses>(&text));
            drop(read::<Verdicts>(&text));
        }
    }
}
