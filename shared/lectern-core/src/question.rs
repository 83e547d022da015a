//! What may be asked.

use std::{fmt, str::FromStr};

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Longest question in characters, as it is written.
pub const MAX_QUESTION_CHARS: usize = 4_000;

/// Why a text is not a question.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QuestionError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Too long.
    #[error("must be at most {MAX_QUESTION_CHARS} characters")]
    TooLong,
}

/// A question: NFC, trimmed, without control characters, made from at most [`MAX_QUESTION_CHARS`] characters. A few characters
/// become two by NFC.
///
/// Has no `Display`: a question is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Question(String);

impl Question {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Question({} bytes)", self.0.len())
    }
}

impl FromStr for Question {
    type Err = QuestionError;

    fn from_str(raw: &str) -> Result<Self, QuestionError> {
        // As it was written: what a client can count, and normalising is bounded too.
        if raw.chars().take(MAX_QUESTION_CHARS + 1).count() > MAX_QUESTION_CHARS {
            return Err(QuestionError::TooLong);
        }
        let plain = |character: char| if character.is_control() { ' ' } else { character };
        let text: String = raw.nfc().map(plain).collect();
        let text = text.trim();
        if text.is_empty() {
            return Err(QuestionError::Empty);
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        assert!("س".repeat(MAX_QUESTION_CHARS).parse::<Question>().is_ok());
        let long = "س".repeat(MAX_QUESTION_CHARS + 1);
        assert_eq!(long.parse::<Question>(), Err(QuestionError::TooLong));
        assert_eq!("x".repeat(1_000_000).parse::<Question>(), Err(QuestionError::TooLong));
        // Also those that are taken out: a client counts what it sends.
        for taken in ["\u{94}", " "] {
            let long = format!("{taken}{}", "x".repeat(MAX_QUESTION_CHARS));
            assert_eq!(long.parse::<Question>(), Err(QuestionError::TooLong), "{taken:?}");
        }
        // One that NFC writes as two.
        let composed: Question = "\u{958}".repeat(MAX_QUESTION_CHARS).parse().unwrap();
        assert_eq!(composed.as_str().chars().count(), 2 * MAX_QUESTION_CHARS);
    }

    #[test]
    fn trims_and_never_shows_itself() {
        let question: Question = " what\u{0}is\nit? ".parse().unwrap();
        assert_eq!(question.as_str(), "what is it?");
        assert_eq!(format!("{question:?}"), "Question(11 bytes)");
        assert_eq!(" \n".parse::<Question>(), Err(QuestionError::Empty));
    }
}
