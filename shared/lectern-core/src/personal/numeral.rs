//! Digits that belong together: groups of them and what joins the groups.

use super::glyphs::{self, Glyph, LETTER};

/// Most characters of a number that are looked at, separators and all. An IBAN of 34 in groups of four has 42.
const MAX_GLYPHS: usize = 64;
/// Fewest digits of the long numbers of a list.
const MIN_LISTED: usize = 9;
/// Most letters before the first digit of a number. An Italian tax code has six.
const MAX_LETTERS: usize = 6;

/// What stands between two groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// Nothing: it is the first.
    Start,
    /// One space.
    Space,
    /// One dash.
    Dash,
    /// A dash between spaces.
    Wide,
    /// One dot.
    Dot,
    /// One slash, with spaces or without.
    Slash,
    /// An opening bracket, after a space or not.
    Open,
    /// A closing bracket, and a space or dash or not.
    Close,
}

/// Digits without anything between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// What joins it to the one before.
    pub(super) joint: Joint,
    /// How many digits of the number stand before it.
    pub(super) first: usize,
    /// How many digits it has.
    pub(super) len: usize,
    /// The glyph after it.
    pub(super) next: usize,
}

/// A number, and where it stands.
#[derive(Debug)]
pub(super) struct Place<'t> {
    pub(super) text: &'t str,
    /// Where its first word begins, letters and all.
    pub(super) start: usize,
    /// How many letters stand before its first digit.
    pub(super) letters: usize,
    /// What is read from `start` on: what may belong to a number, and one glyph that does not.
    pub(super) glyphs: Vec<Glyph>,
    /// The groups of digits, those of the first word first. None where letters go before.
    pub(super) groups: Vec<Group>,
    /// Their digits, 0 to 9.
    pub(super) digits: Vec<u8>,
}

impl<'t> Place<'t> {
    /// Returns the number whose first digit stands at `anchor`, `None` when a word goes before that none begins with.
    pub(super) fn read(text: &'t str, anchor: usize) -> Option<Self> {
        let mut start = anchor;
        let mut letters = 0;
        for glyph in glyphs::before(text, anchor).take_while(|glyph| glyphs::is_wordy(glyph.byte)) {
            if letters == MAX_LETTERS || !glyph.byte.is_ascii_alphabetic() {
                return None;
            }
            letters += 1;
            start = glyph.start;
        }
        let glyphs = window(text, start);
        let mut place =
            Self { text, start, letters, glyphs, groups: Vec::new(), digits: Vec::new() };
        if letters == 0 {
            place.group();
        }
        Some(place)
    }

    fn group(&mut self) {
        let mut at = 0;
        let mut joint = Joint::Start;
        loop {
            let first = self.digits.len();
            let rest = self.glyphs.get(at..).unwrap_or_default();
            let digits = rest.iter().map(|glyph| glyph.byte).take_while(u8::is_ascii_digit);
            self.digits.extend(digits.map(|digit| digit - b'0'));
            let len = self.digits.len() - first;
            if len == 0 {
                return;
            }
            at += len;
            self.groups.push(Group { joint, first, len, next: at });
            let Some((next, width)) = self.joint(at) else { return };
            joint = next;
            at += width;
        }
    }

    /// Returns what joins the digits before glyph `at` to more, and how many glyphs that takes.
    fn joint(&self, at: usize) -> Option<(Joint, usize)> {
        let rest = self.glyphs.get(at..)?;
        let width = rest.iter().take(4).position(|glyph| glyph.byte.is_ascii_digit())?;
        let between = rest.iter().take(width).map(|glyph| glyph.byte);
        let (mut bytes, mut len) = ([0; 3], 0);
        for (place, byte) in bytes.iter_mut().zip(between) {
            *place = byte;
            len += 1;
        }
        let joint = match bytes.get(..len)? {
            b" " => Joint::Space,
            b"-" => Joint::Dash,
            b" - " => Joint::Wide,
            b"." => Joint::Dot,
            b"/" | b" / " => Joint::Slash,
            b"(" | b" (" => Joint::Open,
            b")" | b") " | b")-" | b")/" | b") -" | b")." => Joint::Close,
            _ => return None,
        };
        Some((joint, width))
    }

    /// Returns how many digits each of the first `count` groups has.
    pub(super) fn lens(&self, count: usize) -> Vec<usize> {
        self.groups.iter().take(count).map(|group| group.len).collect()
    }

    /// Returns what joins the first `count` groups.
    pub(super) fn joints(&self, count: usize) -> Vec<Joint> {
        self.groups.iter().take(count).skip(1).map(|group| group.joint).collect()
    }

    /// Returns the digits of the first `count` groups.
    pub(super) fn digits(&self, count: usize) -> &[u8] {
        let last = count.checked_sub(1).and_then(|last| self.groups.get(last));
        last.and_then(|last| self.digits.get(..last.first + last.len)).unwrap_or_default()
    }

    /// Returns where the first `count` groups end.
    pub(super) fn end(&self, count: usize) -> usize {
        let last = count.checked_sub(1).and_then(|last| self.groups.get(last));
        last.map_or(self.start, |last| self.end_of(last.next))
    }

    /// Returns where the glyph before glyph `next` ends.
    pub(super) fn end_of(&self, next: usize) -> usize {
        let last = next.checked_sub(1).and_then(|last| self.glyphs.get(last));
        last.map_or(self.start, |last| last.end)
    }

