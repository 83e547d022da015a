//! What the rules see in each sentence.

use std::ops::Range;

use super::{
    clues::Clues,
    grammar,
    lexicon::{self, Spacing, Word},
    markup::{self, Place},
    sentences::sentences,
};

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One thing that a sentence shows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Feature { $($(#[$doc])* $name,)* }
        impl Feature {
            /// Every feature, in order.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

features! {
    // Machines.
    Machine, Helper, Device, Called, CalledEvery, Toward, Vocative, Reading, Bare, Definite,
    // What they are to do.
    MustSay, Says, CalledMust, BareMust, BareSays, ReadingSays, VocativeDeed, DefiniteSays, DefiniteMust, Imperative, Order, ModalSay, SayQuote,
    // About what.
    OneCalled, OneSubject, OneMachine, OneConceal, OneDiscard, Discard, DiscardRules, DiscardPrior, SelfRules, YourOut, EveryOut, Out, Asked, AskedSay, User, Always, Conceal,
    Secret, EmitSecret, Role, Auth, Source, Gist, Favour, Described, MuchDescribed, DescribedMachine,
    // Form.
    ChatToken, Turn, MachineTurn, Delimiter, Heading, SystemTag, RoleJson, Hidden, MachineField, LinkToFill, Link,
    // How it was written.
    Decoded, Disguised, Smuggled, Mirrored, Mended, Apart,
}

/// A set of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features(u128);

impl Features {
    pub(super) fn add(&mut self, feature: Feature) {
        self.0 |= 1 << feature as u32;
    }

    pub(super) fn add_if(&mut self, feature: Feature, holds: bool) {
        if holds {
            self.add(feature);
        }
    }

    pub(super) fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u32) != 0
    }

    pub(super) fn any(self, features: &[Feature]) -> bool {
        features.iter().any(|&feature| self.has(feature))
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL.iter().copied().filter(move |&feature| self.has(feature))
    }
}

/// A sentence of a folded text, and what it shows.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    pub(super) range: Range<usize>,
    pub(super) features: Features,
    pub(super) clues: Clues,
}

/// Returns the sentences of a folded text; `given` holds for all of them.
pub(super) fn read(text: &str, spacing: Spacing, given: Features) -> Vec<Sentence> {
    let words = lexicon::words(text, spacing);
    let places = markup::places(text);
    let mut rest: &[Word] = &words;
    let sentence = |range: Range<usize>| {
        let count = rest.partition_point(|word| word.range.start < range.end);
        let (own, others) = rest.split_at(count);
        rest = others;
        let features = grammar::of_sentence(text, &range, own).with(given);
        let features = features.with(of_places(&places, &range));
        let clues = Clues::of(text, &range, own, features);
        Sentence { range, features, clues }
    };
    sentences(text).into_iter().map(sentence).collect()
}

fn of_places(places: &[Place], range: &Range<usize>) -> Features {
    let mut features = Features::default();
    for place in places {
        if place.range.start < range.end && range.start < place.range.end {
            features.add(place.feature);
        }
    }
    features
}
