use proptest::prelude::*;

use super::*;
use crate::{ids::DocumentId, passage::Span, question::MAX_QUESTION_CHARS, time::Timestamp};

fn earlier(question: &str) -> Earlier<'_> {
    Earlier { question, standalone: None }
}

fn asked(text: &str) -> Question {
    text.parse().unwrap()
}

/// Returns a question with the topic of the one before it, `None` when it stands alone.
fn with_topic(before: &str, question: &str) -> Option<String> {
    match read(&[earlier(before)], &asked(question)) {
        Reading::Alone => None,
        Reading::Follows(understood) | Reading::Unsure { with_topic: understood, .. } => {
            Some(understood.as_str().to_owned())
        }
    }
}

#[test]
fn pronouns_and_ellipses_of_every_language_are_follow_ups() {
    for (before, question, understood) in [
        (
            "When do the nightly backups run?",
            "How long are they kept?",
            "How long are they kept? (nightly backups)",
        ),
        (
            "Was kostet der Bewohnerparkausweis?",
            "Wie lange gilt er?",
            "Wie lange gilt er? (Bewohnerparkausweis)",
        ),
        (
            "¿Cómo se alquilan las bicicletas públicas?",
            "¿Cuánto cuesta reservarlas?",
            "¿Cuánto cuesta reservarlas? (alquilan bicicletas públicas)",
        ),
        (
            "Où est conservé le contrat de location ?",
            "Et combien de temps ?",
            "Et combien de temps ? (conservé contrat location)",
        ),
        ("رحمت کلینک کب کھلتا ہے؟", "اور فیس کتنی ہے؟", "اور فیس کتنی ہے؟ (رحمت کلینک)"),
        (
            "متى تفتح المكتبة العامة؟",
            "كم تكلف العضوية فيها؟",
            "كم تكلف العضوية فيها؟ (تفتح المكتبة العامة)",
        ),
        (
            "पुस्तकालय की सदस्यता कैसे लें?",
            "और उसका शुल्क कितना है?",
            "और उसका शुल्क कितना है? (पुस्तकालय सदस्यता लें)",
        ),
        ("数据库备份保留多久？", "它们存放在哪里？", "它们存放在哪里？ (数据库备份保留)"),
    ] {
        assert_eq!(with_topic(before, question).as_deref(), Some(understood));
    }
}

#[test]
fn a_question_without_anything_of_its_own_is_one_for_certain() {
    for question in ["And how long?", "Why?", "How much does it cost?", "Who approves them?"] {
        let reading = read(&[earlier("How do I request foreign travel?")], &asked(question));
        assert!(matches!(reading, Reading::Follows(_)), "{question}: {reading:?}");
    }
}

#[test]
fn a_question_that_names_its_topic_stands_alone() {
    for question in [
        "Who designed the old Kestrel Bridge over the Senn?",
        "How long does it take to charge the battery of the Falcon X2?",
        "When a badge is lost, who reports it to the security desk?",
        "Wie hoch ist die Hundesteuer für den ersten Hund im Landkreis Nord?",
        "¿Cuánto cuesta el abono mensual del polideportivo Los Olivos?",
    ] {
        assert_eq!(with_topic("When do the nightly backups run?", question), None, "{question}");
    }
}

#[test]
fn without_an_earlier_question_or_a_lexicon_nothing_is_rewritten() {
    assert_eq!(read(&[], &asked("How long are they kept?")), Reading::Alone);
    assert_eq!(with_topic("Когда делаются резервные копии?", "Как долго они хранятся?"), None);
    assert_eq!(with_topic("バックアップはいつですか？", "それはどこですか？"), None);
    assert_eq!(with_topic("And?", "And how long?"), None, "there is no topic to carry");
}

#[test]
fn what_is_asked_instead_replaces_its_parallel() {
    let before = "How long is the warranty of the Falcon X2?";
    let understood = with_topic(before, "And the Heron M1?").unwrap();
    assert_eq!(understood, "And the Heron M1? (warranty; long)");
    let before = "How many desks has the Berlin office?";
    let understood = with_topic(before, "What about the Lisbon office?").unwrap();
    assert_eq!(understood, "What about the Lisbon office? (desks; many)");
    let before = "Was kostet die Kita Sonnenhof?";
    let understood = with_topic(before, "Und die Kita Waldblick?").unwrap();
    assert_eq!(understood, "Und die Kita Waldblick? (kostet)");
}

#[test]
fn the_topic_lasts_over_several_turns_and_ends_with_a_new_one() {
    let mut turns = vec![earlier("When are the production databases backed up?")];
    let (second, third) = ("Are they encrypted?", "Who has the key for that?");
    let Reading::Follows(understood) = read(&turns, &asked(second)) else { panic!() };
    let understood = understood.as_str().to_owned();
    turns.push(Earlier { question: second, standalone: Some(&understood) });
    let Reading::Follows(next) = read(&turns, &asked(third)) else { panic!() };
    assert_eq!(next.as_str(), "Who has the key for that? (production databases backed)");

    turns.push(earlier("How many visitors may the Lisbon office receive?"));
    let Reading::Follows(last) = read(&turns, &asked("Where do they register?")) else { panic!() };
    assert_eq!(last.as_str(), "Where do they register? (visitors Lisbon office receive)");
    // It names the older topic twice and says nothing of the last one.
    let back = read(&turns, &asked("And who restores the production databases?"));
    let Reading::Unsure { with_topic, .. } = back else { panic!("{back:?}") };
    assert_eq!(with_topic.as_str(), "And who restores the production databases? (backed)");
}

