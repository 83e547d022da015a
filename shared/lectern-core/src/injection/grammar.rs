//! Who is told to do what in a sentence, judged by the order of a few words and how near they stand.

use std::ops::Range;

use super::{
    features::{Feature, Features},
    lexicon::{Tags, Word},
};

/// How far before a machine the words that address it stand, in bytes.
const ADDRESS_REACH: usize = 48;
/// How far before a machine `every` or `for` stands.
const NEAR: usize = 20;
/// How far after a machine what it reads or answers is said.
const READ_REACH: usize = 48;
/// How far after a machine the verb stands that tells what it does.
const VERB_REACH: usize = 90;
/// How far apart a verb and its object stand.
const OBJECT_REACH: usize = 80;
/// How far after a verb of saying the words to be said begin.
const QUOTE_REACH: usize = 60;
/// Words of description in a sentence that make it one.
const MUCH_DESCRIBED: usize = 3;

const DEEDS: Tags = Tags::SAY.or(Tags::EMIT).or(Tags::ORDER).or(Tags::CONCEAL).or(Tags::FAVOUR);

/// Tags whose presence is a feature by itself.
const PLAIN: &[(Tags, Feature)] = &[
    (Tags::ORDER, Feature::Order),
    (Tags::DISCARD, Feature::Discard),
    (Tags::SELF, Feature::SelfRules),
    (Tags::YOUR_OUT, Feature::YourOut),
    (Tags::EVERY_OUT, Feature::EveryOut),
    (Tags::OUT, Feature::Out),
    (Tags::ASKED, Feature::Asked),
    (Tags::USER, Feature::User),
    (Tags::ALWAYS, Feature::Always),
    (Tags::CONCEAL, Feature::Conceal),
    (Tags::SECRET, Feature::Secret),
    (Tags::ROLE, Feature::Role),
    (Tags::AUTH, Feature::Auth),
    (Tags::SOURCE, Feature::Source),
    (Tags::GIST, Feature::Gist),
    (Tags::FAVOUR, Feature::Favour),
    (Tags::DESC, Feature::Described),
];

struct Sentence<'a> {
    text: &'a str,
    start: usize,
    words: &'a [Word],
}

/// Returns what the sentence at `range` of a folded text shows; `words` are those of the lexicon in it.
pub(super) fn of_sentence(text: &str, range: &Range<usize>, words: &[Word]) -> Features {
    let sentence = Sentence { text: &text[..range.end], start: range.start, words };
    let mut features = Features::default();
    for &(tags, feature) in PLAIN {
        features.add_if(feature, words.iter().any(|word| word.tags.has(tags)));
    }
    let described = words.iter().filter(|word| word.tags.has(Tags::DESC)).count();
    features.add_if(Feature::MuchDescribed, described >= MUCH_DESCRIBED);
    for word in words {
        if word.tags.has(Tags::MACHINE.or(Tags::HELPER).or(Tags::DEVICE)) {
            sentence.machine(word, &mut features);
        }
        if word.tags.has(DEEDS.or(Tags::DISCARD)) {
            sentence.deed(word, &mut features);
        }
    }
    features.with(in_one_sentence(features))
}

/// Returns what holds of a sentence by itself and not merely of its neighbours.
fn in_one_sentence(alone: Features) -> Features {
    use Feature::*;
    let machine = alone.any(&[Machine, Helper, Device]);
    let called = machine && alone.any(&[Called, CalledEvery, Toward, Vocative, Reading]);
    let directed = alone.any(&[MustSay, Imperative, Order, ModalSay, SayQuote, DiscardRules]);
    let subject = alone.any(SUBJECTS);
    let mut features = Features::default();
    features.add_if(OneCalled, called && directed);
    features.add_if(OneSubject, called && directed && subject);
    features.add_if(OneMachine, machine && (directed || alone.has(Says)) && subject);
    features.add_if(OneConceal, machine && alone.has(Conceal));
    features.add_if(OneDiscard, machine && alone.has(DiscardRules));
    features.add_if(DescribedMachine, machine && alone.has(Described));
    features
}

