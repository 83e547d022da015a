use proptest::prelude::*;

use super::super::*;

/// What is personal data, comes close to it, or stands around it.
const WHOLE: &[&str] = &[
    "a@example.com",
    "jo.x85@mail.example.org",
    "jo (at) example (dot) com",
    "+49 30 1234567",
    "(212) 555-1234",
    "212-555-1234",
    "030 12345678",
    "0100 123 4567",
    "4111 1111 1111 1111",
    "4111111111111111",
    "5500-0000-0000-0004",
    "378282246310005",
    "DE89 3704 0044 0532 0130 00",
    "GB82WEST12345698765432",
    "078-05-1120",
    "AB 12 34 56 C",
    "943 476 5919",
    "86095742719",
    "1 85 05 78 006 084 91",
    "12345678Z",
    "RSSMRA85T10A562S",
    "RSS MRA 85T10 A562S",
    "111222333",
    "44051401359",
    "811218-9876",
    "131052-308T",
    "10000000146",
    "2341 2341 2346",
    "529.982.247-25",
    "11010519491231002X",
    "35202-1234567-1",
    "900101-1234567",
    "192.168.1.20",
    "8.8.8.8",
    "2001:db8::1",
    "fe80::1",
    "************",
    "******",
    "**",
    "Tel",
    "phone",
    "SSN",
    "NHS",
    "BSN",
    "IP",
    "card",
    "ISBN",
    "order no",
    "version",
    "v",
    "x12",
    "ext. 5",
    "KG",
    "0",
    "00",
    "1",
    "(0)",
    "(",
    ")",
    "+",
    "@",
    "(at)",
    "[dot]",
    "٠١٠",
    "०१२",
    "１２",
    "电话",
    "é",
    "§",
];
/// What stands between.
const JOINTS: &[&str] = &[
    " ", " ", " ", "-", ".", "/", ",", ", ", ":", ": ", "", "", "\n", "\n\n", "  ", "_", "=",
    "\u{a0}", "–",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(WHOLE).prop_map(str::to_owned),
        6 => prop::sample::select(JOINTS).prop_map(str::to_owned),
        2 => "[0-9]{1,17}",
        2 => "[0-9]{1,5}",
        1 => "[a-zA-Z]{1,8}",
        1 => "\\PC{0,4}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

fn kinds() -> impl Strategy<Value = Vec<Kind>> {
    prop_oneof![
        2 => Just(Kind::ALL.to_vec()),
        3 => prop::sample::subsequence(Kind::ALL.to_vec(), 0..=Kind::ALL.len()),
    ]
}

fn holds(text: &str, kinds: &[Kind]) -> Result<(), TestCaseError> {
    let found = find(text, kinds);
    prop_assert_eq!(&found, &find(text, kinds));
    let masked = mask(text, kinds);
    prop_assert_eq!(masked.len(), text.len());
    let mut from = 0;
    for place in &found {
        let span = place.span.clone();
        prop_assert!(kinds.contains(&place.kind));
        prop_assert!(from <= span.start && span.start < span.end);
        prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
        prop_assert!(!text[span.clone()].contains('\n'), "{:?}", place);
        prop_assert_eq!(&masked[from..span.start], &text[from..span.start]);
        prop_assert!(masked[span.clone()].bytes().all(|byte| byte == b'*'));
        from = span.end;
    }
    prop_assert_eq!(&masked[from..], &text[from..]);
    prop_assert_eq!(find(&masked, kinds), Vec::<Found>::new(), "{}", masked);
    prop_assert_eq!(mask(&masked, kinds), masked.as_ref());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn masking_keeps_lengths_and_leaves_nothing_to_find(text in text(), kinds in kinds()) {
        holds(&text, &kinds)?;
    }

    #[test]
    fn any_text_is_taken(text in "\\PC{0,80}", kinds in kinds()) {
        holds(&text, &kinds)?;
    }

    #[test]
    fn numbers_of_any_form_are_taken(text in "([0-9]{1,6}[-. /()+:@A-Za-z]{0,2}){0,40}") {
        holds(&text, &Kind::ALL)?;
    }
}

#[test]
fn time_is_in_proportion() {
    // Each of these would take hours if anything were looked at again and again.
    for unit in [
        "1",
        "1 ",
        "1.",
        "1-",
        "1:",
        "a1@",
        "@",
        "1@a.",
        "(at)",
        "a.1",
        "+49 30 1234567 ",
        "212-555-1234\n",
        "*1",
        "٣",
        "AB1",
        "phone ",
    ] {
        let text = unit.repeat(300_000 / unit.len());
        let masked = mask(&text, &[Kind::Email, Kind::Phone]);
        assert_eq!(masked.len(), text.len());
    }
}
