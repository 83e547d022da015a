//! What has left already, as far as it bears on what may follow.

/// What the end of a text makes of the next word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Awaits {
    /// Text.
    #[default]
    Text,
    /// What a link leads to: `](`.
    Target,
    /// What a link defined apart leads to: `]:`.
    Definition,
}

/// A text that leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    /// What was not handed over yet.
    text: String,
    last: Option<char>,
    awaits: Awaits,
    /// Whether something was taken out behind `last`.
    is_parted: bool,
    /// Whether nothing blank has left since an address did.
    is_behind_address: bool,
}

impl Sent {
    /// Hands over what left since.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Returns what the text makes of the next word. White space changes nothing.
    pub(super) fn awaits(&self) -> Awaits {
        self.awaits
    }

    /// Lets `text` leave; where it was parted from what left before, behind a blank.
    pub(super) fn leave(&mut self, text: &str) {
        let Some(first) = text.chars().next() else { return };
        let is_joined = self.last.is_some_and(|last| !last.is_ascii_whitespace());
        if self.is_parted && is_joined && !first.is_ascii_whitespace() {
            self.add(' ');
        }
        self.is_parted = false;
        for character in text.chars() {
            self.add(character);
        }
    }

    /// Notes that something was taken out: a blank is left if no white space is there.
    pub(super) fn part(&mut self) {
        self.is_parted = true;
    }

    /// Notes that what left last is an address.
    pub(super) fn end_address(&mut self) {
        self.is_behind_address = true;
    }

    /// Keeps what comes next apart from an address directly before it.
    pub(super) fn part_from_address(&mut self) {
        self.is_parted |= self.is_behind_address;
    }

    fn add(&mut self, character: char) {
        self.text.push(character);
        if character.is_ascii_whitespace() {
            self.is_behind_address = false;
        } else {
            self.is_behind_address |= self.awaits == Awaits::Definition;
            self.awaits = match (self.last, character) {
                (Some(']'), '(') => Awaits::Target,
                (Some(']'), ':') => Awaits::Definition,
                _ => Awaits::Text,
            };
        }
        self.last = Some(character);
    }
}
