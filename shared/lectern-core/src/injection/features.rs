//! What a few neighbouring sentences show, as a set of features that the model weighs.

use std::ops::Range;

use super::{
    grammar,
    lexicon::{self, Spacing, Word},
    markup::{self, Place},
    sentences::sentences,
};

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One thing that a window of text shows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Feature { $($(#[$doc])* $name,)* }
        impl Feature {
            /// Every feature, in order.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// The name in the file of weights.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
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
    Secret, EmitSecret, Role, Auth, Source, Gist, Favour, Described, MuchDescribed,
    // Form.
    ChatToken, Turn, MachineTurn, Delimiter, Heading, SystemTag, RoleJson, Hidden, MachineField, LinkToFill, Link,
    // How it was written.
    Decoded, Disguised, Smuggled, Mirrored, Mended, Apart,
    // Together.
    CalledDirected, CalledSubject, CalledDiscard, CalledConceal, CalledSecret, CalledFavour, CalledOut, CalledAsked,
    CalledAlways, CalledSelf, CalledQuote, MachineMust, MachineConceal, MachineDiscard, MachineAsked, MachineOut,
    MachineQuote, MachineSecret, MachineOrder, SelfDirected, SelfDiscard, OutDirected, AskedDirected, HiddenDirected, HiddenMachine, CodedDirected,
    CodedMachine, CodedSubject, HardCoded, TokenDirected, FormDirected, AuthDirected, SecretLink, DescribedMachine, DefiniteOnly, Turns,
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

/// Sentences of a window.
const SENTENCES: usize = 3;
/// Longest window in bytes, unless a sentence is longer.
const MAX_WINDOW: usize = 700;

/// Neighbouring sentences and what they show.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) range: Range<usize>,
    pub(super) features: Features,
}

/// Returns the windows of a folded text; `given` holds for all of them.
pub(super) fn windows(text: &str, spacing: Spacing, given: Features) -> Vec<Window> {
    let words = lexicon::words(text, spacing);
    let places = markup::places(text);
    if words.is_empty() && places.is_empty() && given == Features::default() {
        return Vec::new();
    }
    let mut rest: &[Word] = &words;
    let sentences: Vec<Window> = sentences(text)
        .into_iter()
        .map(|range| {
            let count = rest.partition_point(|word| word.range.start < range.end);
            let (own, others) = rest.split_at(count);
            rest = others;
            let features = grammar::of_sentence(text, &range, own).with(given);
            Window { features: features.with(of_places(&places, &range)), range }
        })
        .collect();
    (0..sentences.len()).map(|first| window(&sentences[first..])).collect()
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

/// Returns the window that begins with the first of `sentences`.
fn window(sentences: &[Window]) -> Window {
    let Range { start, mut end } = sentences[0].range;
    let mut features = sentences[0].features;
    for next in sentences.iter().take(SENTENCES).skip(1) {
        if next.range.end - start > MAX_WINDOW {
            break;
        }
        end = next.range.end;
        features = features.with(next.features);
    }
    Window { range: start..end, features: grammar::together(features) }
}
