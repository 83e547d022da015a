//! The judge against the real adapter and a scripted model, with expectations worked out by hand.

use lectern_core::errors::ErrorKind;
use lectern_models::openai::{EmbeddingLimits, Endpoint, OpenAiChat, OpenAiEmbedder, ReplyLimits};
use lectern_testkit::chat::{PROMPT_TOKENS, Recorded, Reply, ScriptedChat};
use serde_json::Value;

use super::*;

const CONTEXTS: [&str; 3] = ["Backups run at night.", "Parking is free.", "They are encrypted."];

fn contexts() -> Vec<String> {
    CONTEXTS.map(str::to_owned).to_vec()
}

fn sample<'sample>(contexts: &'sample [String]) -> Sample<'sample> {
    Sample {
        question: "When do backups run?",
        answer: "At night, every night, and they are encrypted [1].",
        contexts,
        reference: Some("Backups run at night. They are encrypted. They are kept."),
    }
}

fn judge(server: &ScriptedChat) -> Judge {
    let endpoint = Endpoint::new(&server.base_url(), None, ReplyLimits::default()).unwrap();
    // Two numbers a vector, so that a cosine can be worked out by hand.
    let embedder = OpenAiEmbedder::new(endpoint.clone(), "e", 2, EmbeddingLimits::default());
    Judge {
        chat: Arc::new(OpenAiChat::new(endpoint, "gpt-4o")),
        embedder: Some(Arc::new(embedder)),
        prices: Arc::new(PriceTable::built_in()),
        timeout: Duration::from_secs(20),
    }
}

fn says(text: &str) -> Reply {
    Reply::tokens(&[text])
}

fn statements() -> Reply {
    says(
        r#"{"statements": ["Backups run at night.", "Every night.", "They are encrypted.", "So."]}"#,
    )
}

fn verdicts(verdicts: &[u8]) -> Reply {
    let verdicts: Value = verdicts.iter().map(|verdict| json!({"verdict": verdict})).collect();
    says(&json!({ "verdicts": verdicts }).to_string())
}

fn questions(flags: [u8; 3]) -> Reply {
    let questions: Value =
        flags.iter().map(|flag| json!({"question": "When?", "noncommittal": flag})).collect();
    says(&json!({ "questions": questions }).to_string())
}

fn useful(verdict: u8) -> Reply {
    says(&json!({"reason": "because", "verdict": verdict}).to_string())
}

fn attributed(flags: &[u8]) -> Reply {
    let entries: Value = flags
        .iter()
        .map(|flag| json!({"statement": "s", "reason": "r", "attributed": flag}))
        .collect();
    says(&json!({ "classifications": entries }).to_string())
}

/// The question asked, then three guesses at cosines 1, 0.6 and 0.
fn embeddings() -> Reply {
    let vectors = [[1.0, 0.0], [2.0, 0.0], [3.0, 4.0], [0.0, 1.0]];
    let data: Value = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({"index": index, "embedding": vector}))
        .collect();
    Reply::Json(json!({ "data": data }))
}

/// A whole judgement: 3 of 4 statements, contexts 1 and 3 useful, 2 of 3 sentences of the reference.
fn script() -> ScriptedChat {
    let server = ScriptedChat::start([
        statements(),
        verdicts(&[1, 0, 1, 1]),
        questions([0, 1, 0]),
        useful(1),
        useful(0),
        useful(1),
        attributed(&[1, 1, 0]),
    ]);
    server.push_embeddings(embeddings());
    server
}

fn near(metric: &Metric, expected: f64) -> bool {
    metric.score().is_some_and(|score| (score - expected).abs() < 1e-6)
}

