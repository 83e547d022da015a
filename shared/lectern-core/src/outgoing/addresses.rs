//! Where addresses stand in a word.

mod ends;
mod shown;

pub(crate) use self::ends::is_closing;
pub(super) use self::{
    ends::{ascii, bracket, closing, cut, target, without_closing},
    shown::shown,
};

/// Schemes that need no slashes to do something.
const BARE_SCHEMES: [&str; 9] =
    ["http", "https", "ftp", "javascript", "vbscript", "data", "mailto", "tel", "xmpp"];

/// What is found in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An address.
    Address {
        /// Its first byte.
        start: usize,
    },
    /// An address without a scheme: `host.name/path`.
    Name {
        /// Its first byte.
        start: usize,
        /// One past the last byte of the name.
        path: usize,
    },
    /// `](` or `]:`, behind which a link says what it leads to.
    Opening {
        /// One past its last byte.
        behind: usize,
    },
}

/// Returns what stands first in a word.
pub(super) fn first(word: &str) -> Option<Found> {
    let mut at = 0;
    while let Some(character) = word[at..].chars().next() {
        let run = run_length(&word[at..]);
        let found = if run == 0 { at_sign(word, at) } else { in_run(word, at, at + run) };
        if found.is_some() {
            return found;
        }
        at += run.max(character.len_utf8());
    }
    None
}

/// Whether an address, or what a link leads to, begins in a text or in what a renderer shows for it.
pub(super) fn is_within(text: &str) -> bool {
    first(text).is_some() || spells(text)
}

/// Whether a text shows an address because of how a renderer reads it. Brackets that are spelled make no link.
pub(super) fn spells(text: &str) -> bool {
    let Some(shown) = shown(text) else { return false };
    let mut rest = shown.as_str();
    while let Some(Found::Opening { behind }) = first(rest) {
        rest = &rest[behind..];
    }
    first(rest).is_some()
}

/// Whether a text ends where what a link leads to begins.
pub(super) fn opens(text: &str) -> bool {
    text.ends_with("](") || text.ends_with("]:")
}

/// Whether what stands before an address could be read as a part of it: most signs may stand in a mail address.
pub(super) fn joins(before: &str, address: &str) -> bool {
    let is_mail = address[run_length(address)..].starts_with('@');
    shown(before).is_some() || is_mail && before.contains(char::is_alphanumeric)
}

/// Whether a word where a link is defined may lead to another host or do something. What begins with a sign is a path.
pub(super) fn leads_away(word: &str) -> bool {
    let is_path = word.starts_with(|c: char| c.is_ascii_punctuation() && !"/\\&<".contains(c));
    let word = word.trim_end_matches(ends::CLOSING);
    !is_path && (word.contains([':', '\\', '&']) || word.contains("//"))
}

/// Returns the length of a run of characters that schemes, names and the readers of mail are written with.
fn run_length(text: &str) -> usize {
    text.find(|c| !is_in_run(c)).unwrap_or(text.len())
}

fn is_in_run(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+-._".contains(character)
}

/// Returns the address or opening that begins with a sign, or that an `@` makes one.
fn at_sign(word: &str, at: usize) -> Option<Found> {
    let (before, rest) = word.split_at(at);
    if rest.starts_with("](") || rest.starts_with("]:") {
        return Some(Found::Opening { behind: at + 2 });
    }
    let is_word = |label: &str| label.chars().take(2).filter(|c| c.is_alphabetic()).count() == 2;
    let is_mail = rest.starts_with('@') && labels(&rest[1..]).any(is_word);
    if is_mail && before.contains(char::is_alphanumeric) {
        let run = &before[before.trim_end_matches(is_in_run).len()..];
        return Some(Found::Address { start: at - without_signs(run).len() });
    }
    let is_label = |label: &str| label.starts_with(char::is_alphanumeric);
    let has_host = || rest.strip_prefix("//").is_some_and(|host| labels(host).any(is_label));
    (has_slashes(rest) || has_host()).then_some(Found::Address { start: at })
}

/// Returns the address that begins in a run.
fn in_run(word: &str, from: usize, to: usize) -> Option<Found> {
    let (run, behind) = (&word[from..to], &word[to..]);
    if let Some(at) = www(run, behind).into_iter().chain(scheme(run, behind)).min() {
        return Some(Found::Address { start: from + at });
    }
    let name = without_signs(run);
    let is_path_of_other = word[..from].ends_with(['/', '\\']);
    let is_address = !is_path_of_other && is_name(name) && begins_path(behind);
    is_address.then_some(Found::Name { start: to - name.len(), path: to })
}

/// Returns a run without the signs it begins with.
fn without_signs(run: &str) -> &str {
    run.trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
}

/// Returns where `www.` begins a name.
fn www(run: &str, behind: &str) -> Option<usize> {
    let lower = run.to_ascii_lowercase();
    let mut places = lower.match_indices("www.").map(|(at, _)| at);
    places.find(|at| closing(&run[at + 4..]).max(closing(behind)) > 0)
}

/// Returns where the scheme of an address begins.
fn scheme(run: &str, behind: &str) -> Option<usize> {
    let at = run.rfind('_').map_or(0, |at| at + 1);
    let scheme = run[at..].trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let is_bare = || {
        let does_something = |c: char| c.is_ascii_alphanumeric() || "/\\%&+[".contains(c);
        let address =
            behind.strip_prefix(':').filter(|address| address.starts_with(does_something));
        address.is_some_and(goes_on)
            && BARE_SCHEMES.iter().any(|bare| bare.eq_ignore_ascii_case(scheme))
    };
    (has_slashes(behind) || is_bare()).then_some(run.len() - scheme.len())
}

/// Whether a text begins with `://`, or what browsers take for it, and an address goes on.
fn has_slashes(text: &str) -> bool {
    let slashes = ["//", "/\\", "\\/"];
    let address = text.strip_prefix(':');
    address.is_some_and(|address| {
        slashes.iter().any(|two| address.starts_with(two)) && goes_on(address)
    })
}

/// Whether there is more behind a scheme than slashes: `https://` alone is talked about.
fn goes_on(address: &str) -> bool {
    closing(address.trim_start_matches(['/', '\\'])) > 0
}

/// Returns the labels of the host a text begins with, behind its first dot. Renderers allow signs in them.
fn labels(text: &str) -> impl Iterator<Item = &str> {
    let host = text.split(|c| "/?#()[]{}<>\"'*,;!&%\\".contains(c)).next().unwrap_or_default();
    host.split('.').skip(1)
}

/// Whether a text is the name of a host: labels, and a last one of letters.
fn is_name(text: &str) -> bool {
    let text = text.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let Some((labels, last)) = text.rsplit_once('.') else { return false };
    let is_last = last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    labels.ends_with(|c: char| c.is_ascii_alphanumeric()) && (is_last || last.starts_with("xn--"))
}

/// Whether a text goes on where a host's name ends: `/path`, `?query`, `:8080/path`.
fn begins_path(text: &str) -> bool {
    let behind_port =
        text.strip_prefix(':').map(|port| port.trim_start_matches(|c: char| c.is_ascii_digit()));
    let path = behind_port.unwrap_or(text);
    path.starts_with(['/', '?', '#']) && closing(path) > 1
}
