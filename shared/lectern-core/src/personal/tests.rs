//! Labelled lines, and what holds for every text.

mod found;
mod kept;
mod properties;

use super::*;

/// Returns the line without its marks, and what they mark.
fn unmarked(line: &str) -> (String, Vec<Found>) {
    let (mut text, mut marked) = (String::new(), Vec::new());
    for (index, piece) in line.split('«').enumerate() {
        let (Some((inside, outside)), true) = (piece.split_once('»'), index > 0) else {
            text.push_str(piece);
            continue;
        };
        let (name, content) = inside.split_once('|').unwrap();
        let kind = Kind::ALL.into_iter().find(|kind| kind.name().starts_with(name)).unwrap();
        marked.push(Found { kind, span: text.len()..text.len() + content.len() });
        text.push_str(content);
        text.push_str(outside);
    }
    (text, marked)
}

/// Returns how a line differs from what it should be found to hold.
fn wrong(line: &str) -> Option<String> {
    let (text, expected) = unmarked(line);
    let found = find(&text, &Kind::ALL);
    let named = |found: &[Found]| -> Vec<String> {
        let named =
            |found: &Found| format!("{} {:?}", found.kind.name(), &text[found.span.clone()]);
        found.iter().map(named).collect()
    };
    (found != expected)
        .then(|| format!("{text}\n  wanted {:?}\n  found  {:?}", named(&expected), named(&found)))
}

fn check(lines: &[&str]) {
    let wrong: Vec<String> = lines.iter().filter_map(|line| wrong(line)).collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), lines.len(), wrong.join("\n"));
}

#[test]
fn personal_data_is_found() {
    assert!(found::LINES.len() >= 150, "{}", found::LINES.len());
    check(found::LINES);
}

#[test]
fn other_numbers_are_kept() {
    assert!(kept::LINES.len() >= 200, "{}", kept::LINES.len());
    check(kept::LINES);
    // They are kept next to each other too, where no label reaches the next.
    let all = find(&kept::LINES.join("\n\n"), &Kind::ALL);
    assert_eq!(all, [], "joined");
}

#[test]
fn kinds_are_named_as_in_json() {
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}

#[test]
fn only_what_is_asked_for_is_found() {
    let text = "mail a@example.com, phone +49 30 1234567, card 4111 1111 1111 1111";
    assert_eq!(mask(text, &[]), text);
    assert!(find(text, &[]).is_empty());
    assert_eq!(
        mask(text, &[Kind::Phone]),
        "mail a@example.com, phone **************, card 4111 1111 1111 1111"
    );
    // Half of what is not asked for is nothing else.
    assert!(find("4111 1111 1111 1111", &[Kind::Phone, Kind::NationalId]).is_empty());
    assert!(matches!(mask("nothing here, 12 of 34", &Kind::ALL), Cow::Borrowed(_)));
}

#[test]
fn every_byte_is_covered() {
    let text = "Tel. ٠١٠٠ ١٢٣ ٤٥٦٧.";
    let masked = mask(text, &Kind::ALL);
    assert_eq!(masked.len(), text.len());
    assert_eq!(masked, format!("Tel. {}.", "*".repeat(text.len() - 6)));
}

#[test]
fn what_stands_further_off_changes_nothing() {
    // The longest address there is ends within reach of its first digit, and what comes after it does not matter.
    let label = "b".repeat(63);
    let address = format!("1{}@{label}.{label}.{}.com", "a".repeat(63), "d".repeat(56));
    assert!(address.len() < MAX_REACH);
    assert_eq!(find(&address, &Kind::ALL).len(), 1);
    for far in [MAX_REACH, MAX_REACH + 1, 4 * MAX_REACH] {
        let text = format!("212-555-1234{}a@example.com", " ".repeat(far));
        assert_eq!(find(&text, &Kind::ALL).len(), 2, "{far}");
    }
}
