//! Where a span of the canonical text stands in the text a golden set was written against.
//!
//! The two differ in white space, in Unicode normal form, and in characters that ingestion drops. Both are read as
//! characters in NFC without white space; where they differ, the nearest common character goes on.

use lectern_core::passage::Span;
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// Characters looked ahead where the texts differ.
const LOOK_AHEAD: usize = 32;

/// Which character of the canonical text is which of the source.
#[derive(Debug)]
pub(super) struct Alignment {
    /// Span of each canonical character, in order, and of the source's where it has the same one.
    characters: Vec<(Span, Option<Span>)>,
}

impl Alignment {
    /// Aligns the two texts in time linear in their length.
    pub(super) fn new(canonical: &str, source: &str) -> Self {
        let (canonical, source) = (characters(canonical), characters(source));
        let mut aligned: Vec<(Span, Option<Span>)> =
            canonical.iter().map(|(_, span)| (*span, None)).collect();
        let (mut here, mut there) = (0, 0);
        while here < canonical.len() && there < source.len() {
            if canonical[here].0 == source[there].0 {
                aligned[here].1 = Some(source[there].1);
                (here, there) = (here + 1, there + 1);
                continue;
            }
            let mut skips =
                (1..=LOOK_AHEAD).flat_map(|sum| (0..=sum).map(move |skip| (skip, sum - skip)));
            let is_common = |(skip_here, skip_there): &(usize, usize)| {
                let one = canonical.get(here + skip_here).map(|(character, _)| character);
                let other = source.get(there + skip_there).map(|(character, _)| character);
                one.is_some() && one == other
            };
            let (skip_here, skip_there) = skips.find(is_common).unwrap_or((1, 1));
            (here, there) = (here + skip_here, there + skip_there);
        }
        Self { characters: aligned }
    }

    /// Returns the source's bytes from the first to the last character of a canonical span, `None` when one
    /// of the two is not in the source.
    pub(super) fn to_source(&self, canonical: Span) -> Option<Span> {
        let first = self.characters.partition_point(|(here, _)| here.start < canonical.start);
        let after = self.characters.partition_point(|(here, _)| here.end <= canonical.end);
        let within = self.characters.get(first..after)?;
        let (start, end) = (within.first()?.1?.start, within.last()?.1?.end);
        (start < end).then_some(Span { start, end })
    }
}

/// Returns the characters of a text in NFC without white space, each with the bytes of its grapheme cluster.
fn characters(text: &str) -> Vec<(char, Span)> {
    let clusters = text.grapheme_indices(true);
    clusters
        .flat_map(|(start, cluster)| {
            let span = Span { start, end: start + cluster.len() };
            cluster.nfc().filter(|it| !it.is_whitespace()).map(move |character| (character, span))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mapped<'source>(canonical: &str, source: &'source str, quote: &str) -> Option<&'source str> {
        let start = canonical.find(quote).unwrap();
        let span = Span { start, end: start + quote.len() };
        Alignment::new(canonical, source).to_source(span).and_then(|span| span.of(source))
    }

    #[test]
    fn white_space_and_normal_form_do_not_matter() {
        let source = "Ein  Cafe\u{301}\r\n steht\u{a0}hier.";
        assert_eq!(
            mapped("Ein Café steht hier.", source, "Café steht"),
            Some("Cafe\u{301}\r\n steht")
        );
        assert_eq!(
            mapped("Ein Café\n\nsteht hier.", source, "steht hier."),
            Some("steht\u{a0}hier.")
        );
    }

    #[test]
    fn dropped_and_added_characters_are_passed() {
        assert_eq!(mapped("abcdef", "a\u{200b}b\u{7}cdef", "bcd"), Some("b\u{7}cd"));
        assert_eq!(mapped("Title\n\nsome text", "some text", "some text"), Some("some text"));
        assert_eq!(mapped("Title\n\nsome text", "other", "Title"), None);
    }

    proptest! {
        #[test]
        fn a_text_is_aligned_with_itself(text in "[a-zäé漢\\p{Arabic} \\n]{1,60}", cut in 0_usize..60, length in 1_usize..30) {
            let composed: String = text.nfc().collect();
            let start = composed.floor_char_boundary(cut.min(composed.len()));
            let end = composed.ceil_char_boundary((start + length).min(composed.len()));
            let spaced = composed.replace(' ', "  ").replace('\n', " \r\n");
            if let Some(span) = Alignment::new(&composed, &spaced).to_source(Span { start, end }) {
                let plain = |text: &str| text.chars().filter(|it| !it.is_whitespace()).collect::<String>();
                let found = plain(span.of(&spaced).unwrap());
                prop_assert!(plain(&composed[start..end]).contains(&found));
            }
        }
    }
}
