//! Rewriting by a chat model: what it is sent, and which of its replies are used.

use super::{Earlier, MAX_EARLIER};
use crate::{
    chunking::estimate_tokens,
    ports::{ChatMessage, Role},
    question::Question,
};

const SYSTEM: &str = include_str!("../../prompts/rewrite.system.md");
const USER: &str = include_str!("../../prompts/rewrite.user.md");

/// Most tokens, by [`estimate_tokens`], of the earlier questions a model is shown; the newest are kept.
pub const MAX_EARLIER_TOKENS: usize = 400;
/// Longest rewritten question in characters: longer replies answer instead.
pub const MAX_REWRITTEN_CHARS: usize = 500;

/// Returns the messages that ask a model for `question` as it is understood after `earlier`, oldest first.
#[must_use]
pub fn prompt(earlier: &[Earlier<'_>], question: &Question) -> Vec<ChatMessage> {
    let mut left = MAX_EARLIER_TOKENS;
    let mut lines = Vec::new();
    for turn in earlier.iter().rev().take(MAX_EARLIER) {
        let line = format!("- {}\n", turn.question);
        let Some(rest) = left.checked_sub(estimate_tokens(&line)) else { break };
        left = rest;
        lines.push(line);
    }
    lines.reverse();
    // What is filled in is never searched for places to fill in.
    let (head, tail) = USER.split_once("{{earlier}}").unwrap_or((USER, ""));
    let listing = lines.concat();
    let tail = tail.replace("{{question}}", question.as_str());
    let user = format!("{head}{}{tail}", listing.trim_end());
    vec![
        ChatMessage { role: Role::System, content: SYSTEM.to_owned() },
        ChatMessage { role: Role::User, content: user },
    ]
}

/// Returns the question of a model's reply; `None` when it is empty, too long, more than one line, or no
/// question.
#[must_use]
pub fn question_of(reply: &str) -> Option<Question> {
    let line = reply.trim().trim_matches(['"', '“', '”', '«', '»', '`', '*']).trim();
    let is_question = line.ends_with(['?', '؟', '？', '\u{37e}']);
    let is_short = line.chars().take(MAX_REWRITTEN_CHARS + 1).count() <= MAX_REWRITTEN_CHARS;
    let says_something = line.contains(char::is_alphabetic);
    if !is_question || !says_something || !is_short || line.contains('\n') {
        return None;
    }
    line.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earlier(question: &str) -> Earlier<'_> {
        Earlier { question, standalone: None }
    }

    #[test]
    fn the_newest_earlier_questions_are_shown_within_a_budget() {
        let long = "word ".repeat(2_000);
        let turns = [earlier("too old?"), earlier(&long), earlier("When do backups run?")];
        let question = "{{earlier}} and where?".parse().unwrap();
        let messages = prompt(&turns, &question);
        let user = &messages[1].content;
        assert!(user.contains("- When do backups run?"), "{user}");
        assert!(!user.contains("too old?"), "{user}");
        assert!(user.ends_with("Last question: {{earlier}} and where?\n"), "{user}");
    }

    #[test]
    fn only_one_short_question_is_used() {
        let used = |reply: &str| question_of(reply).map(|question| question.as_str().to_owned());
        assert_eq!(
            used(" \"Where are backups kept?\"\n").as_deref(),
            Some("Where are backups kept?")
        );
        assert_eq!(
            used("بیک اپ کہاں رکھے جاتے ہیں؟").as_deref(),
            Some("بیک اپ کہاں رکھے جاتے ہیں؟")
        );
        for refused in ["", "?", "Backups are kept in Dublin.", "Where?\nIn Dublin?"] {
            assert_eq!(used(refused), None, "{refused}");
        }
        assert!(question_of(&format!("{}?", "x".repeat(MAX_REWRITTEN_CHARS))).is_none());
    }
}
