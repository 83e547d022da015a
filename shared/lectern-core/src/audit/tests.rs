use proptest::prelude::*;

use super::*;

fn entry(path: &str) -> Entry {
    Entry {
        at: "2026-01-31T08:00:00.000Z".to_owned(),
        request_id: "r1".to_owned(),
        decision: Decision::Allow,
        method: "POST".to_owned(),
        path: path.to_owned(),
        status: Some(200),
        reason: None,
        tenant: Some("acme".parse().unwrap()),
        key_id: None,
        visitor: None,
        address: Some("192.0.2.7".parse().unwrap()),
        used: Used::question(&"default".parse().unwrap(), "How much?", false),
    }
}

fn lines(count: usize) -> (Vec<String>, Chain) {
    let mut chain = Chain::new(Timestamp::from_millis(1), 7);
    let lines = (0..count).map(|at| chain.append(&entry(&format!("/v1/query/{at}")))).collect();
    (lines, chain)
}

fn head(chain: &Chain) -> Head {
    chain.head(Timestamp::from_millis(2))
}

fn verified<'line>(lines: impl IntoIterator<Item = &'line String>, heads: &[Head]) -> Verified {
    let mut verifier = Verifier::default();
    for line in lines {
        verifier.line(line).unwrap();
    }
    verifier.finish(heads)
}

#[test]
fn a_record_reads_as_it_was_written_and_says_no_question() {
    let (lines, _) = lines(1);
    let (content, hash) = part(&lines[0]).unwrap();
    assert!(content.starts_with(PREFIX) && content.ends_with('}'), "{content}");
    assert_eq!(hash, RecordHash::from(Sha256::digest(content.as_bytes())));
    let read: Entry = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(read, entry("/v1/query/0"));
    assert!(!lines[0].contains("How much"));
}

#[test]
fn a_question_is_kept_where_that_is_wished() {
    let used = Used::question(&"default".parse().unwrap(), "How much?", true);
    assert_eq!(used.question.as_deref(), Some("How much?"));
}

#[test]
fn documents_are_named_once_and_up_to_a_bound() {
    let ids: Vec<DocumentId> = (0..=MAX_DOCUMENTS as u128)
        .map(|at| DocumentId::new(Timestamp::from_millis(1), at))
        .collect();
    let used = Used::default().with_documents(ids.iter().chain(&ids));
    assert_eq!(used.documents, ids[..MAX_DOCUMENTS]);
}

#[test]
fn what_was_written_is_whole_in_any_order_twice_and_among_other_lines() {
    let (mut lines, chain) = lines(5);
    lines.reverse();
    lines.push(lines[2].clone());
    lines.push("INIT_START Runtime Version: provided:al2023".to_owned());
    lines.push(r#"{"level":"INFO","fields":{}}"#.to_owned());
    let found = verified(&lines, &[head(&chain)]);
    assert_eq!(found, Verified { records: 5, streams: 1, repeated: 1, ..Verified::default() });
}

#[test]
fn a_log_of_too_many_records_is_checked_in_parts() {
    let (lines, _) = lines(3);
    let mut verifier = Verifier::up_to(2);
    assert_eq!([0, 1, 1].map(|at: usize| verifier.line(&lines[at])), [Ok(()); 3]);
    assert_eq!(verifier.line(&lines[2]), Err(TooMany));
}

#[test]
fn what_is_missing_is_said() {
    let (lines, chain) = lines(6);
    let stream = head(&chain).stream;
    let kept = |range: &[usize]| range.iter().map(|at| lines[*at].clone()).collect::<Vec<_>>();
    let found = verified(&kept(&[0, 1, 4, 5]), &[head(&chain)]);
    assert_eq!(found.flaws, [Flaw::Missing { stream: stream.clone(), from: 2, to: 4 }]);
    let found = verified(&kept(&[2, 3, 4, 5]), &[head(&chain)]);
    assert_eq!((found.flaws, found.begin_later), (vec![], vec![(stream.clone(), 2)]));
    let found = verified(&kept(&[0, 1, 2, 3]), &[head(&chain)]);
    assert_eq!(found.flaws, [Flaw::Truncated { stream: stream.clone(), found: 4, known: 6 }]);
    let found = verified(&[], &[head(&chain)]);
    assert_eq!(found.flaws, [Flaw::Truncated { stream, found: 0, known: 6 }]);
}

#[test]
fn a_stream_that_was_written_again_is_not_the_one_that_was() {
    let (original, chain) = lines(4);
    let mut forged = Chain { length: 2, head: part(&original[1]).unwrap().1, ..chain.clone() };
    let again = [forged.append(&entry("/v1/else")), forged.append(&entry("/v1/more"))];
    let rewritten: Vec<String> = original[..2].iter().cloned().chain(again.clone()).collect();
    let stream = head(&chain).stream;
    let found = verified(&rewritten, &[head(&chain)]);
    assert_eq!(found.flaws, [Flaw::Replaced { stream: stream.clone() }]);
    let both: Vec<String> = original.into_iter().chain(again[..1].to_vec()).collect();
    let found = verified(&both, &[]);
    assert_eq!(found.flaws[0], Flaw::Forked { stream: stream.clone(), sequence: 2 });
    let mut other = Chain { length: 3, ..chain.clone() };
    let alone = [
        rewritten[0].clone(),
        rewritten[1].clone(),
        rewritten[2].clone(),
        other.append(&entry("/")),
    ];
    assert_eq!(verified(&alone, &[]).flaws, [Flaw::Unchained { stream, sequence: 3 }]);
}

#[test]
fn another_spelling_of_the_same_hash_shows() {
    let (mut lines, chain) = lines(2);
    let (content, digits) = lines[1].rsplit_once(HASH).unwrap();
    lines[1] = format!("{content}{HASH}{}\"}}", digits[..64].to_uppercase());
    let found = verified(&lines, &[head(&chain)]);
    assert_eq!(found.flaws[0], Flaw::Altered { line: 2 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever byte of whatever record is changed, it shows.
    #[test]
    fn a_changed_byte_shows(record in 0_usize..4, at in 0_usize..600, byte in 0x20_u8..0x7f) {
        let (mut lines, chain) = lines(4);
        let at = PREFIX.len() + at % (lines[record].len() - PREFIX.len());
        let mut bytes = lines[record].clone().into_bytes();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        lines[record] = String::from_utf8(bytes).unwrap();
        prop_assert!(!verified(&lines, &[head(&chain)]).flaws.is_empty());
    }
}
