//! Answers that were cut in two.

use lectern_core::{
    auth::Caller,
    errors::ErrorKind,
    passage::{ScoredPassage, Span},
};
use serde_json::json;

use super::world::{Draft, World, texts};

const BEFORE: &str = "Copies are made of everything.";
const MATCH: &str = "The platypus backup runs at three.";
const AFTER: &str = "It takes an hour.";

fn reader(world: &World, principals: &[&str]) -> Caller {
    let principals = principals.iter().map(|name| (*name).to_owned()).collect();
    Caller { principals, ..world.caller.clone() }
}

#[tokio::test]
async fn a_passage_of_an_answer_has_its_neighbours_byte_for_byte() {
    let world = World::new().await;
    let draft = Draft::of(&["Far before.", BEFORE, MATCH, AFTER, "Far after."]);
    world.write(1, &draft).await;
    let (asked, passages) = world.ask(&world.caller, "When does the platypus backup run?").await;
    let [ScoredPassage { passage, .. }] = passages.as_slice() else { panic!("{passages:?}") };
    assert_eq!(passage.text, format!("{BEFORE}\n\n{MATCH}\n\n{AFTER}"));
    let text = draft.text();
    assert_eq!(passage.span.of(&text), Some(passage.text.as_str()));
    let citation = &asked.answer.citations()[0];
    let span = Span { start: citation.start, end: citation.end };
    assert_eq!(span.of(&text), Some(citation.quote.as_str()));
    assert!(citation.quote.contains("at three"), "{citation:?}");

    world.set(json!({"retrieval": {"neighbours": 0}})).await;
    let (_, passages) = world.ask(&world.caller, "When does the platypus backup run?").await;
    assert_eq!(texts(&passages), [MATCH]);
}

#[tokio::test]
async fn a_neighbour_that_is_closed_to_the_caller_is_not_shown() {
    let world = World::new().await;
    let mut draft = Draft::of(&[MATCH, "The director earns ninety thousand."]);
    draft.acls[1] = vec!["hr".to_owned()];
    world.write(1, &draft).await;
    for caller in [reader(&world, &[]), reader(&world, &["sales"])] {
        let (_, passages) = world.ask(&caller, "When does the platypus backup run?").await;
        assert_eq!(texts(&passages), [MATCH]);
    }
}

#[tokio::test]
async fn an_index_that_cannot_be_read_again_costs_the_neighbours_only() {
    let world = World::new().await;
    world.write(1, &Draft::of(&[BEFORE, MATCH, AFTER])).await;
    world.index.fail_call(world.index.calls() + 2, ErrorKind::Unavailable);
    let (asked, passages) = world.ask(&world.caller, "When does the platypus backup run?").await;
    assert_eq!(texts(&passages), [MATCH]);
    assert_eq!(asked.degraded, ["neighbours"]);
    assert!(!asked.answer.is_refused());
}

#[tokio::test]
async fn one_call_fetches_all_neighbours() {
    let world = World::new().await;
    for seed in 0..5 {
        world.write(seed, &Draft::of(&[BEFORE, &format!("{MATCH} {seed}"), AFTER])).await;
    }
    let before = world.index.calls();
    let (_, passages) = world.ask(&world.caller, "When does the platypus backup run?").await;
    assert_eq!((passages.len(), world.index.calls() - before), (5, 2));
}
