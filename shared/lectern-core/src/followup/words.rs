//! What each word of a question is: empty, referring back, generic, or of substance.

use unicode_segmentation::UnicodeSegmentation;

use super::lexicon::{Lexicon, spelling};
use crate::analysis;

/// Words of a question that are looked at; a question of more names its own topic.
const MAX_WORDS: usize = 120;

/// What a word does in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Says nothing about a topic: `the`, `is`.
    Empty,
    /// Asks: `who`, `how`.
    Asks,
    /// Refers to what was spoken of: `they`, `there`.
    Refers,
    /// Says what is asked of a topic, but not what the topic is: `long`, `cost`.
    Generic,
    /// Says what the topic is.
    Term,
    /// A proper name, or a code such as `X2`.
    Name,
}

/// A word of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// As it was written.
    pub(super) surface: &'a str,
    /// What inflections of it have in common.
    pub(super) stem: String,
    pub(super) kind: Kind,
}

impl Word<'_> {
    /// Whether it says what the question is about.
    pub(super) fn has_substance(&self) -> bool {
        matches!(self.kind, Kind::Term | Kind::Name)
    }

    /// Returns how many words it counts as: runs of characters without spaces hold several, of two each.
    pub(super) fn weight(&self) -> usize {
        if self.surface.chars().all(is_han) { self.surface.chars().count().div_ceil(2) } else { 1 }
    }
}

/// A question, word by word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Utterance<'a> {
    pub(super) words: Vec<Word<'a>>,
    /// Opens as a continuation: `and …`, `what about …`.
    pub(super) is_instead: bool,
    /// Says itself what is asked: `and when …`, not `and invoices?`.
    pub(super) asks: bool,
    /// Refers to something outside of the question. A pronoun that follows enough words of substance
    /// (`when a badge is lost, who reports it`) refers to those.
    pub(super) refers_back: bool,
}

impl<'a> Utterance<'a> {
    /// Reads `text` with the words of a language.
    pub(super) fn of(text: &'a str, lexicon: &Lexicon) -> Self {
        let tokens = tokens(text, lexicon);
        let spellings: Vec<String> =
            tokens.iter().map(|(_, surface, _)| spelling(surface)).collect();
        let opening = lexicon.opening_length(&spellings);
        let kinds: Vec<Kind> =
            (0..tokens.len())
                .map(|at| {
                    if at < opening { Kind::Empty } else { kind(at, &tokens, &spellings, lexicon) }
                })
                .collect();
        let asks = kinds.contains(&Kind::Asks);
        let word = |((_, surface, _), kind): (&Token<'a>, Kind)| Word {
            surface,
            stem: analysis::content_terms(surface, lexicon.code).join(" "),
            kind,
        };
        let words: Vec<Word<'a>> = tokens.iter().zip(kinds).map(word).collect();
        let pronoun = words.iter().position(|word| word.kind == Kind::Refers);
        let before = |at: usize| words[..at].iter().filter(|word| word.has_substance()).count();
        let refers_back = pronoun.is_some_and(|at| before(at) < lexicon.antecedents);
        let is_instead = opening > 0 || lexicon.closes_as_continuation(&spellings);
        Self { words, is_instead, asks, refers_back }
    }

    /// Returns the words that say what the question is about.
    pub(super) fn substance(&self) -> impl Iterator<Item = &Word<'a>> {
        self.words.iter().filter(|word| word.has_substance())
    }

    /// Returns the words that say what is asked, but not what about.
    pub(super) fn generic(&self) -> impl Iterator<Item = &Word<'a>> {
        self.words.iter().filter(|word| word.kind == Kind::Generic && !word.stem.is_empty())
    }
}

/// Where it begins in the text, how it is written, and whether it begins a sentence.
type Token<'a> = (usize, &'a str, bool);

fn tokens<'a>(text: &'a str, lexicon: &Lexicon) -> Vec<Token<'a>> {
    let mut tokens: Vec<Token<'a>> = Vec::new();
    let mut run: Option<(usize, usize)> = None;
    let mut end_of_last = 0;
    for (start, word) in text.unicode_word_indices().take(MAX_WORDS) {
        let end = start + word.len();
        if lexicon.is_unspaced && word.chars().all(is_han) {
            run = match run {
                Some((first, last)) if last == start => Some((first, end)),
                ended => {
                    cut(text, ended, lexicon, &mut tokens);
                    Some((start, end))
                }
            };
        } else {
            cut(text, run.take(), lexicon, &mut tokens);
            let between = &text[end_of_last..start];
            let begins = tokens.is_empty() || between.contains(['.', '?', '!', ':', '¿', '¡']);
            tokens.push((start, word, begins));
        }
        end_of_last = end;
    }
    cut(text, run, lexicon, &mut tokens);
    tokens
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// Cuts a run of characters without spaces at the words of the lexicon; what lies between is a word.
fn cut<'a>(
    text: &'a str,
    run: Option<(usize, usize)>,
    lexicon: &Lexicon,
    tokens: &mut Vec<Token<'a>>,
) {
    let Some((start, end)) = run else { return };
    let mut unknown = start;
    let mut at = start;
    while at < end {
        let Some(length) = lexicon.known_prefix(&text[at..end]) else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if unknown < at {
            tokens.push((unknown, &text[unknown..at], false));
        }
        tokens.push((at, &text[at..at + length], false));
        at += length;
        unknown = at;
    }
    if unknown < end {
        tokens.push((unknown, &text[unknown..end], false));
    }
}

fn kind(at: usize, tokens: &[Token<'_>], spellings: &[String], lexicon: &Lexicon) -> Kind {
    let (_, surface, begins) = tokens[at];
    let word = spellings[at].as_str();
    let is_capital = surface.chars().next().is_some_and(char::is_uppercase);
    if lexicon.refers(at, spellings, is_capital && !begins) {
        return Kind::Refers;
    }
    if lexicon.asks.contains(word) {
        return Kind::Asks;
    }
    if is_code(surface) {
        return Kind::Name;
    }
    if lexicon.empty.contains(word) || analysis::content_terms(surface, lexicon.code).is_empty() {
        return Kind::Empty;
    }
    if lexicon.generic.contains(word) {
        return Kind::Generic;
    }
    match (lexicon.capitals, is_capital && !begins) {
        (Capitals::Names, true) => Kind::Name,
        // A German word in small letters is no noun.
        (Capitals::Nouns, false) if !begins => Kind::Generic,
        _ => Kind::Term,
    }
}

/// What capital letters mean in a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capitals {
    /// Proper names.
    Names,
    /// Nouns.
    Nouns,
    /// The script has none.
    Absent,
}

/// Whether a word is a code: letters with digits, or an abbreviation in capitals.
fn is_code(word: &str) -> bool {
    let letters = word.chars().filter(|character| character.is_alphabetic()).count();
    let digits = word.chars().filter(|character| character.is_numeric()).count();
    let is_upper = word.chars().all(|character| !character.is_lowercase());
    (letters > 0 && digits > 0) || (letters > 1 && is_upper && word.is_ascii())
}
