//! Which letters a text shows, however they are written.
//!
//! Case, width, style, accents and characters that are not seen make no difference to a reader, and none here.
//! Every byte of the folded text knows where in the original it came from.

use std::{collections::HashMap, ops::Range, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

/// Letters that are drawn like Latin ones, by the Latin letter.
const LOOK_ALIKES: &str = include_str!("lexicon/look-alikes.txt");

static LATIN_OF: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for line in LOOK_ALIKES.lines().filter(|line| !line.starts_with('#')) {
        let mut letters = line.chars().filter(|c| !c.is_whitespace());
        let Some(latin) = letters.next() else { continue };
        table.extend(letters.map(|letter| (letter, latin)));
    }
    table
});

/// A folded text.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    /// The letters.
    pub(super) text: String,
    /// Where in the original each byte came from, and the original's length.
    origin: Vec<usize>,
}

impl Folded {
    /// Returns `text`, folded.
    pub(super) fn of(text: &str) -> Self {
        let mut folded = Self {
            text: String::with_capacity(text.len()),
            origin: Vec::with_capacity(text.len()),
        };
        for (at, c) in text.char_indices() {
            if c.is_ascii() {
                folded.push(c.to_ascii_lowercase(), at);
            } else if !is_unseen(c) {
                folded.push_wide(c, at);
            }
        }
        folded.origin.push(text.len());
        folded
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.origin.resize(self.text.len(), at);
    }

    fn push_wide(&mut self, c: char, at: usize) {
        if let Some(plain) = styled(c) {
            return self.push(plain, at);
        }
        for part in std::iter::once(c).nfkd().flat_map(char::to_lowercase) {
            match part {
                _ if is_mark(part) || is_unseen(part) => {}
                '\u{131}' => self.push('i', at),
                '\u{2018}' | '\u{2019}' | '\u{2bc}' => self.push('\'', at),
                '\u{201c}' | '\u{201d}' | '\u{201e}' | '«' | '»' => self.push('"', at),
                '\u{2010}'..='\u{2015}' | '\u{2212}' => self.push('-', at),
                '\u{a0}' => self.push(' ', at),
                _ => self.push(part, at),
            }
        }
    }

    /// Returns the text with `change` made to every character; `None` leaves one out.
    pub(super) fn map(&self, mut change: impl FnMut(usize, char) -> Option<char>) -> Self {
        let mut changed = Self::default();
        for (at, c) in self.text.char_indices() {
            if let Some(new) = change(at, c) {
                changed.push(new, self.origin[at]);
            }
        }
        changed.origin.push(self.origin.last().copied().unwrap_or_default());
        changed
    }

    /// Returns the text in Latin letters, if it holds words that mix them with look-alikes of other scripts.
    pub(super) fn latinised(&self) -> Option<Self> {
        let is_mixed = |word: &str| {
            word.chars().any(|c| c.is_ascii_alphabetic())
                && word.chars().any(|c| !c.is_ascii() && LATIN_OF.contains_key(&c))
        };
        (!self.text.is_ascii() && self.text.split_whitespace().any(is_mixed))
            .then(|| self.map(|_, c| Some(LATIN_OF.get(&c).copied().unwrap_or(c))))
    }

    /// Returns where `range` of the folded text stands in the original.
    pub(super) fn span(&self, range: &Range<usize>) -> Range<usize> {
        let place = |at: usize| self.origin.get(at).or(self.origin.last()).copied().unwrap_or(0);
        place(range.start)..place(range.end)
    }
}

/// Letters in styles that compatibility folding leaves alone: small capitals aside, those in squares, circles,
/// flags and Braille.
fn styled(c: char) -> Option<char> {
    const BRAILLE: &str = "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵";
    const SMALL: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ";
    let letter = |offset: u32| char::from_u32(u32::from('a') + offset);
    let code = u32::from(c);
    match c {
        '\u{1f1e6}'..='\u{1f1ff}' => letter(code - 0x1f1e6),
        '\u{1f150}'..='\u{1f169}' => letter(code - 0x1f150),
        '\u{1f170}'..='\u{1f189}' => letter(code - 0x1f170),
        '\u{2801}'..='\u{283f}' => position(BRAILLE, c).and_then(letter),
        '\u{180}'..='\u{2af}' | '\u{1d00}'..='\u{1d7f}' | '\u{a720}'..='\u{a7ff}' => {
            position(SMALL, c).and_then(letter)
        }
        _ => None,
    }
}

fn position(alphabet: &str, c: char) -> Option<u32> {
    alphabet.chars().position(|letter| letter == c).and_then(|at| u32::try_from(at).ok())
}

/// Characters that show nothing.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Marks that change no letter of the scripts in the lexicon into another one that it holds.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{610}'..='\u{61a}' | '\u{640}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' | '\u{93c}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_the_same_however_they_are_styled() {
        for text in
            ["Ｃhat", "𝐜𝐡𝐚𝐭", "c\u{200b}h\u{ad}at", "ⓒⓗⓐⓣ", "c\u{336}h\u{301}at", "ᴄʜᴀᴛ", "⠉⠓⠁⠞"]
        {
            assert_eq!(Folded::of(text).text, "chat", "{text}");
        }
    }

    #[test]
    fn spans_stand_in_the_original() {
        let folded = Folded::of("é\u{200b}Ｂc");
        assert_eq!(folded.text, "ebc");
        assert_eq!(folded.span(&(1..2)), 5..8);
    }

    #[test]
    fn only_words_of_two_scripts_are_read_as_latin() {
        let latin = Folded::of("the bоt").latinised().map(|folded| folded.text);
        assert_eq!(latin.as_deref(), Some("the bot"));
        assert!(Folded::of("бот и bot").latinised().is_none());
    }
}
