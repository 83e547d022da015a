//! What leaves in answers: however a text is cut, nothing that leads elsewhere and stands in no source.

use lectern_core::outgoing::{Outgoing, Sources};
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::{SEPARATOR, chosen};

/// How long the pieces are, the source, then the text.
pub(crate) fn outgoing(bytes: &[u8]) {
    let Some((length, rest)) = chosen(bytes) else { return };
    let text = String::from_utf8_lossy(rest);
    let (source, text) = text.split_once(SEPARATOR).unwrap_or(("", &text));
    let sources = Sources::of([source]);
    let sent = sent(&sources, text, usize::MAX);
    assert_eq!(sent, self::sent(&sources, text, length + 1), "however it is cut");
    assert!(sources.lets_out(&sent), "what has passed passes again: {sent:?}");
    addresses(&sent, source);
    tags(&sent, source);
    // What a source spells, a renderer shows in other letters than the source has.
    if !source.contains(['&', '\\']) {
        rendered(&sent, source);
        rendered(&format!("![a][b] [c][d]\n\n{sent}"), source);
    }
}

/// Returns what leaves of a text that arrives in pieces of so many characters.
fn sent(sources: &Sources, text: &str, length: usize) -> String {
    let mut outgoing = Outgoing::new(sources);
    let mut sent = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at);
        sent += &outgoing.push(&rest[..end]);
        rest = &rest[end..];
    }
    sent + &outgoing.finish()
}

/// Scheme and host of each address stand in the source.
fn addresses(sent: &str, source: &str) {
    let is_end = |c: char| !c.is_ascii_alphanumeric();
    for (at, _) in sent.match_indices("://") {
        let scheme = sent[..at].rsplit(is_end).next().unwrap_or_default();
        let scheme = scheme.trim_start_matches(|c: char| c.is_ascii_digit());
        let host = sent[at + 3..].split(is_end).next().unwrap_or_default();
        // `[x]://host` defines what `[x]` leads to, which is `//host`.
        let colon = if scheme.is_empty() { "" } else { ":" };
        let address = format!("{scheme}{colon}//{host}");
        assert!(host.is_empty() || source.contains(&address), "{address:?} of {sent:?}");
    }
}

/// Each tag stands in the source, or the address that it holds.
fn tags(sent: &str, source: &str) {
    for (at, _) in sent.match_indices('<') {
        let tag = &sent[at..];
        if tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)) {
            let tag = &tag[..=tag.find('>').expect("an open tag does not leave")];
            let known = source.contains(tag) || source.contains(&tag[1..tag.len() - 1]);
            assert!(known, "{tag:?} of {sent:?}");
        }
    }
}

/// What a renderer of Markdown makes a link or an image leads to a place the source has, or nowhere else.
fn rendered(sent: &str, source: &str) {
    for event in Parser::new_ext(sent, Options::ENABLE_GFM | Options::ENABLE_FOOTNOTES) {
        let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else {
            continue;
        };
        let address = dest_url.trim();
        assert!(!leads_away(address) || source.contains(address), "{address:?} of {sent:?}");
    }
}

/// Whether a browser would leave the page's host for an address, or do something.
fn leads_away(address: &str) -> bool {
    let (scheme, behind) = address.split_once(':').unwrap_or_default();
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let is_slash = |c: char| matches!(c, '/' | '\\');
    is_scheme && behind.contains(char::is_alphanumeric)
        || address.chars().take(2).filter(|c| is_slash(*c)).count() == 2
}
