//! `lectern ask`: words as they come, then the verified answer with its citations.

use lectern_core::ids::CollectionId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    bodies::{Answer, Citation, Sentence},
    places::{self, QUOTE_CHARS},
};
use crate::{
    api::{Api, ApiError, Problem, Reply},
    failure::{Failure, NO_ANSWER},
    main_arguments::AskArguments,
    output::{Output, harmless, one_line},
};

/// Stands behind a sentence that no document supports.
const MARK: &str = " [?]";

pub(super) async fn run(
    api: &Api,
    collection: &CollectionId,
    options: &AskArguments,
    output: &Output,
) -> Result<(), Failure> {
    let body = json!({ "question": options.question, "collection": collection });
    // Nobody watches a pipe: there the draft would only stand beside the answer.
    let streams = output.is_live() && !options.no_stream;
    let (answered, draft) = if streams {
        let reply = api.post_for_events("/v1/query", &body).await?;
        if reply.is_events() {
            stream(reply, output).await?
        } else {
            (reply.json().await?, String::new())
        }
    } else {
        (api.post_json("/v1/query", &body).await?, String::new())
    };
    if output.is_json() {
        output.json(&answered)?;
    }
    let answer = parse(answered)?;
    if !output.is_json() {
        print(&answer, &draft, output)?;
    }
    if answer.refused { Err(Failure::Said(NO_ANSWER)) } else { Ok(()) }
}

/// Prints tokens as they come. Returns the verified answer and what was printed.
async fn stream(reply: Reply, output: &Output) -> Result<(Value, String), Failure> {
    #[derive(Deserialize)]
    struct Token {
        text: String,
    }
    let mut events = reply.events();
    let mut draft = String::new();
    while let Some(event) = events.next().await? {
        match event.name.as_str() {
            "token" => {
                let token: Token = read(&event.data)?;
                output.write(harmless(&token.text))?;
                draft.push_str(&token.text);
            }
            "done" => {
                if !draft.is_empty() {
                    output.line("")?;
                }
                return Ok((read(&event.data)?, draft));
            }
            "error" => {
                let problem: Problem = read(&event.data)?;
                return Err(ApiError::Problem(Box::new(problem)).into());
            }
            // `retrieval`, `citation`, and what newer servers send: the last event holds it all.
            _ => {}
        }
    }
    Err(ApiError::Broken("the stream ended without an answer".into()).into())
}

fn read<T: serde::de::DeserializeOwned>(data: &str) -> Result<T, ApiError> {
    serde_json::from_str(data).map_err(|error| ApiError::Unexpected(error.to_string()))
}

fn parse(answered: Value) -> Result<Answer, ApiError> {
    serde_json::from_value(answered).map_err(|error| ApiError::Unexpected(error.to_string()))
}

fn print(answer: &Answer, draft: &str, output: &Output) -> Result<(), Failure> {
    let text = annotated(&answer.answer, &answer.sentences);
    if text.trim() != draft.trim() {
        if !draft.is_empty() {
            output.line("\nVerified answer:")?;
        }
        output.line(harmless(&text))?;
    }
    if text.len() > answer.answer.len() {
        output.line(format_args!("\n{} no document supports this sentence", MARK.trim()))?;
    }
    if answer.refused && !answer.nearest.is_empty() {
        output.line("\nNearest passages:")?;
        for (position, passage) in answer.nearest.iter().enumerate() {
            output.line(places::passage(position + 1, passage))?;
        }
    }
    if !answer.citations.is_empty() {
        output.line("")?;
    }
    for citation in &answer.citations {
        output.line(cited(citation))?;
    }
    for stage in &answer.degraded {
        output.line(format_args!("\nnote: {}", without(stage)))?;
    }
    Ok(())
}

/// Returns what it means that an answer did without a stage.
fn without(stage: &str) -> String {
    match stage {
        "embed" => "the embedding model did not answer; this was found by its words alone".into(),
        "generate" => {
            "the language model did not answer; sentences of the documents stand for it".into()
        }
        "rerank" => "the reranking model did not answer; the order is the index's".into(),
        other => format!("this was made without {}", harmless(other)),
    }
}

/// Returns the answer with [`MARK`] behind each sentence that nothing supports.
fn annotated(answer: &str, sentences: &[Sentence]) -> String {
    let unsupported =
        |sentence: &&Sentence| matches!(sentence.verdict.as_str(), "unsupported" | "unknown_id");
    let mut ends: Vec<usize> =
        sentences.iter().filter(unsupported).map(|sentence| sentence.end).collect();
    ends.sort_unstable();
    let mut text = String::with_capacity(answer.len() + ends.len() * MARK.len());
    let mut copied = 0;
    for end in ends {
        // A server's offsets are not to be trusted with a panic.
        let Some(piece) = answer.get(copied..end) else { continue };
        let blank = piece.len() - piece.trim_end().len();
        text.push_str(piece.trim_end());
        text.push_str(MARK);
        text.push_str(&piece[piece.len() - blank..]);
        copied = end;
    }
    text.push_str(&answer[copied..]);
    text
}