#[test]
fn a_models_rewriting_is_a_topic_of_its_own() {
    let model = "How long are the backups of the laptops kept?";
    let turns = [Earlier { question: "and them?", standalone: Some(model) }];
    let Reading::Follows(next) = read(&turns, &asked("Where are they?")) else { panic!() };
    assert_eq!(next.as_str(), "Where are they? (backups laptops)");
}

fn passage(name: &str, text: &str) -> Passage {
    Passage {
        tenant: "acme".parse().unwrap(),
        collection: "default".parse().unwrap(),
        document_id: DocumentId::new(Timestamp::from_millis(1), 1),
        version: 1,
        ordinal: 0,
        document_name: name.into(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: 0, end: text.len() },
        text: text.into(),
        text_sha256: String::new(),
        hostility: None,
        personal: None,
        language: "eng".into(),
        acl: vec![],
        metadata: serde_json::Map::new(),
    }
}

#[test]
fn what_is_found_tells_a_follow_up_from_a_new_topic() {
    let museum = passage(
        "museum.md",
        "The Maritime Museum is closed on Mondays. Guided tours begin at 11:00.",
    );
    let other = passage("textile.md", "The Textile Museum. Guided tours begin at 14:00.");
    let drills = passage("fire.md", "Fire drills take place twice a year.");
    let before = [earlier("When is the Maritime Museum closed?")];
    let judged = |question: &str, with: &Passage, without: &Passage| {
        let question = asked(question);
        let Reading::Unsure { with_topic, .. } = read(&before, &question) else { panic!() };
        favours_topic(&question, &with_topic, Some(with), Some(without))
    };
    assert!(judged("When do guided tours begin?", &museum, &other));
    assert!(!judged("How often do fire drills take place?", &museum, &drills));
    // Both find the new topic's passage, which says nothing of the museum.
    assert!(!judged("How often do fire drills take place?", &drills, &drills));
    let question = asked("When do guided tours begin?");
    assert!(!favours_topic(&question, &question, None, Some(&other)));
}

#[test]
fn a_question_without_room_stays_as_it_is() {
    let long = format!("Why {}", "they ".repeat(MAX_QUESTION_CHARS / 5 - 1));
    assert_eq!(with_topic("When do backups run?", long.trim()), None);
}

fn sentences() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(vec![
        "And",
        "what",
        "about",
        "they",
        "it",
        "the",
        "Berlin",
        "office",
        "X2",
        "und",
        "er",
        "die",
        "Kita",
        "¿Y",
        "ella",
        "renovarla",
        "اور",
        "وہ",
        "فیس",
        "كم",
        "فيها",
        "और",
        "उसका",
        "它们",
        "数据库呢",
        "備份",
        "(",
        ")",
        ";",
        "?",
        "\u{301}",
        "🙂",
    ]);
    prop_oneof![
        proptest::collection::vec(words, 1..14).prop_map(|words| words.join(" ")),
        "[\\PC\\s]{1,200}",
        ".{3900,4000}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_is_read_within_bounds_and_keeps_its_words(
        before in proptest::collection::vec((sentences(), proptest::option::of(sentences())), 0..9),
        question in sentences(),
    ) {
        let Ok(question) = question.parse::<Question>() else { return Ok(()) };
        let turns: Vec<Earlier<'_>> = before
            .iter()
            .map(|(question, standalone)| Earlier { question, standalone: standalone.as_deref() })
            .collect();
        let reading = read(&turns, &question);
        prop_assert_eq!(&reading, &read(&turns, &question));
        let understood = match &reading {
            Reading::Alone => vec![&question],
            Reading::Follows(with_topic) => vec![with_topic],
            Reading::Unsure { with_topic, without } => vec![with_topic, without],
        };
        for one in understood {
            prop_assert!(one.as_str().starts_with(question.as_str()));
            prop_assert!(one.as_str().chars().count() <= MAX_QUESTION_CHARS);
            let added = one.as_str().len() - question.as_str().len();
            prop_assert!(added <= 16 * 65);
        }
        // What stands alone stands alone after itself and anything else that did.
        if reading == Reading::Alone && !turns.is_empty() {
            let again = Earlier { question: question.as_str(), standalone: None };
            let after = [turns.as_slice(), &[again]].concat();
            let same_length = after.len() <= MAX_EARLIER;
            prop_assert!(!same_length || read(&turns, &question) == Reading::Alone);
        }
    }

    #[test]
    fn a_question_that_names_its_topic_is_never_changed(
        before in proptest::collection::vec(sentences(), 0..9),
        names in proptest::collection::vec("[A-Z][a-z]{3,8}", 3..6),
    ) {
        let question = asked(&format!("When was the warranty of {} extended?", names.join(" ")));
        let turns: Vec<Earlier<'_>> = before.iter().map(|question| earlier(question)).collect();
        prop_assert_eq!(read(&turns, &question), Reading::Alone);
    }
}
