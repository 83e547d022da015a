//! Follow-up questions: which lean on the conversation, and what they mean without it.
//!
//! `And how long are they kept?` finds nothing that it is about. The rule here reads a question beside the earlier
//! ones of its conversation and, where it leans on them, appends the words it leaves out:
//! `And how long are they kept? (customer contracts)`. The user's own words always come first.
//!
//! Words alone often cannot tell a follow-up from a new topic: `When do guided tours begin?` is one after a
//! question about a museum, `How often do fire drills take place?` is not. Such a question is [`Reading::Unsure`]: both
//! forms are searched, and [`favours_topic`] decides by what they find. A false rewrite drags the old topic
//! into a new one, so what the old topic's passage does not speak of is a new topic.
//!
//! | module | answers |
//! |---|---|
//! | `lexicon` | which words refer back, ask, open a continuation, or say nothing about a topic |
//! | `words` | what each word of a question is |
//! | `topic` | what a conversation is about, turn by turn |
//! | [`rewriting`] | what a chat model is asked to rewrite, and which of its replies are used |

mod lexicon;
pub mod rewriting;
mod topic;
mod words;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use self::{
    lexicon::Lexicon,
    topic::Topic,
    words::{Kind, Utterance, Word},
};
use crate::{analysis, passage::Passage, question::Question};

/// Most earlier questions that are looked at, the newest.
pub const MAX_EARLIER: usize = 6;
/// A question that holds a name and at least this many words of substance names its own topic.
const MANY_TERMS_WITH_NAME: usize = 3;
/// A question with a pronoun and at most this many words of substance is a follow-up for certain.
const FEW_TERMS: usize = 2;

/// An earlier question of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier<'a> {
    /// As it was asked.
    pub question: &'a str,
    /// As it was understood, when that differs.
    pub standalone: Option<&'a str>,
}

/// How a question is to be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As it stands.
    Alone,
    /// As this one.
    Follows(Question),
    /// As one of the two; [`favours_topic`] tells which.
    Unsure {
        /// With the topic of the conversation.
        with_topic: Question,
        /// Without it: the question itself, or with what was asked before but not what about.
        without: Question,
    },
}

/// Returns how `question` is to be understood after `earlier`, oldest first. Questions in a language without
/// a lexicon stand alone. The same arguments give the same reading.
#[must_use]
pub fn read<'a>(earlier: &[Earlier<'a>], question: &Question) -> Reading {
    let recent = &earlier[earlier.len().saturating_sub(MAX_EARLIER)..];
    let Some(last) = recent.last() else { return Reading::Alone };
    let Some(lexicon) = Lexicon::of(question.as_str(), last.question) else {
        return Reading::Alone;
    };
    let asked = Utterance::of(question.as_str(), lexicon);
    let Some(form) = form(&asked, lexicon) else { return Reading::Alone };
    // A turn in another language is read with the words of that language.
    let topic_after = |turn: &Earlier<'a>| {
        Topic::after(*turn, Lexicon::of(turn.question, question.as_str()).unwrap_or(lexicon))
    };
    let topics: Vec<Topic<'_>> = recent.iter().map(topic_after).collect();
    let Some(topic) = topic::meant(&topics, &asked) else { return Reading::Alone };

    let carried = topic.carried_to(&asked);
    let Some(with_topic) = topic::append(question, &carried) else { return Reading::Alone };
    if form == Form::Certain {
        return Reading::Follows(with_topic);
    }
    let without = topic.asked_again(&asked).and_then(|again| topic::append(question, &again));
    Reading::Unsure { with_topic, without: without.unwrap_or_else(|| question.clone()) }
}

/// How surely a question leans on an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Certain,
    Possible,
}

/// Returns how surely a question leans on what came before; `None` when it stands alone.
fn form(asked: &Utterance<'_>, lexicon: &Lexicon) -> Option<Form> {
    let terms: usize = asked.substance().map(Word::weight).sum();
    let names = asked.substance().filter(|word| word.kind == Kind::Name).count();
    match () {
        () if terms == 0 => Some(Form::Certain),
        // What is asked about instead is what its pronouns refer to: `what about the gym, what does it cost`.
        () if asked.refers_back && terms <= FEW_TERMS && !asked.is_instead => Some(Form::Certain),
        () if asked.refers_back || asked.is_instead => Some(Form::Possible),
        () if terms >= lexicon.many_terms || (names > 0 && terms >= MANY_TERMS_WITH_NAME) => None,
        () => Some(Form::Possible),
    }
}

/// Whether `question`, which may be a follow-up, is one, judged by the best passage found for `with_topic` and
/// the best found without: the first speaks of what was carried along, and the second holds no more of the
/// question's own words.
#[must_use]
pub fn favours_topic(
    question: &Question,
    with_topic: &Question,
    found: Option<&Passage>,
    found_without: Option<&Passage>,
) -> bool {
    let Some(lexicon) = Lexicon::of(question.as_str(), with_topic.as_str()) else { return false };
    let Some(found) = found else { return false };
    let asked = Utterance::of(question.as_str(), lexicon);
    let carried = with_topic.as_str().strip_prefix(question.as_str()).unwrap_or("");
    let carried = Utterance::of(carried, lexicon);
    let without = found_without.map_or(0, |passage| words_held(&asked, passage));
    words_held(&carried, found) > 0 && words_held(&asked, found) >= without
}

/// Returns how many of the words of substance a passage holds.
fn words_held(said: &Utterance<'_>, passage: &Passage) -> usize {
    let terms = |text: &str| analysis::content_terms(text, &passage.language);
    let texts = [&passage.document_name, &passage.heading, &passage.text];
    let held: HashSet<String> = texts.into_iter().flat_map(|text| terms(text)).collect();
    let is_held = |surface: &str| {
        let wanted = terms(surface);
        !wanted.is_empty() && wanted.iter().all(|term| held.contains(term))
    };
    said.substance().filter(|word| is_held(word.surface)).count()
}
