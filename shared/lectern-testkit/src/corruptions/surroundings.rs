//! What the other passages offer to corrupt a sentence with: their names, their words, themselves.

use std::collections::{BTreeSet, HashMap};

use super::{Half, Source, words::words_of};

/// What the other passages offer.
pub(super) struct Surroundings {
    /// Names by set and half.
    pub(super) names: HashMap<(String, Half), Vec<String>>,
    /// Passages by set and half.
    pub(super) passages: HashMap<(String, Half), Vec<usize>>,
    /// The long words of each passage.
    pub(super) words: Vec<BTreeSet<String>>,
    /// Half of each passage.
    pub(super) halves: Vec<Half>,
    /// Words that are written with a small letter anywhere, and so are no names.
    pub(super) lower: BTreeSet<(String, String)>,
    /// Capitalised words that are names in any language: German writes every noun with a capital.
    pub(super) known: BTreeSet<String>,
}

impl Surroundings {
    pub(super) fn of(sources: &[Source], halves: &HashMap<&str, Half>) -> Self {
        let small = sources.iter().flat_map(|source| {
            let words = source.text.split(|c: char| !c.is_alphanumeric());
            let small = words.filter(|word| word.starts_with(char::is_lowercase));
            small.map(|word| (source.language.clone(), word.to_owned()))
        });
        let lower = small.collect();
        let foreign =
            sources.iter().filter(|source| matches!(source.language.as_str(), "eng" | "spa"));
        let known = foreign
            .flat_map(|source| capitalised(&source.text))
            .map(|(_, _, name)| name.to_owned())
            .collect();
        let mut made = Self {
            names: HashMap::new(),
            passages: HashMap::new(),
            words: sources
                .iter()
                .map(|source| split(&source.text, &source.language).map(str::to_owned).collect())
                .collect(),
            halves: sources.iter().map(|source| halves[source.article.as_str()]).collect(),
            known,
            lower,
        };
        for (at, source) in sources.iter().enumerate() {
            let place = (source.set.clone(), made.halves[at]);
            let names: BTreeSet<String> = made
                .names_in(&source.text, &source.language)
                .into_iter()
                .map(|(_, _, name)| name)
                .collect();
            made.names.entry(place.clone()).or_default().extend(names);
            made.passages.entry(place).or_default().push(at);
        }
        made
    }

    /// Returns how many different words, or characters of Chinese, of a sentence a passage has too.
    pub(super) fn shared_words(&self, sentence: &str, passage: usize, language: &str) -> usize {
        let words: BTreeSet<&str> = split(sentence, language).collect();
        words.into_iter().filter(|word| self.words[passage].contains(*word)).count()
    }

    /// Returns the share of a set's sentences that kinds are made of that can be made of any.
    pub(super) fn share(&self, source: &Source) -> f64 {
        let passages = [Half::Tune, Half::HeldBack]
            .iter()
            .filter_map(|half| self.passages.get(&(source.set.clone(), *half)));
        if passages.map(Vec::len).sum::<usize>() > 200 { 0.25 } else { 0.6 }
    }

    /// Returns the names in a text: start, end, name.
    pub(super) fn names_in(&self, text: &str, language: &str) -> Vec<(usize, usize, String)> {
        let words = words_of(language);
        if !words.names.is_empty() {
            let found = words.names.iter().flat_map(|name| text.match_indices(name));
            let is_whole = |at: usize, name: &str| {
                let edge = |c: Option<char>| {
                    language == "cmn"
                        || c.is_none_or(|c| {
                            !c.is_alphanumeric() && !('\u{900}'..'\u{980}').contains(&c)
                        })
                };
                edge(text[..at].chars().next_back()) && edge(text[at + name.len()..].chars().next())
            };
            let whole = found.filter(|(at, name)| is_whole(*at, name));
            return whole.map(|(at, name)| (at, at + name.len(), name.to_owned())).collect();
        }
        let found = capitalised(text).into_iter();
        let is_small =
            |word: &str| self.lower.contains(&(language.to_owned(), word.to_lowercase()));
        let is_name = |name: &str| {
            name.split(' ')
                .all(|word| !is_small(word) && (language != "deu" || self.known.contains(word)))
        };
        found
            .filter(|(_, _, name)| is_name(name))
            .map(|(start, end, name)| (start, end, name.to_owned()))
            .collect()
    }
}

/// Returns the longer words of a text, the characters of a Chinese one.
fn split<'a>(text: &'a str, language: &str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    let trim = |word: &'a str| word.trim_matches(|c: char| !c.is_alphanumeric());
    match language {
        "cmn" => Box::new(text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()])),
        _ => Box::new(text.split_whitespace().map(trim).filter(|word| word.chars().count() > 3)),
    }
}

/// Returns the runs of capitalised words within sentences: start, end, words. Those at a beginning are left out.
fn capitalised(text: &str) -> Vec<(usize, usize, &str)> {
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    let mut begins = true;
    let mut glues = false;
    let mut at = 0;
    for piece in text.split(' ') {
        let start =
            at + (piece.len() - piece.trim_start_matches(|c: char| !c.is_alphanumeric()).len());
        let bare = piece.trim_matches(|c: char| !c.is_alphanumeric());
        let bare = bare.strip_suffix("'s").unwrap_or(bare);
        let end = start + bare.len();
        let is_name = bare.len() > 2
            && bare.starts_with(char::is_uppercase)
            && bare.chars().all(char::is_alphabetic)
            && bare.chars().any(char::is_lowercase)
            && !MONTHS_AND_DAYS.contains(&bare);
        if is_name && !begins {
            match found.last_mut().filter(|(_, last, _)| glues && *last + 1 == start) {
                Some(last) => *last = (last.0, end, &text[last.0..end]),
                None => found.push((start, end, bare)),
            }
        }
        glues = is_name && !begins && piece.ends_with(bare);
        begins = piece.ends_with(['.', '!', '?', ':', '"', '”'])
            || (piece.starts_with(['"', '“', '„', '«']) && bare.is_empty())
            || piece.is_empty();
        at += piece.len() + 1;
    }
    found
}

const MONTHS_AND_DAYS: [&str; 19] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