fn cited(citation: &Citation) -> String {
    let quote = one_line(&citation.quote, QUOTE_CHARS);
    format!("[{}] {}  “{quote}”", citation.id, places::place(&citation.place))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Json, Router, routing::post};
    use http::header;

    use super::*;

    fn an_answer(text: &str) -> Value {
        json!({
            "query_id": "q", "answer": text, "refused": false,
            "sentences": [
                {"start": 0, "end": 9, "citations": [1], "verdict": "supported"},
                {"start": 10, "end": 17, "citations": [], "verdict": "unsupported"},
            ],
            "citations": [{
                "id": 1, "document_id": "d", "document_name": "backup.md", "version": 1, "page": 3,
                "line": 42, "start": 5, "end": 9, "quote": "Daily\n at 3.",
            }],
        })
    }

    fn asking() -> AskArguments {
        AskArguments { question: "when?".into(), no_stream: false }
    }

    async fn ask(api: Api, output: &Output) -> Result<(), Failure> {
        run(&api, &CollectionId::default_collection(), &asking(), output).await
    }

    fn text(written: &Arc<Mutex<Vec<u8>>>) -> String {
        String::from_utf8(written.lock().unwrap().clone()).unwrap()
    }

    fn streaming(events: &'static str) -> Api {
        let reply = async move || ([(header::CONTENT_TYPE, "text/event-stream")], events);
        Api::InProcess(Router::new().route("/v1/query", post(reply)))
    }

    fn whole(answer: Value) -> Api {
        let reply = async move || Json(answer);
        Api::InProcess(Router::new().route("/v1/query", post(reply)))
    }

    #[tokio::test]
    async fn marks_what_nothing_supports_and_lists_citations() {
        let (output, written) = Output::captured(false);
        ask(whole(an_answer("At 3 [1]. Always. ")), &output).await.unwrap();
        let expected = "At 3 [1]. Always. [?] \n\n[?] no document supports this sentence\n\n\
                        [1] backup.md p. 3 l. 42  “Daily at 3.”\n";
        assert_eq!(text(&written), expected);
    }

    #[tokio::test]
    async fn tokens_come_first_and_a_different_answer_after_them() {
        let api = streaming(
            "event: retrieval\ndata: {}\n\nevent: token\ndata: {\"text\":\"At \"}\n\n\
             event: token\ndata: {\"text\":\"4.\"}\n\n\
             event: done\ndata: {\"answer\":\"At 3.\",\"sentences\":[],\"citations\":[],\"refused\":false}\n\n",
        );
        let (output, written) = Output::captured(false);
        ask(api, &output.live()).await.unwrap();
        assert_eq!(text(&written), "At 4.\n\nVerified answer:\nAt 3.\n");
    }

    #[tokio::test]
    async fn an_unchanged_answer_is_not_printed_twice() {
        let api = streaming(
            "event: token\ndata: {\"text\":\"At 3.\"}\n\n\
             event: done\ndata: {\"answer\":\"At 3.\",\"sentences\":[],\"citations\":[],\"refused\":false}\n\n",
        );
        let (output, written) = Output::captured(false);
        ask(api, &output.live()).await.unwrap();
        assert_eq!(text(&written), "At 3.\n");
    }

    #[tokio::test]
    async fn a_stream_that_ends_early_or_in_a_problem_fails() {
        let cut = streaming("event: token\ndata: {\"text\":\"At \"}\n\n");
        let (output, _) = Output::captured(false);
        let failure = ask(cut, &output.live()).await.unwrap_err();
        assert!(matches!(failure, Failure::Api(ApiError::Broken(_))));

        let refused = streaming(
            "event: error\ndata: {\"title\":\"Unavailable\",\"status\":503,\"detail\":\"the model is down\"}\n\n",
        );
        let (output, _) = Output::captured(false);
        let failure = ask(refused, &output.live()).await.unwrap_err();
        assert_eq!(failure.message().unwrap(), "Unavailable: the model is down");
    }

    #[tokio::test]
    async fn a_refusal_has_its_own_exit_code_and_the_nearest_passages() {
        let refusal = json!({
            "answer": "I could not find it.", "refused": true,
            "nearest": [{
                "document_name": "a.md", "page": null, "line": 1, "heading": "", "text": "near",
                "score": 0.1,
            }],
        });
        let (output, written) = Output::captured(false);
        let failure = ask(whole(refusal.clone()), &output).await.unwrap_err();
        assert_eq!((failure.exit_code(), failure.message()), (NO_ANSWER, None));
        assert!(text(&written).contains("Nearest passages:\n 1. a.md l. 1"), "{}", text(&written));

        let (output, written) = Output::captured(true);
        assert_eq!(ask(whole(refusal), &output).await.unwrap_err().exit_code(), NO_ANSWER);
        assert_eq!(serde_json::from_str::<Value>(&text(&written)).unwrap()["refused"], true);
    }

    #[test]
    fn what_an_answer_did_without_is_said_in_words() {
        assert!(without("generate").contains("language model did not answer"));
        assert_eq!(without("neighbours"), "this was made without neighbours");
    }

    #[test]
    fn offsets_out_of_range_do_no_harm() {
        let wrong = |end| Sentence { end, verdict: "unsupported".into() };
        assert_eq!(annotated("é.", &[wrong(1), wrong(99)]), "é.");
        assert_eq!(annotated("A. B.", &[wrong(5), wrong(2)]), "A. [?] B. [?]");
    }
}
