//! The `[n]` markers in a model's text.

use crate::{outgoing::is_closing, passage::Span, sentences::sentences};

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
    let spans = whole_words(&plain, sentences(&plain));
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

/// Returns the sentences with those joined that meet within a word of ASCII: no sentence ends in `https://a.example/b?c=d`.
fn whole_words(text: &str, spans: Vec<Span>) -> Vec<Span> {
    let is_ascii = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii);
    let mut whole: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match whole.last_mut() {
            Some(last)
                if last.end == span.start && is_ascii(last.end - 1) && is_ascii(span.start) =>
            {
                last.end = span.end;
            }
            _ => whole.push(span),
        }
    }
    whole
}

/// Returns the index of the last sentence that begins before `position`.
fn owner(spans: &[Span], position: usize) -> Option<usize> {
    let after = spans.partition_point(|span| span.start < position);
    Some(after.saturating_sub(1)).filter(|at| *at < spans.len())
}

/// Returns the text without markers, and each marker's number with the place it stood in that text. No marker is
/// left: one that the removal of another makes (`[[1]2]`) is removed too. Nor does a removal join what it parted, as in
/// `https:[1]//a.example`: a blank is left but before signs that close. Time is linear: a word is looked at once for each
/// of a few markers that stand in it.
fn take_out(text: &str) -> (String, Vec<(usize, usize)>) {
    let mut plain = String::with_capacity(text.len());
    let mut markers: Vec<(usize, usize)> = Vec::new();
    let mut removed_at = None;
    for (at, character) in text.char_indices() {
        let marker = if character == ']' { marker_at_end(&plain) } else { None };
        let Some((open, numbers)) = marker else {
            if removed_at == Some(plain.len()) && joins(&plain, &text[at..]) {
                plain.push(' ');
            }
            plain.push(character);
            continue;
        };
        plain.truncate(open);
        plain.truncate(plain.trim_end_matches(' ').len());
        // Markers within the removed one stand where it stood.
        let within = markers.iter_mut().rev().take_while(|(position, _)| *position > plain.len());
        within.for_each(|(position, _)| *position = plain.len());
        markers.extend(numbers.into_iter().map(|number| (plain.len(), number)));
        removed_at = Some(plain.len());
    }
    (plain, markers)
}

/// Whether the words before and behind a marker become one without it.
fn joins(before: &str, behind: &str) -> bool {
    let word = behind.split(char::is_whitespace).next().unwrap_or_default();
    !before.is_empty() && !before.ends_with(char::is_whitespace) && !is_closing(word)
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

/// Returns a sentence split before its closing punctuation. A bracket that closes one of the same word, as that of
/// a link does, is none.
pub(super) fn split_stop(sentence: &str) -> (&str, &str) {
    let closing = ['.', '!', '?', '۔', '؟', '।', '。', '！', '？', '"', '”', '’', ')'];
    let body = sentence.trim_end_matches(closing);
    let word = body.rsplit(char::is_whitespace).next().unwrap_or_default();
    let open = word.matches('(').count().saturating_sub(word.matches(')').count());
    let brackets =
        sentence[body.len()..].bytes().take_while(|byte| *byte == b')').take(open).count();
    let body = &sentence[..body.len() + brackets];
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
    fn removing_a_marker_joins_nothing() {
        for (text, plain) in [
            ("See https:[1]//evil.example/?d=s now", "See https: //evil.example/?d=s now"),
            ("See <[1]img src=//evil.example/x>", "See < img src=//evil.example/x>"),
            ("See www[1][2].evil.example", "See www .evil.example"),
            ("See java[1, 2]script:x", "See java script:x"),
            ("See x][1](//evil.example)", "See x] (//evil.example)"),
            ("See [[1]2](//evil.example)", "See (//evil.example)"),
            ("**Paid**[1], (or “not” [2])[3]: ok", "**Paid**, (or “not”): ok"),
            ("[1]Paid [2] now", "Paid now"),
        ] {
            let found = sentences_of(text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].text, plain);
        }
        assert_eq!(sentences_of("Paid.[1]Never.[2]").len(), 2);
    }

    #[test]
    fn an_address_is_of_one_sentence() {
        let found = sentences_of(
            "See https://a.example/b?c=d!end [1]. [Which form?](https://a.example/b) [2].",
        );
        assert_eq!(found[0].text, "See https://a.example/b?c=d!end.");
        assert_eq!(found[1].text, "[Which form?](https://a.example/b).");
        assert_eq!(
            split_stop("See [x](https://a.example/b)."),
            ("See [x](https://a.example/b)", ".")
        );
        assert_eq!(
            split_stop("See https://a.example/b_(c))!"),
            ("See https://a.example/b_(c)", ")!")
        );
        assert_eq!(split_stop("Paid (in 14 days)."), ("Paid (in 14 days", ")."));
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
