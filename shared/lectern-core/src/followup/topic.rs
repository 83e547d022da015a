//! What a conversation is about: anchors that stay, and details of the last turn.
//!
//! A question that stands alone sets the anchors. A follow-up keeps them and adds its own words as details,
//! which the next turn forgets. One that asks the same of something else (`and the Lisbon office?`) replaces
//! what it is parallel to.

use super::{
    Earlier,
    lexicon::Lexicon,
    words::{Capitals, Kind, Utterance, Word},
};
use crate::question::{MAX_QUESTION_CHARS, Question};

/// Most words that are carried as anchors.
const MAX_ANCHORS: usize = 6;
/// Most words of the last turn that are carried beside them.
const MAX_DETAILS: usize = 3;
/// Longest word that is carried, in bytes.
const MAX_CARRIED_BYTES: usize = 64;
/// Stands between anchors and details.
const SEPARATOR: char = ';';

/// What was spoken of after a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Topic<'a> {
    anchors: Vec<Word<'a>>,
    details: Vec<Word<'a>>,
    /// What was asked, but not what about.
    asked: Vec<Word<'a>>,
}

/// What is appended to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Carried<'a> {
    anchors: Vec<&'a str>,
    details: Vec<&'a str>,
}

impl<'a> Topic<'a> {
    /// Returns what is spoken of after `turn`.
    pub(super) fn after(turn: Earlier<'a>, lexicon: &Lexicon) -> Self {
        let understood = turn.standalone.unwrap_or(turn.question);
        let added = understood.strip_prefix(turn.question).unwrap_or("").trim();
        let Some(added) = added.strip_prefix('(').and_then(|added| added.strip_suffix(')')) else {
            return Self::of(&Utterance::of(understood, lexicon));
        };
        // The form this module gives: the turn's own words, then anchors and details it was given.
        let own = Utterance::of(turn.question, lexicon);
        let (anchors, _) = added.split_once(SEPARATOR).unwrap_or((added, ""));
        let anchors = said(anchors, lexicon);
        let mut topic = Self::of(&own);
        if own.is_instead && !own.asks {
            topic.anchors.extend(anchors);
        } else {
            topic.details = std::mem::replace(&mut topic.anchors, anchors);
        }
        topic.bound();
        topic
    }

    fn of(spoken: &Utterance<'a>) -> Self {
        let mut topic = Self {
            anchors: spoken.substance().cloned().collect(),
            details: Vec::new(),
            asked: spoken.generic().cloned().collect(),
        };
        topic.bound();
        topic
    }

    /// Of anchors that are too many, names stay, and then what was said first.
    fn bound(&mut self) {
        let mut order: Vec<usize> = (0..self.anchors.len()).collect();
        order.sort_by_key(|at| (self.anchors[*at].kind != Kind::Name, *at));
        order.truncate(MAX_ANCHORS);
        let mut at = 0;
        self.anchors.retain(|_| {
            at += 1;
            order.contains(&(at - 1))
        });
        self.details.truncate(MAX_DETAILS);
        self.asked.truncate(MAX_DETAILS);
    }

