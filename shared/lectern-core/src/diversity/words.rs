//! Texts as sets of hashed words. Every word counts, "not" too: these are compared, not looked for.

use std::collections::HashMap;

/// Longest run of letters that is one word; a longer one, as in scripts without spaces, is taken apart.
const MAX_WORD_CHARS: usize = 20;
/// Letters of the pieces of a run that is taken apart.
const PIECE_CHARS: usize = 2;
/// Parameters of FNV-1a with 64 bits (Fowler, Noll and Vo).
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// What a text is recognised by.
pub(super) struct Fingerprint {
    /// Hashes of neighbouring words, ascending and distinct.
    pairs: Vec<u64>,
    /// Hashes of the words with a digit in them, ascending and distinct.
    numbers: Vec<u64>,
}

impl Fingerprint {
    pub(super) fn of(text: &str) -> Self {
        let words = words(text);
        let numbers = words.iter().filter(|word| word.has_digit).map(|word| word.hash).collect();
        let mut pairs: Vec<u64> =
            words.windows(2).map(|pair| mix(pair[0].hash, pair[1].hash)).collect();
        if let [only] = words.as_slice() {
            pairs.push(only.hash);
        }
        Self { pairs: set(pairs), numbers: set(numbers) }
    }

    /// Whether both name the same numbers and at least `share` of their pairs are common: the resemblance of Broder
    /// ("On the resemblance and containment of documents", 1997), with exact sets.
    pub(super) fn repeats(&self, other: &Self, share: f32) -> bool {
        let (small, large) =
            (self.pairs.len().min(other.pairs.len()), self.pairs.len().max(other.pairs.len()));
        // What differs in size that much cannot have so much in common.
        if self.numbers != other.numbers || (small as f32) < share * large as f32 {
            return false;
        }
        let common = common(&self.pairs, &other.pairs).count();
        let all = self.pairs.len() + other.pairs.len() - common;
        all > 0 && common as f32 >= share * all as f32
    }
}

/// The words of some texts, and how much each tells.
pub(super) struct Vocabulary {
    texts: Vec<Vec<u64>>,
    weights: HashMap<u64, f32>,
}

impl Vocabulary {
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let hashes = |text| set(words(text).iter().map(|word| word.hash).collect());
        let texts: Vec<Vec<u64>> = texts.map(hashes).collect();
        let mut weights: HashMap<u64, f32> = HashMap::new();
        for word in texts.iter().flatten() {
            *weights.entry(*word).or_default() += 1.0;
        }
        let total = texts.len() as f32;
        // Inverse document frequency among these texts: what all of them say tells nothing apart.
        weights.values_mut().for_each(|holding| *holding = (1.0 + total / *holding).ln());
        Self { texts, weights }
    }

    /// Returns the weight of the common words over that of all words of two texts, 0 to 1.
    pub(super) fn similarity(&self, one: usize, other: usize) -> f32 {
        let weight = |word: &u64| self.weights.get(word).copied().unwrap_or_default();
        let (one, other) = (&self.texts[one], &self.texts[other]);
        let common: f32 = common(one, other).map(|word| weight(&word)).sum();
        let all = one.iter().chain(other).map(weight).sum::<f32>() - common;
        if all > 0.0 { common / all } else { 0.0 }
    }
}

struct Word {
    hash: u64,
    has_digit: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for run in text.split(|character: char| !character.is_alphanumeric()) {
        if run.is_empty() {
            continue;
        }
        if run.len() <= MAX_WORD_CHARS || run.chars().count() <= MAX_WORD_CHARS {
            words.push(word(run));
            continue;
        }
        let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
        let pieces = starts.windows(PIECE_CHARS + 1);
        words.extend(pieces.map(|piece| word(&run[piece[0]..piece[PIECE_CHARS]])));
    }
    words
}

fn word(text: &str) -> Word {
    let mut hash = FNV_OFFSET;
    let mut has_digit = false;
    for character in text.chars() {
        has_digit |= character.is_numeric();
        if character.is_ascii() {
            hash = (hash ^ u64::from(character.to_ascii_lowercase() as u8)).wrapping_mul(FNV_PRIME);
        } else {
            for lower in character.to_lowercase() {
                hash = (hash ^ u64::from(lower)).wrapping_mul(FNV_PRIME);
            }
        }
    }
    Word { hash, has_digit }
}

fn mix(first: u64, second: u64) -> u64 {
    (first.rotate_left(23) ^ second).wrapping_mul(FNV_PRIME)
}

fn set(mut hashes: Vec<u64>) -> Vec<u64> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Returns what two ascending lists have in common.
fn common<'a>(one: &'a [u64], other: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
    let mut rest = other.iter().copied().peekable();
    one.iter().copied().filter(move |hash| {
        while rest.next_if(|next| next < hash).is_some() {}
        rest.next_if_eq(hash).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(one: &str, other: &str) -> bool {
        Fingerprint::of(one).repeats(&Fingerprint::of(other), 0.9)
    }

    const TEXT: &str = "The service keeps its backups in another region so that the loss of one \
        region loses nothing that was written before the evening of the day of the loss itself";

    #[test]
    fn spacing_case_and_marks_make_no_difference() {
        assert!(share(TEXT, &TEXT.to_uppercase().replace(' ', " – ")));
        assert!(share("Same", "same!"));
        assert!(!share("", ""), "nothing repeats nothing");
    }

    #[test]
    fn another_number_or_another_order_is_another_text() {
        let numbered = |number: u32| format!("{TEXT} {number}");
        assert!(share(&numbered(7), &numbered(7)));
        assert!(!share(&numbered(7), &numbered(8)));
        assert!(!share("Anna owes Berta the sum", "Berta owes Anna the sum"));
    }

    #[test]
    fn a_script_without_spaces_is_compared_by_pieces() {
        let text =
            "备份服务每天凌晨三点运行并在另一个区域保存三十天以便在一个区域丢失时不会丢失任何数据";
        assert!(share(text, &format!("{text}。")));
        assert!(!share(
            text,
            "工作时间从九点到十七点午餐在食堂供应周末办公室关闭请提前预约会议室谢谢合作"
        ));
    }
}
