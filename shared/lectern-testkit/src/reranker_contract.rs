//! The contract of [`Reranker`], a function per line.

use std::time::Duration;

use lectern_core::{errors::ErrorKind, ports::Reranker};

/// Far longer than any adapter needs here.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Passages every adapter takes in one call.
const PASSAGES: usize = 100;
/// More passages than any adapter takes in one call.
const TOO_MANY: usize = 100_000;
const QUESTION: &str = "how often do the nightly backups run";
/// The second answers, the third is about something near, the others are about nothing of it.
const TEXTS: [&str; 4] = [
    "the canteen opens at noon",
    "the nightly backups run once in twenty-four hours, at two o'clock",
    "the backups are kept for thirty days",
    "parking is free for visitors",
];

/// Runs every line of the contract against `reranker`.
pub async fn holds_for(reranker: &dyn Reranker) {
    an_empty_list_gives_an_empty_list(reranker).await;
    the_passage_that_answers_scores_highest(reranker).await;
    scores_are_in_the_order_given(reranker).await;
    the_same_input_gives_the_same_order(reranker).await;
    a_hundred_passages_are_taken(reranker).await;
    more_than_the_adapter_takes_are_too_large(reranker).await;
    no_text_is_an_error(reranker).await;
    a_text_longer_than_the_window_is_truncated(reranker).await;
    a_call_that_is_not_over_in_time_is_a_timeout(reranker).await;
}

/// An empty list gives an empty list.
pub async fn an_empty_list_gives_an_empty_list(reranker: &dyn Reranker) {
    assert!(scores(reranker, QUESTION, &[]).await.is_empty());
}

/// Higher is better.
pub async fn the_passage_that_answers_scores_highest(reranker: &dyn Reranker) {
    let scores = scores(reranker, QUESTION, &TEXTS.map(str::to_owned)).await;
    assert_eq!(order(&scores)[0], 1, "{scores:?}");
}

/// One score per passage, in the order given: another order of the passages gives the same order of the scores.
pub async fn scores_are_in_the_order_given(reranker: &dyn Reranker) {
    let forwards = scores(reranker, QUESTION, &TEXTS.map(str::to_owned)).await;
    let mut texts = TEXTS.map(str::to_owned);
    texts.reverse();
    let backwards = scores(reranker, QUESTION, &texts).await;
    let mirrored: Vec<usize> =
        order(&backwards).into_iter().map(|index| TEXTS.len() - 1 - index).collect();
    assert_eq!(order(&forwards), mirrored, "{forwards:?} {backwards:?}");
}

/// The same input gives the same order.
pub async fn the_same_input_gives_the_same_order(reranker: &dyn Reranker) {
    let texts = TEXTS.map(str::to_owned);
    let first = scores(reranker, QUESTION, &texts).await;
    assert_eq!(order(&first), order(&scores(reranker, QUESTION, &texts).await));
}

/// As many passages as a search returns are taken, however many requests that makes: the best one is found
/// wherever it stands.
pub async fn a_hundred_passages_are_taken(reranker: &dyn Reranker) {
    for place in [0, PASSAGES / 2, PASSAGES - 1] {
        let mut texts: Vec<String> =
            (0..PASSAGES).map(|number| format!("room {number} is closed")).collect();
        texts[place] = TEXTS[1].to_owned();
        let scores = scores(reranker, QUESTION, &texts).await;
        assert_eq!(order(&scores)[0], place, "{scores:?}");
    }
}

/// More passages than the adapter takes are `TooLarge`.
pub async fn more_than_the_adapter_takes_are_too_large(reranker: &dyn Reranker) {
    let texts = vec![String::new(); TOO_MANY];
    let error = reranker.rerank(QUESTION, &texts, TIMEOUT).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
}

/// No text is an error: not the empty one, not white space, not control characters, not one endless word.
pub async fn no_text_is_an_error(reranker: &dyn Reranker) {
    let texts = ["", " ", "\n\t\r", "\u{0}\u{7f}", "\u{200b}", "\u{fffd}", "😀", "؟", "a\u{301}"];
    let mut texts = texts.map(str::to_owned).to_vec();
    texts.push("x".repeat(20_000));
    for question in [QUESTION, "", "\u{0}", &texts[9]] {
        scores(reranker, question, &texts).await;
    }
}

/// A text longer than the model's window is truncated, not refused: what lies beyond changes nothing.
pub async fn a_text_longer_than_the_window_is_truncated(reranker: &dyn Reranker) {
    let long = "The backup runs every night. ".repeat(10_000);
    let texts = [format!("{long} one tail"), format!("{long} quite another ending")];
    let scores = scores(reranker, &long, &texts).await;
    assert!((scores[0] - scores[1]).abs() <= 1e-4, "{scores:?}");
}

/// A call that is not over in time ends in `Timeout`.
pub async fn a_call_that_is_not_over_in_time_is_a_timeout(reranker: &dyn Reranker) {
    let texts = TEXTS.map(str::to_owned);
    let error = reranker.rerank(QUESTION, &texts, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
}

async fn scores(reranker: &dyn Reranker, question: &str, texts: &[String]) -> Vec<f32> {
    let scores = reranker.rerank(question, texts, TIMEOUT).await.unwrap();
    assert_eq!(scores.len(), texts.len(), "one score per passage");
    assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
    scores
}

/// Returns the indexes of the passages, best first.
fn order(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    order
}