    /// Returns the words `asked` leaves out: anchors and details that it does not say or replace, and what was
    /// asked before, where it does not ask anything itself.
    pub(super) fn carried_to(&self, asked: &Utterance<'_>) -> Carried<'a> {
        let kept =
            self.anchors.iter().enumerate().filter(|(at, anchor)| {
                !says(asked, anchor) && !is_replaced(*at, &self.anchors, asked)
            });
        let anchors = kept.map(|(_, anchor)| anchor.surface).collect();
        let details = if asked.asks { Vec::new() } else { self.asked_before(asked) };
        Carried { anchors, details }
    }

    /// Returns what was asked in the last turn.
    fn asked_before(&self, asked: &Utterance<'_>) -> Vec<&'a str> {
        let details =
            self.details.iter().enumerate().filter(|(at, detail)| {
                !says(asked, detail) && !is_replaced(*at, &self.details, asked)
            });
        details.map(|(_, detail)| detail).chain(&self.asked).map(|word| word.surface).collect()
    }

    /// Returns what was asked, without what about, for a question that asks the same of something else.
    pub(super) fn asked_again(&self, asked: &Utterance<'_>) -> Option<Carried<'a>> {
        if !asked.is_instead || asked.asks {
            return None;
        }
        Some(Carried { anchors: Vec::new(), details: self.asked_before(asked) })
    }

    fn shares(&self, asked: &Utterance<'_>) -> (usize, usize) {
        let shared = self.anchors.iter().filter(|anchor| says(asked, anchor));
        let names = shared.clone().filter(|anchor| anchor.kind == Kind::Name).count();
        (names, shared.count())
    }
}

/// Returns the words of substance of words that were carried before.
fn said<'a>(carried: &'a str, lexicon: &Lexicon) -> Vec<Word<'a>> {
    let mut words = Utterance::of(carried, lexicon).words;
    words.retain(|word| matches!(word.kind, Kind::Term | Kind::Name));
    // They are no sentence: a capital on the first says as much as on the others.
    for word in &mut words {
        let is_capital = word.surface.chars().next().is_some_and(char::is_uppercase);
        if is_capital && lexicon.capitals == Capitals::Names {
            word.kind = Kind::Name;
        }
    }
    words
}

fn says(asked: &Utterance<'_>, word: &Word<'_>) -> bool {
    asked.substance().any(|said| said.stem == word.stem)
}

/// Whether `asked` says something else in the place of the word at `at`: a name for a name, or another word beside
/// a word that both say (`Lisbon office` for `Berlin office`).
fn is_replaced(at: usize, words: &[Word<'_>], asked: &Utterance<'_>) -> bool {
    let is_name = |one: &Word<'_>| one.kind == Kind::Name;
    if is_name(&words[at]) {
        // Half of a name (`the Falcon` for `the Falcon X2`) does not replace the other half.
        let says_half = words.iter().any(|word| is_name(word) && says(asked, word));
        return !says_half && asked.substance().any(is_name);
    }
    let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
    let shared = beside.filter_map(|near| words.get(near)).filter(|near| says(asked, near));
    shared.into_iter().any(|near| {
        let said: Vec<&Word<'_>> = asked.substance().collect();
        let Some(place) = said.iter().position(|one| one.stem == near.stem) else { return false };
        let others = [place.checked_sub(1), Some(place + 1)].into_iter().flatten();
        others
            .filter_map(|other| said.get(other))
            .any(|other| words.iter().all(|known| known.stem != other.stem))
    })
}

/// Returns the topic a question leans on: the last one, unless the question names an older one and says nothing of
/// the last.
pub(super) fn meant<'t, 'a>(
    topics: &'t [Topic<'a>],
    asked: &Utterance<'_>,
) -> Option<&'t Topic<'a>> {
    let is_named = |topic: &&Topic<'a>| {
        let (names, all) = topic.shares(asked);
        names > 0 || all > 1
    };
    let last = topics.iter().rev().find(|topic| !topic.anchors.is_empty())?;
    if last.shares(asked).1 > 0 {
        return Some(last);
    }
    Some(topics.iter().rev().find(is_named).unwrap_or(last))
}

/// Returns `question` with the carried words after it; `None` when there are none or no room for one.
pub(super) fn append(question: &Question, carried: &Carried<'_>) -> Option<Question> {
    let mut text = format!("{} (", question.as_str());
    let mut left = MAX_QUESTION_CHARS.checked_sub(text.chars().count() + 1)?;
    let mut is_first = true;
    for (words, separator) in [(&carried.anchors, ""), (&carried.details, ";")] {
        let mut mark = if is_first { "" } else { separator };
        for word in words.iter().filter(|word| word.len() <= MAX_CARRIED_BYTES) {
            let space = if is_first { "" } else { " " };
            let length = mark.len() + space.len() + word.chars().count();
            left = match left.checked_sub(length) {
                Some(left) => left,
                None => break,
            };
            text.push_str(mark);
            text.push_str(space);
            text.push_str(word);
            mark = "";
            is_first = false;
        }
    }
    text.push(')');
    if is_first { None } else { text.parse().ok() }
}
