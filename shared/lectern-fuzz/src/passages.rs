//! Passages that may speak to a machine: what is found in them can be shown.

use lectern_core::injection::inspect;

/// A passage.
pub(crate) fn injection(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let inspected = inspect(&text);
    assert_eq!(inspected, inspect(&text), "the same text, the same findings");
    assert!((0.0..=1.0).contains(&inspected.score), "{}", inspected.score);
    let mut spans = Vec::new();
    for finding in &inspected.findings {
        assert!((0.0..=inspected.score).contains(&finding.score), "{finding:?}");
        assert!(
            text.get(finding.span.clone()).is_some_and(|found| !found.is_empty()),
            "{finding:?}"
        );
        spans.push(finding.span.clone());
    }
    spans.sort_by_key(|span| span.start);
    assert!(spans.windows(2).all(|two| two[0].end <= two[1].start), "they do not overlap");
}
