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

/// Returns the text without markers, and each marker's number with the place it stood in that text. No marker is
/// left: one that the removal of another makes (`[[1]2]`) is removed too. Time is linear.
fn take_out(text: &str) -> (String, Vec<(usize, usize)>) {
    let mut plain = String::with_capacity(text.len());
    let mut markers: Vec<(usize, usize)> = Vec::new();
    for character in text.chars() {
        let marker = if character == ']' { marker_at_end(&plain) } else { None };
        let Some((open, numbers)) = marker else {
            plain.push(character);
            continue;
        };
        plain.truncate(open);
        plain.truncate(plain.trim_end_matches(' ').len());
        // Markers within the removed one stand where it stood.
        let within = markers.iter_mut().rev().take_while(|(position, _)| *position > plain.len());
        within.for_each(|(position, _)| *position = plain.len());
        markers.extend(numbers.into_iter().map(|number| (plain.len(), number)));
    }
    (plain, markers)
}

/// Reads `[1` or `[1, 2` at the end of `text`: where it begins and the numbers.
fn marker_at_end(text: &str) -> Option<(usize, Vec<usize>)> {
    let is_listed = |c: char| c.is_ascii_digit() || matches!(c, ',' | ' ' | ';');
    let before = text.trim_end_matches(is_listed);
    let list = &text[before.len()..];
    let open = before.strip_suffix('[')?.len();
    let parts = list.split([',', ';', ' ']).filter(|part| !part.is_empty());
    let numbers: Vec<usize> = parts.map(|part| part.parse().unwrap_or(usize::MAX)).collect();
    (!numbers.is_empty()).then_some((open, numbers))
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
    fn removing_a_marker_leaves_no_other() {
        let found = sentences_of("It runs [[1]2]. Done [3 [4]].");
        assert_eq!((found[0].text.as_str(), &found[0].cited[..]), ("It runs.", &[1, 2][..]));
        assert!(!found[1].text.contains(']'));
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