    /// Returns the glyphs after the first `count` groups.
    pub(super) fn rest(&self, count: usize) -> &[Glyph] {
        let last = count.checked_sub(1).and_then(|last| self.groups.get(last));
        last.and_then(|last| self.glyphs.get(last.next..)).unwrap_or_default()
    }

    /// Whether it stands after a space and a word that has a digit.
    pub(super) fn is_after_number(&self) -> bool {
        let mut glyphs = glyphs::before(self.text, self.start);
        glyphs.next().is_some_and(|glyph| glyph.byte == b' ')
            && glyphs
                .take(MAX_GLYPHS)
                .take_while(|glyph| glyphs::is_wordy(glyph.byte))
                .any(|glyph| glyph.byte.is_ascii_digit())
    }

    /// Whether it stands, up to `end`, before or after a space or line end and a word of a table: digits, or hexadecimal
    /// ones, as many as a group of it has.
    pub(super) fn is_in_row(&self, end: usize) -> bool {
        is_cell(glyphs::before(self.text, self.start)) || is_cell(glyphs::after(self.text, end))
    }

    /// Whether it stands in a list of long numbers, up to `end`, next to one that is another thing.
    pub(super) fn is_listed_with(&self, end: usize, is_other: impl Fn(&[u8]) -> bool) -> bool {
        let mut before = listed(glyphs::before(self.text, self.start));
        before.reverse();
        let after = listed(glyphs::after(self.text, end));
        [before, after].iter().any(|digits| digits.len() >= MIN_LISTED && is_other(digits))
    }

    /// Returns how many digits stand before it with one `separator` between, 0 for none.
    pub(super) fn digits_before(&self, separator: u8) -> usize {
        let mut glyphs = glyphs::before(self.text, self.start);
        if glyphs.next().is_none_or(|glyph| glyph.byte != separator) {
            return 0;
        }
        glyphs.take(MAX_GLYPHS).take_while(|glyph| glyph.byte.is_ascii_digit()).count()
    }
}

/// Whether glyphs are a space or line end, and then four or five digits or capitals of hexadecimal.
fn is_cell(mut glyphs: impl Iterator<Item = Glyph>) -> bool {
    let is_parted = glyphs.next().is_some_and(|glyph| matches!(glyph.byte, b' ' | b'\n'));
    let word = glyphs.take(6).map(|glyph| glyph.byte).take_while(|&byte| glyphs::is_wordy(byte));
    let word: Vec<u8> = word.collect();
    is_parted
        && matches!(word.len(), 4 | 5)
        && word.iter().any(u8::is_ascii_digit)
        && word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
}

/// Returns the digits that stand next to a place in a list, with commas, spaces or line ends between.
fn listed(glyphs: impl Iterator<Item = Glyph>) -> Vec<u8> {
    let is_between = |glyph: &Glyph| matches!(glyph.byte, b' ' | b',' | b'\n' | b'\t');
    let digits = glyphs.take(MAX_GLYPHS).skip_while(is_between).map(|glyph| glyph.byte);
    digits.take_while(u8::is_ascii_digit).collect()
}

/// Returns what may belong to a number that begins at `start`.
fn window(text: &str, start: usize) -> Vec<Glyph> {
    let mut window: Vec<Glyph> = Vec::new();
    for glyph in glyphs::after(text, start).take(MAX_GLYPHS) {
        let is_after_space = window.last().is_some_and(|last| last.byte == b' ');
        window.push(glyph);
        // What goes on in small letters is a sentence. `x` and `e` begin the extension of a telephone number.
        let is_word =
            matches!(glyph.byte, b'a'..=b'z' | LETTER) && !matches!(glyph.byte, b'x' | b'e');
        let belongs = glyph.byte == LETTER
            || glyph.byte.is_ascii_alphanumeric()
            || matches!(glyph.byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' | b'#' | b':');
        if !belongs || is_after_space && (is_word || glyph.byte == b' ') {
            break;
        }
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(text: &str) -> (Vec<usize>, Vec<Joint>) {
        let place = Place::read(text, glyphs::anchor(text, 0).unwrap()).unwrap();
        (place.lens(99), place.joints(99))
    }

    #[test]
    fn digits_are_grouped() {
        use Joint::{Close, Dash, Dot, Slash, Space, Wide};
        for (text, expected, joints) in [
            ("030 1234-5", vec![3, 4, 1], vec![Space, Dash]),
            ("030) 12/34 - 5", vec![3, 2, 2, 1], vec![Close, Slash, Wide]),
            ("1.2.3, 4", vec![1, 1, 1], vec![Dot, Dot]),
            ("12  34", vec![2], vec![]),
            ("12 and 34", vec![2], vec![]),
            ("12\n34", vec![2], vec![]),
            ("१२ ३४", vec![2, 2], vec![Space]),
        ] {
            assert_eq!(lens(text), (expected, joints), "{text}");
        }
    }

    #[test]
    fn only_so_much_is_looked_at() {
        let text = "1".repeat(MAX_GLYPHS + 9);
        assert_eq!(lens(&text).0, [MAX_GLYPHS]);
        assert!(Place::read("ABCDEF12", 6).is_some());
        assert!(Place::read("ABCDEFG12", 7).is_none());
    }
}
