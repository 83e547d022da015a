//! The `[n]` markers in a model's text.

use crate::{passage::Span, sentences::sentences};

/// A sentence as the model wrote it, its markers taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// White space between the previous sentence and this one.
    pub(super) gap: String,
    /// The sentence without markers.
    pub(super) text: String,
    /// The numbers it cites, in order, distinct; numbers too large for any list count as unknown.
    pub(super) cited: Vec<usize>,
}

/// Returns the sentences of a model's text. A marker behind the full stop belongs to the sentence before it.
pub(super) fn sentences_of(text: &str) -> Vec<Written> {
    let (plain, markers) = take_out(text);
    let spans = sentences(&plain);
    let mut written: Vec<Written> = Vec::with_capacity(spans.len());
    let mut previous_end = 0;
    for span in &spans {
        let gap = if written.is_empty() {
            String::new()
        } else {
            plain[previous_end..span.start].to_owned()
        };
        written.push(Written {
            gap,
            text: plain[span.start..span.end].to_owned(),
            cited: Vec::new(),
        });
        previous_end = span.end;
    }
    for (position, number) in markers {
        let sentence = owner(&spans, position).and_then(|at| written.get_mut(at));
        if let Some(sentence) = sentence.filter(|sentence| !sentence.cited.contains(&number)) {
            sentence.cited.push(number);
        }
    }
    written
}

/// Returns the index of the last sentence that begins before `position`.
fn owner(spans: &[Span], position: usize) -> Option<usize> {
    let after = spans.partition_point(|span| span.start < position);
    Some(after.saturating_sub(1)).filter(|at| *at < spans.len())
}

/// Returns the text without markers, and each marker's number with the place it stood in that text.
fn take_out(text: &str) -> (String, Vec<(usize, usize)>) {
    let mut plain = String::with_capacity(text.len());
    let mut markers = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        plain.push_str(&rest[..open]);
        match marker(&rest[open..]) {
            Some((numbers, length)) => {
                let kept = plain.trim_end_matches(' ').len();
                plain.truncate(kept);
                markers.extend(numbers.into_iter().map(|number| (plain.len(), number)));
                rest = &rest[open + length..];
            }
            None => {
                plain.push('[');
                rest = &rest[open + 1..];
            }
        }
    }
    plain.push_str(rest);
    (plain, markers)
}

/// Reads `[1]`, `[1, 2]` or `[1-3]`-free forms at the start of `text`: the numbers and the length in bytes.
fn marker(text: &str) -> Option<(Vec<usize>, usize)> {
    let is_listed = |byte: u8| byte.is_ascii_digit() || matches!(byte, b',' | b' ' | b';');
    // Looks no further than the list goes: a text of brackets that never close costs linear time.
    let close = 1 + text.bytes().skip(1).take_while(|byte| is_listed(*byte)).count();
    let inner = text.get(1..close)?;
    if !text[close..].starts_with(']') || !inner.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let parts = inner.split([',', ';', ' ']).filter(|part| !part.is_empty());
    Some((parts.map(|part| part.parse().unwrap_or(usize::MAX)).collect(), close + 1))
}

/// Returns a sentence split before its closing punctuation.
pub(super) fn split_stop(sentence: &str) -> (&str, &str) {
    let closing = ['.', '!', '?', '۔', '؟', '।', '。', '！', '？', '"', '”', '’', ')'];
    let body = sentence.trim_end_matches(closing);
    if body.is_empty() { (sentence, "") } else { sentence.split_at(body.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_before_and_behind_the_full_stop_belong_to_their_sentence() {
        let found = sentences_of("One [1]. Two. [2][3] Three [4, 9].");
        let cited: Vec<_> = found.iter().map(|s| (s.text.as_str(), s.cited.clone())).collect();
        assert_eq!(cited, [("One.", vec![1]), ("Two.", vec![2, 3]), ("Three.", vec![4, 9])]);
    }

    #[test]
    fn other_brackets_stay() {
        let found = sentences_of("See [the manual](x) and a[i] [2].");
        assert_eq!(found[0].text, "See [the manual](x) and a[i].");
        assert_eq!(found[0].cited, [2]);
        assert_eq!(
            sentences_of("huge [99999999999999999999999]").first().unwrap().cited,
            [usize::MAX]
        );
    }
}
