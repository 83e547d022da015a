//! The contract of [`Embedder`], a function per line.

use lectern_core::ports::Embedder;

/// Largest difference between two vectors that count as the same; batches may round differently.
const SAME: f32 = 1e-4;

/// Runs every line of the contract against `embedder`.
pub async fn holds_for(embedder: &dyn Embedder) {
    an_empty_list_gives_an_empty_list(embedder).await;
    there_is_one_vector_per_text_in_order(embedder).await;
    vectors_are_finite_and_of_norm_one(embedder).await;
    the_same_text_gives_the_same_vector(embedder).await;
    no_text_is_an_error(embedder).await;
    a_text_longer_than_the_window_is_truncated(embedder).await;
    counting_changes_no_vector(embedder).await;
}

/// An empty list gives an empty list.
pub async fn an_empty_list_gives_an_empty_list(embedder: &dyn Embedder) {
    assert!(embedder.embed(&[]).await.unwrap().is_empty());
}

/// One vector per text, in order: a batch equals its texts one by one.
pub async fn there_is_one_vector_per_text_in_order(embedder: &dyn Embedder) {
    let texts: Vec<String> = (0..130).map(|number| format!("passage {number} of many")).collect();
    let together = embed(embedder, &texts).await;
    assert!(!same(&together[0], &together[1]), "different texts got one vector");
    for index in [0, 1, 64, 129] {
        let alone = embed(embedder, &texts[index..=index]).await;
        assert!(same(&alone[0], &together[index]), "vector {index} is another text's");
    }
}

/// Each vector has `model().dimensions` finite numbers and Euclidean norm 1 (±0.001).
pub async fn vectors_are_finite_and_of_norm_one(embedder: &dyn Embedder) {
    let texts = ["How often do backups run?", "بیک اپ کب چلتا ہے؟", "备份何时运行"];
    for vector in embed(embedder, &texts.map(str::to_owned)).await {
        assert_eq!(vector.len(), embedder.model().dimensions);
        assert!(vector.iter().all(|number| number.is_finite()));
        let norm = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        assert!((norm - 1.0).abs() <= 0.001, "norm {norm}");
    }
}

/// The same text gives the same vector.
pub async fn the_same_text_gives_the_same_vector(embedder: &dyn Embedder) {
    let texts = ["again".to_owned(), "something else".to_owned(), "again".to_owned()];
    let first = embed(embedder, &texts).await;
    let second = embed(embedder, &texts).await;
    assert!(same(&first[0], &first[2]) && same(&first[0], &second[0]));
}

/// No text is an error: not the empty one, not white space, not control characters, not one endless word.
pub async fn no_text_is_an_error(embedder: &dyn Embedder) {
    let texts = ["", " ", "\n\t\r", "\u{0}\u{7f}", "\u{200b}", "\u{fffd}", "😀", "؟", "a\u{301}"];
    let mut texts = texts.map(str::to_owned).to_vec();
    texts.push("x".repeat(20_000));
    embed(embedder, &texts).await;
}

/// A text longer than the model's window is truncated, not refused: what lies beyond changes nothing.
pub async fn a_text_longer_than_the_window_is_truncated(embedder: &dyn Embedder) {
    let long = "The backup runs every night. ".repeat(10_000);
    let texts = [format!("{long} one tail"), format!("{long} quite another ending")];
    let vectors = embed(embedder, &texts).await;
    assert!(same(&vectors[0], &vectors[1]));
}

/// Counting changes no vector, and an empty list counts nothing; whoever bills at all is estimated to bill for a text.
pub async fn counting_changes_no_vector(embedder: &dyn Embedder) {
    let texts = ["one".to_owned(), "another".to_owned()];
    let counted = embedder.embed_counted(&texts).await.unwrap();
    let plain = embed(embedder, &texts).await;
    assert!(counted.vectors.iter().zip(&plain).all(|(one, other)| same(one, other)));
    assert_eq!(counted.vectors.len(), plain.len());
    let nothing = embedder.embed_counted(&[]).await.unwrap();
    assert_eq!((nothing.vectors.len(), nothing.tokens, embedder.estimate(&[])), (0, 0, 0));
    assert_eq!(counted.tokens > 0, embedder.estimate(&texts) > 0);
}

async fn embed(embedder: &dyn Embedder, texts: &[String]) -> Vec<Vec<f32>> {
    let vectors = embedder.embed(texts).await.unwrap();
    assert_eq!(vectors.len(), texts.len(), "one vector per text");
    vectors
}

fn same(left: &[f32], right: &[f32]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| (left - right).abs() <= SAME)
}
