//! Where the sentences of a folded text begin and end, roughly and in every script.

use std::ops::Range;

/// Longest sentence in bytes; longer ones, such as tables, are cut at a space.
const MAX_SENTENCE: usize = 480;
/// Shorter sentences belong to the next, such as `4.2`.
const MIN_SENTENCE: usize = 8;
/// Most sentences of a text.
const MAX_SENTENCES: usize = 4_000;

/// Returns the sentences of `text`, in order, without gaps.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let next = chars.peek().map(|&(_, next)| next);
        let is_end = match c {
            '。' | '！' | '？' | '।' | '۔' | '؟' | '\u{2028}' | '\u{2029}' => true,
            '.' | '!' | '?' => {
                next.is_none_or(|next| next.is_whitespace() || matches!(next, '"' | ')' | '<'))
            }
            '\n' => is_line_end(&text[start..at], &text[end..]),
            ' ' => end - start > MAX_SENTENCE,
            _ => end - start > 2 * MAX_SENTENCE,
        };
        if is_end && text[start..end].trim().len() >= MIN_SENTENCE && found.len() < MAX_SENTENCES {
            found.push(start..end);
            start = end;
        }
    }
    if start < text.len() {
        found.push(start..text.len());
    }
    found
}

/// Whether a line break ends the sentence, as before a list or a blank line, or only wraps it.
fn is_line_end(before: &str, after: &str) -> bool {
    let next = after.trim_start_matches([' ', '\t']).chars().next();
    before.ends_with(['.', ':', ';', '!', '?', '>', '=', '}', ']'])
        || next.is_none_or(|c| {
            matches!(
                c,
                '\n' | '\r' | '-' | '*' | '#' | '<' | '[' | '{' | '|' | '=' | '%' | '>' | '('
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_wrapped_line_goes_on_and_a_list_begins_anew() {
        assert_eq!(
            of("one line that\ngoes on here\n- an item"),
            ["one line that\ngoes on here\n", "- an item"]
        );
    }

    #[test]
    fn numbers_belong_to_what_follows() {
        assert_eq!(of("4.2 leave is due. it is paid."), ["4.2 leave is due.", " it is paid."]);
    }

    #[test]
    fn what_follows_the_last_of_many_is_one_sentence() {
        let text = |count: usize| "it is late. ".repeat(count);
        // A full stop at the end, and the blank behind it.
        assert_eq!(sentences(&text(MAX_SENTENCES - 1)).len(), MAX_SENTENCES);
        assert_eq!(sentences(&text(MAX_SENTENCES)).len(), MAX_SENTENCES + 1);
        let many = text(2 * MAX_SENTENCES);
        let found = sentences(&many);
        assert_eq!(found.len(), MAX_SENTENCES + 1);
        assert_eq!(found.last().map(|last| last.end), Some(many.len()));
    }

    #[test]
    fn full_stops_of_all_scripts_end_a_sentence() {
        assert_eq!(of("これは文です。次の文です。").len(), 2);
    }
}
