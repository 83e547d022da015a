//! Personal data in a text: where it stands, and the text with it covered.
//!
//! What has a form is found by its form: a number is taken for what it is only when its length, its grouping, its check
//! digits and the words around it agree. Names and postal addresses have none and are not looked for. What is weak by
//! itself, such as nine digits in a row, needs a word nearby that says what it is. Digits of any script count as digits.
//!
//! A text is read once, from one digit, `@` or bracket to the next, and nothing looks further ahead than `MAX_REACH`;
//! so time is in proportion to the text. What is found is covered by `*` at once, byte for byte, so that every offset stays
//! right, and the reading goes back as far as anything could have looked ahead to it: what stands before is judged again
//! as it now stands. That is why nothing is found in a text that was covered.
//!
//! | module | answers |
//! |---|---|
//! | `glyphs` | what a character reads as |
//! | `numeral` | which digits belong together |
//! | `context` | what the words around a number say it is |
//! | `email` | mail addresses |
//! | `network` | IP addresses |
//! | `iban` | bank accounts |
//! | `card` | payment cards |
//! | `identity` | national identity numbers |
//! | `phone` | telephone numbers |
//! | `kinds` | which kinds are asked for, as a setting |
//! | `checksum` | whether check digits are right |

mod card;
mod checksum;
mod context;
mod email;
mod glyphs;
mod iban;
mod identity;
mod kinds;
mod network;
mod numeral;
mod phone;

use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Serialize};

pub use self::kinds::Kinds;
use self::numeral::Place;

/// How far ahead of a digit, `@` or bracket anything looks, in bytes. The longest mail address and what follows it fits.
const MAX_REACH: usize = 512;

/// What a piece of personal data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The number of a payment card.
    Card,
    /// The number of a bank account, as ISO 13616 has it.
    Iban,
    /// A number that a state knows a person by.
    NationalId,
    /// The address of a machine on a network, but not of the machine itself.
    IpAddress,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Email, Self::Phone, Self::Card, Self::Iban, Self::NationalId, Self::IpAddress];

    /// Returns its name as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::NationalId => "national_id",
            Self::IpAddress => "ip_address",
        }
    }
}

/// A place of a text that holds personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Its bytes, on the bounds of characters. It holds no line end.
    pub span: Range<usize>,
}

/// Returns where `text` holds personal data of these kinds, in order and without overlap. The same text always gives the same.
#[must_use]
pub fn find(text: &str, kinds: &[Kind]) -> Vec<Found> {
    search(text, kinds).0
}

/// Returns `text` with each byte of personal data of these kinds replaced by `*`. Everything else stays, and stays where it
/// is; nothing is found in what is returned.
#[must_use]
pub fn mask<'t>(text: &'t str, kinds: &[Kind]) -> Cow<'t, str> {
    search(text, kinds).1
}

/// Returns what is found, and the text with it covered.
fn search<'t>(text: &'t str, kinds: &[Kind]) -> (Vec<Found>, Cow<'t, str>) {
    let mut seen = Cow::Borrowed(text);
    let mut found: Vec<Found> = Vec::new();
    // What was recognised but is not asked for. Nothing else is seen in it: half a card is no telephone number.
    let mut passed: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while !kinds.is_empty()
        && let Some(anchor) = glyphs::anchor(&seen, at)
    {
        let floor = passed.last().map_or(0, |span| span.end);
        let Some(recognised) = recognise(&seen, anchor, floor) else {
            at = glyphs::end_of_digits(&seen, anchor);
            continue;
        };
        if !kinds.contains(&recognised.kind) {
            at = recognised.span.end;
            passed.push(recognised.span);
            continue;
        }
        let span = recognised.span.clone();
        seen.to_mut().replace_range(span.clone(), &"*".repeat(span.len()));
        found.push(recognised);
        at = seen.floor_char_boundary(span.start.saturating_sub(MAX_REACH));
        while let Some(last) = passed.pop_if(|last| last.end > at) {
            at = at.min(last.start);
        }
    }
    found.sort_by_key(|place| place.span.start);
    (found, seen)
}

/// Returns where the personal data is that begins with a number.
type Form = fn(&Place) -> Option<Range<usize>>;

/// What a number may be, the strongest first.
const FORMS: [(Kind, Form); 5] = [
    (Kind::IpAddress, network::version_4),
    (Kind::Iban, iban::at),
    (Kind::Card, card::at),
    (Kind::NationalId, identity::at),
    (Kind::Phone, phone::at),
];

/// Returns what the digit, `@` or bracket at `anchor` belongs to, not reaching below `floor`.
fn recognise(text: &str, anchor: usize, floor: usize) -> Option<Found> {
    let found = |kind: Kind, span: Range<usize>| {
        (span.start >= floor && span.contains(&anchor)).then_some(Found { kind, span })
    };
    if let Some(span) = email::at(text, anchor) {
        return found(Kind::Email, span);
    }
    if !glyphs::is_digit_at(text, anchor) {
        return None;
    }
    if let Some(span) = network::version_6(text, anchor) {
        return found(Kind::IpAddress, span);
    }
    let place = Place::read(text, anchor)?;
    let (kind, span) = FORMS.iter().find_map(|(kind, form)| Some((*kind, form(&place)?)))?;
    found(kind, span)
}

#[cfg(test)]
mod tests;