/// What a machine is told about.
const SUBJECTS: &[Feature] = &[
    Feature::Out,
    Feature::EveryOut,
    Feature::YourOut,
    Feature::Asked,
    Feature::SelfRules,
    Feature::DiscardRules,
    Feature::Secret,
    Feature::Conceal,
    Feature::Source,
    Feature::User,
    Feature::Favour,
];

impl Sentence<'_> {
    /// Whether a word of `tags` begins at most `reach` bytes after `word`.
    fn follows(&self, word: &Word, tags: Tags, reach: usize) -> bool {
        self.after(word, tags, reach).is_some()
    }

    fn after(&self, word: &Word, tags: Tags, reach: usize) -> Option<&Word> {
        let from = self.words.partition_point(|other| other.range.start < word.range.end);
        self.words[from..]
            .iter()
            .take_while(|other| other.range.start <= word.range.end + reach)
            .find(|other| other.tags.has(tags))
    }

    /// Whether a word of `tags` ends at most `reach` bytes before `word`.
    fn precedes(&self, word: &Word, tags: Tags, reach: usize) -> bool {
        let to = self.words.partition_point(|other| other.range.start < word.range.start);
        self.words[..to]
            .iter()
            .rev()
            .take_while(|other| other.range.start + 2 * reach >= word.range.start)
            .any(|other| {
                other.tags.has(tags)
                    && other.range.end <= word.range.start
                    && other.range.end + reach >= word.range.start
            })
    }

    /// Whether a clause begins with `word`: nothing of the sentence, or a mark, stands before it.
    fn opens_clause(&self, word: &Word) -> bool {
        let before = self.text[self.start..word.range.start].trim_end();
        // A quotation that ends here opens nothing.
        let before = match before.strip_suffix('"') {
            Some(quoted) if quoted.ends_with(char::is_alphanumeric) => quoted,
            _ => before,
        };
        before.is_empty()
            || before
                .ends_with(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’' | '%' | '/'))
    }

    /// Returns what follows `word` in its sentence: nothing if it goes on in the next, where a long one was cut.
    fn rest(&self, word: &Word) -> &str {
        self.text.get(word.range.end..).unwrap_or_default()
    }

    fn is_followed_by(&self, word: &Word, marks: &[char]) -> bool {
        self.rest(word).trim_start().starts_with(marks)
    }

    /// Adds what is said of the machine `word` may be.
    fn machine(&self, word: &Word, features: &mut Features) {
        let is_called = self.precedes(word, Tags::ADDRESS, ADDRESS_REACH);
        let is_every = self.precedes(word, Tags::EVERY, NEAR);
        let is_toward = self.precedes(word, Tags::TOWARD, NEAR / 2);
        let opens = self.opens_clause(word);
        let is_vocative = self.is_followed_by(word, &[':', '：'])
            && word.range.start - self.start < ADDRESS_REACH
            || opens && self.is_followed_by(word, &[',', '!', '—', '，']);
        let is_reading =
            self.follows(word, Tags::READ, READ_REACH) || self.precedes(word, Tags::READ, NEAR / 2);
        let is_definite = self.precedes(word, Tags::DEFINITE, NEAR);
        if word.tags.has(Tags::MACHINE) && !self.is_article(word) {
            features.add(Feature::Machine);
        } else if word.tags.has(Tags::HELPER) {
            features.add(Feature::Helper);
        } else if self.is_device(word, is_called, is_every, is_toward, opens) {
            features.add(Feature::Device);
        } else {
            return;
        }
        features.add_if(Feature::Called, is_called && (is_reading || !is_definite));
        features.add_if(Feature::CalledEvery, is_every);
        features.add_if(Feature::Toward, is_toward && !is_definite);
        features.add_if(Feature::Vocative, is_vocative);
        features.add_if(Feature::Reading, is_reading);
        features.add_if(Feature::Definite, is_definite);
        features.add_if(Feature::Bare, opens && !is_definite);
        let modal = self.after(word, Tags::MODAL, VERB_REACH);
        let must =
            modal.is_some_and(|modal| self.follows(modal, DEEDS.or(Tags::DISCARD), VERB_REACH));
        features.add_if(Feature::MustSay, must);
        let says = !must && self.follows(word, DEEDS, VERB_REACH);
        features.add_if(Feature::Says, says);
        let is_told_of = is_definite && !is_called && !is_every && !is_vocative;
        features.add_if(Feature::DefiniteSays, is_told_of && says);
        features.add_if(Feature::DefiniteMust, is_told_of && must);
        let is_meant = is_called || is_every || is_toward || is_vocative || is_reading;
        features.add_if(Feature::CalledMust, must && is_meant && !is_definite);
        features.add_if(Feature::BareMust, must && opens && !is_definite);
        features.add_if(Feature::BareSays, says && opens && !is_definite && !is_vocative);
        features.add_if(Feature::ReadingSays, (says || must) && is_reading);
        features.add_if(
            Feature::VocativeDeed,
            is_vocative && self.follows(word, DEEDS.or(Tags::DISCARD).or(Tags::ASKED), NEAR),
        );
    }

    /// Whether a word such as `software` is a machine that is spoken to: it is addressed, or said to read or answer.
    fn is_device(
        &self,
        word: &Word,
        is_called: bool,
        is_every: bool,
        is_toward: bool,
        opens: bool,
    ) -> bool {
        let is_reading =
            self.follows(word, Tags::READ, READ_REACH) || self.precedes(word, Tags::READ, NEAR / 2);
        let is_spoken_to = opens
            && self.is_followed_by(word, &[',', '!'])
            && self.follows(word, DEEDS.or(Tags::DISCARD).or(Tags::ADDRESS), NEAR);
        // A turn of a talk that people have begins so: `Agent: Yes, I see it.`
        let is_turn = self.is_followed_by(word, &[':']);
        let is_compound = self.text[..word.range.start].ends_with('-');
        !is_compound
            && (is_reading && (is_called || is_every || opens && !is_turn || is_toward)
                || is_spoken_to
                || is_called && (is_every || self.is_followed_by(word, &[':', '!', ','])))
    }

    /// Whether `word` is no machine but `ai` as French and Italian write it: `j'ai`, `ai clienti di`.
    fn is_article(&self, word: &Word) -> bool {
        let sentence = &self.text[self.start..];
        &self.text[word.range.clone()] == "ai"
            && (self.text[..word.range.start].ends_with('\'')
                || [" di ", " che ", " della ", " il "]
                    .iter()
                    .any(|article| sentence.contains(article)))
    }

    /// Adds what is said of the deed `word` may be.
    fn deed(&self, word: &Word, features: &mut Features) {
        // A quoted word before a colon is the key of a record: `"name": "Ruth"`.
        if self.text[..word.range.start].ends_with('"') && self.rest(word).starts_with("\":") {
            return;
        }
        let is_imperative = self.opens_clause(word);
        let is_modal = self.precedes(word, Tags::MODAL, NEAR);
        features
            .add_if(Feature::Imperative, is_imperative && word.tags.has(DEEDS.or(Tags::DISCARD)));
        features.add_if(Feature::ModalSay, is_modal);
        if word.tags.has(Tags::DISCARD) {
            let about_rules = self.follows(word, Tags::RULES, OBJECT_REACH)
                || self.precedes(word, Tags::RULES, OBJECT_REACH);
            let about_prior = self.follows(word, Tags::PRIOR, OBJECT_REACH)
                || self.precedes(word, Tags::PRIOR, OBJECT_REACH);
            features.add_if(Feature::DiscardRules, about_rules);
            features.add_if(Feature::DiscardPrior, about_rules && about_prior);
        }
        if word.tags.has(Tags::SAY.or(Tags::ORDER)) {
            let rest = self.rest(word);
            let near = &rest[..rest.floor_char_boundary(QUOTE_REACH.min(rest.len()))];
            features.add_if(Feature::SayQuote, near.contains(['"', '“', '「', '『']));
            let is_asked = self
                .words
                .iter()
                .any(|other| other.tags.has(Tags::ASKED) && other.range != word.range);
            features.add_if(Feature::AskedSay, is_asked);
        }
        if word.tags.has(Tags::EMIT) {
            // To keep a secret is no harm: `the bot never asks for a password`.
            let is_kept = self.precedes(word, Tags::NEVER, NEAR);
            features.add_if(
                Feature::EmitSecret,
                !is_kept && self.follows(word, Tags::SECRET, OBJECT_REACH),
            );
        }
    }
}
