//! How a place in a document is written.

use super::bodies::{Passage, Place};
use crate::output::one_line;

/// Characters of a document's name.
const NAME_CHARS: usize = 80;
/// Characters of a quote or passage.
pub(super) const QUOTE_CHARS: usize = 160;

/// Returns `backup.md p. 3 l. 42`.
pub(super) fn place(place: &Place) -> String {
    let name = one_line(&place.document_name, NAME_CHARS);
    match place.page {
        Some(page) => format!("{name} p. {page} l. {}", place.line),
        None => format!("{name} l. {}", place.line),
    }
}

/// Returns a passage as two lines: where it is, then how it begins.
pub(super) fn passage(rank: usize, found: &Passage) -> String {
    let heading = one_line(&found.heading, NAME_CHARS);
    let heading = if heading.is_empty() { heading } else { format!("  {heading}") };
    let text = one_line(&found.text, QUOTE_CHARS);
    format!("{rank:>2}. {}{heading}  ({:.4})\n    {text}", place(&found.place), found.score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_where_there_is_one() {
        let mut at = Place { document_name: "backup.md".into(), page: Some(3), line: 42 };
        assert_eq!(place(&at), "backup.md p. 3 l. 42");
        at.page = None;
        assert_eq!(place(&at), "backup.md l. 42");
    }

    #[test]
    fn a_passage_tells_its_headings_and_its_beginning() {
        let at = Place { document_name: "a.md".into(), page: None, line: 1 };
        let found = Passage {
            place: at,
            heading: "Guide › Backups".into(),
            text: "Daily\nat 3.".into(),
            score: 0.5,
        };
        assert_eq!(passage(1, &found), " 1. a.md l. 1  Guide › Backups  (0.5000)\n    Daily at 3.");
    }
}