/// Returns what the judge was sent as input in call `number`.
fn input(requests: &[Recorded], number: usize) -> Value {
    let chats: Vec<_> =
        requests.iter().filter(|request| request.path.ends_with("/completions")).collect();
    serde_json::from_str(chats[number].body["messages"][1]["content"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_four_metrics_are_those_of_ragas() {
    let server = script();
    let contexts = contexts();
    let judgement = judge(&server).judge(sample(&contexts)).await;
    assert!(near(&judgement.faithfulness, 3.0 / 4.0), "{judgement:?}");
    assert!(near(&judgement.answer_relevancy, (1.0 + 0.6 + 0.0) / 3.0), "{judgement:?}");
    assert!(near(&judgement.context_precision, (1.0 + 2.0 / 3.0) / 2.0), "{judgement:?}");
    assert!(near(&judgement.context_recall, 2.0 / 3.0), "{judgement:?}");
    drop(server);
}

#[tokio::test]
async fn tokens_and_cost_are_summed_over_every_call() {
    let server = script();
    let contexts = contexts();
    let judge = judge(&server);
    let spent = judge.judge(sample(&contexts)).await.spent;
    // The scripted model counts the pieces it sends: one a reply.
    let tokens = TokenCount { prompt: 7 * PROMPT_TOKENS, completion: 7 };
    assert_eq!((spent.calls, spent.prompt_tokens), (7, tokens.prompt));
    assert_eq!(spent.completion_tokens, tokens.completion);
    assert_eq!(spent.cost_micro_dollars, judge.prices.cost("gpt-4o", tokens));
    assert!(spent.cost_micro_dollars > MicroDollars(0));
    drop(server);
}

#[tokio::test]
async fn the_judge_is_sent_its_input_as_json_at_temperature_zero() {
    let server = script();
    let contexts = contexts();
    drop(judge(&server).judge(sample(&contexts)).await);
    let requests = server.finish();
    let context = CONTEXTS.join("\n");
    let asked = "When do backups run?";
    let reference = "Backups run at night. They are encrypted. They are kept.";
    assert_eq!(input(&requests, 0)["answer"], sample(&contexts).answer);
    assert_eq!(input(&requests, 1)["context"], context);
    assert_eq!(input(&requests, 1)["statements"].as_array().unwrap().len(), 4);
    let keys: Vec<_> = input(&requests, 2).as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["answer"], "the question must not be seen by who guesses it");
    let third = json!({"question": asked, "answer": reference, "context": CONTEXTS[2]});
    assert_eq!(input(&requests, 5), third);
    let all = json!({"question": asked, "answer": reference, "context": context});
    assert_eq!(input(&requests, 6), all);
    for request in requests.iter().filter(|request| request.path.ends_with("/completions")) {
        assert_eq!(request.body["temperature"], 0.0);
        assert_eq!(request.body["messages"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn an_answer_that_every_guess_calls_noncommittal_is_irrelevant() {
    let server = ScriptedChat::start([questions([1, 1, 1])]);
    server.push_embeddings(embeddings());
    let sample = Sample { contexts: &[], reference: None, ..sample(&[]) };
    let judgement = judge(&server).judge(sample).await;
    assert!(near(&judgement.answer_relevancy, 0.0), "{judgement:?}");
}

#[tokio::test]
async fn a_reply_that_cannot_be_used_is_sent_back_once() {
    let contexts = contexts();
    let sample = Sample { reference: None, ..sample(&contexts) };
    let server = ScriptedChat::start([
        says("Sure! Here are the statements."),
        statements(),
        verdicts(&[1, 1]), // Two for four.
        verdicts(&[1, 1, 1, 0]),
    ]);
    let judge = Judge { embedder: None, ..judge(&server) };
    let judgement = judge.judge(sample).await;
    assert!(near(&judgement.faithfulness, 0.75), "{judgement:?}");
    assert_eq!(judgement.spent.calls, 4);
    let requests = server.finish();
    let repaired = requests[1].body["messages"].as_array().unwrap();
    assert_eq!(repaired.len(), 4);
    assert_eq!(repaired[2]["content"], "Sure! Here are the statements.");
    assert_eq!(repaired[3]["content"], include_str!("../../../prompts/judge.repair.md"));
}

#[tokio::test]
async fn an_empty_reply_is_asked_for_again_without_an_empty_message() {
    let contexts = contexts();
    let server = ScriptedChat::start([says(""), says(r#"{"statements": []}"#)]);
    let judge = Judge { embedder: None, ..judge(&server) };
    let judgement = judge.judge(Sample { reference: None, ..sample(&contexts) }).await;
    assert!(matches!(judgement.faithfulness.0, Err(Unscored::NoStatements)));
    let requests = server.finish();
    let messages = requests[1].body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user", "user"]);
}

#[tokio::test]
async fn a_metric_without_a_usable_reply_is_absent_and_the_others_stand() {
    let contexts = contexts();
    let truncated = Reply::Truncated(vec![r#"{"questions": ["#.to_owned()]);
    let server = ScriptedChat::start([
        statements(),
        verdicts(&[]),
        // A usable object, but beyond what is read.
        Reply::Tokens([vec![" ".repeat(40_000); 2], vec![r#"{"verdicts": [{"verdict": 1}, {"verdict": 1}, {"verdict": 1}, {"verdict": 1}]}"#.to_owned()]].concat()),
        truncated,
        questions([0, 0, 2]),
        useful(1),
        Reply::status(503),
        attributed(&[1]),
    ]);
    let judgement = judge(&server).judge(sample(&contexts)).await;
    assert!(matches!(judgement.faithfulness.0, Err(Unscored::Malformed)), "{judgement:?}");
    assert!(matches!(judgement.answer_relevancy.0, Err(Unscored::Malformed)), "{judgement:?}");
    let Err(Unscored::Failed(error)) = &judgement.context_precision.0 else {
        panic!("{judgement:?}");
    };
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(near(&judgement.context_recall, 1.0));
    let json = serde_json::to_value(&judgement).unwrap();
    assert_eq!(json["faithfulness"]["score"], Value::Null);
    assert_eq!(
        json["faithfulness"]["reason"],
        "the judge did not reply in the form asked for, twice"
    );
    assert_eq!(json["context_recall"], json!({"score": 1.0}));
}

#[tokio::test]
async fn what_is_missing_is_named_and_costs_no_call() {
    let server = ScriptedChat::start([]);
    let judge = Judge { embedder: None, ..judge(&server) };
    let nothing = Sample { question: "q", answer: " ", contexts: &[], reference: Some(" ") };
    let judgement = judge.judge(nothing).await;
    assert!(matches!(judgement.faithfulness.0, Err(Unscored::NoAnswer)));
    assert!(matches!(judgement.answer_relevancy.0, Err(Unscored::NoAnswer)));
    assert!(matches!(judgement.context_precision.0, Err(Unscored::NoReference)));
    let no_context = Sample { answer: "a", reference: Some("r"), ..nothing };
    let judgement = judge.judge(no_context).await;
    assert!(matches!(judgement.faithfulness.0, Err(Unscored::NoContexts)));
    assert!(matches!(judgement.answer_relevancy.0, Err(Unscored::NoEmbedder)));
    assert!(matches!(judgement.context_recall.0, Err(Unscored::NoContexts)));
    assert_eq!(judgement.spent, Spent::default());
    assert!(server.finish().is_empty());
}

#[tokio::test]
async fn an_answer_without_a_statement_is_neither_faithful_nor_unfaithful() {
    let contexts = contexts();
    let server = ScriptedChat::start([says(r#"{"statements": []}"#)]);
    let judge = Judge { embedder: None, ..judge(&server) };
    let judgement = judge.judge(Sample { reference: None, ..sample(&contexts) }).await;
    assert!(matches!(judgement.faithfulness.0, Err(Unscored::NoStatements)));
}

#[tokio::test]
async fn only_so_many_contexts_and_bytes_are_sent() {
    let long = vec!["ü".repeat(MAX_TEXT_BYTES); MAX_CONTEXTS + 1];
    let mut replies = vec![useful(0); MAX_CONTEXTS];
    replies.push(attributed(&[0]));
    let server = ScriptedChat::start(replies);
    let judge = Judge { embedder: None, ..judge(&server) };
    let judgement = judge.judge(Sample { answer: "", ..sample(&long) }).await;
    assert!(near(&judgement.context_precision, 0.0));
    let requests = server.finish();
    assert_eq!(requests.len(), MAX_CONTEXTS + 1);
    assert_eq!(input(&requests, 0)["context"].as_str().unwrap().len(), MAX_TEXT_BYTES);
    let joined = input(&requests, MAX_CONTEXTS)["context"].as_str().unwrap().len();
    assert_eq!(joined, MAX_CONTEXTS * (MAX_TEXT_BYTES + 1) - 1);
}
