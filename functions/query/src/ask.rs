//! `POST /v1/query`, as one JSON document or as server-sent events.

use std::{
    convert::Infallible,
    pin::Pin,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{Extensions, HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::Stream;
use lectern_app::{
    ask::{AskEvent, AskRequest, Asked, EVENT_BUFFER},
    errors::FlowError,
};
use lectern_core::{
    audit::Used,
    ids::{CollectionId, SessionId},
};
use lectern_runtime::{
    audit::Audited, deadline::Deadline, extract::Json, gate::Verified, problem::Problem,
};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::{
    Query,
    contract::{AnswerBody, CitationBody, EventBody, PassageBody, QueryBody},
    timing::server_timing,
};

/// How often a silent stream says that it is there. A client that hung up is noticed by the next write, so this also bounds
/// how long a model is asked for nobody.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

type Answering = Pin<Box<dyn Future<Output = Result<Asked, FlowError>> + Send>>;

/// Answers a question from the documents, every citation checked against their text.
///
/// With `stream: true` or `Accept: text/event-stream`: events `retrieval`, `token`, `citation`,
/// `done` (the whole answer) or `error` (a problem).
#[utoipa::path(post, path = "/v1/query", tag = "query", request_body = QueryBody, responses(
    (status = 200, description = "the answer; as server-sent events where they are asked for", content(
        (AnswerBody = "application/json"), (EventBody = "text/event-stream"),
    )),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn ask(
    State(query): State<Query>,
    Verified(caller): Verified,
    audited: Audited,
    headers: HeaderMap,
    extensions: Extensions,
    Json(body): Json<QueryBody>,
) -> Result<Response, Problem> {
    let streams = body.stream || accepts_events(&headers);
    let time_budget = Deadline::bound(&extensions, query.answer_timeout, Instant::now());
    let request = request(body, time_budget)?;
    let question = Used::question(&request.collection, request.question.as_str(), false);
    audited.used(question);
    let (sender, mut events) = mpsc::channel(EVENT_BUFFER);
    let ask = query.ask;
    let record = audited.clone();
    let mut answering: Answering = Box::pin(async move {
        let asked = ask.ask(&caller, &request, &sender).await?;
        record.used(used(&request, &asked));
        Ok(asked)
    });

    if !streams {
        let (asked, ()) = tokio::join!(answering, drain(&mut events));
        let asked = asked?;
        let answer = AnswerBody::from(&asked);
        return Ok((server_timing(&answer.timings_ms), axum::Json(answer)).into_response());
    }
    // What fails before the first event still gets its own status.
    let first = tokio::select! {
        biased;
        event = events.recv() => event,
        asked = &mut answering => {
            // Done without waiting once: its events stand in the channel and are sent all the same.
            answering = Box::pin(std::future::ready(Ok(asked?)));
            None
        }
    };
    let stream = events_of(first, events, answering, audited);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(stream).keep_alive(keep_alive).into_response())
}

/// Returns what a question used, for the audit log.
fn used(request: &AskRequest, asked: &Asked) -> Used {
    let question = request.question.as_str();
    let used = Used::question(&request.collection, question, asked.keeps_question);
    Used {
        query_id: Some(asked.query_id.clone()),
        micro_usd: Some(asked.spent.cost),
        ..used.with_documents(&asked.documents)
    }
}

fn request(body: QueryBody, time_budget: Duration) -> Result<AskRequest, FlowError> {
    let question = body.question.parse().map_err(|error| FlowError::field("/question", error))?;
    let session_id: Option<SessionId> = body
        .session_id
        .map(|id| id.parse().map_err(|error| FlowError::field("/session_id", error)))
        .transpose()?;
    Ok(AskRequest {
        collection: collection(body.collection)?,
        question,
        filter: body.filter,
        mmr: body.mmr,
        session_id,
        time_budget,
        cache: body.cache,
    })
}

/// Returns the collection a body names, `default` when it names none.
pub(crate) fn collection(named: Option<String>) -> Result<CollectionId, FlowError> {
    match named {
        Some(id) => id.parse().map_err(|error| FlowError::field("/collection", error)),
        None => Ok(CollectionId::default_collection()),
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

async fn drain(events: &mut mpsc::Receiver<AskEvent>) {
    while events.recv().await.is_some() {}
}

/// Runs the flow while its events are read: nothing is spawned, so nothing outlives the response.
fn events_of(
    first: Option<AskEvent>,
    mut events: mpsc::Receiver<AskEvent>,
    mut answering: Answering,
    audited: Audited,
) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        if let Some(event) = first {
            yield Ok(named(event));
        }
        let asked = loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => yield Ok(named(event)),
                asked = &mut answering => break asked,
            }
        };
        while let Ok(event) = events.try_recv() {
            yield Ok(named(event));
        }
        yield Ok(match asked {
            Ok(asked) => json("done", &AnswerBody::from(&asked)),
            Err(error) => {
                let problem = Problem::from(error);
                audited.failed(&problem);
                json("error", &problem)
            }
        });
    }
}

#[derive(Serialize)]
struct Retrieval {
    query_id: String,
    session_id: String,
    passages: Vec<PassageBody>,
}

#[derive(Serialize)]
struct Token {
    text: String,
}

fn named(event: AskEvent) -> Event {
    match event {
        AskEvent::Retrieval { query_id, session_id, passages } => {
            let passages = passages.iter().map(PassageBody::from).collect();
            let (query_id, session_id) = (query_id.into(), session_id.into());
            json("retrieval", &Retrieval { query_id, session_id, passages })
        }
        AskEvent::Token(text) => json("token", &Token { text }),
        AskEvent::Citation(citation) => json("citation", &CitationBody::from(&citation)),
    }
}

fn json(name: &str, data: &impl Serialize) -> Event {
    // The bodies are strings, numbers and lists: writing them cannot fail.
    let data = serde_json::to_string(data).unwrap_or_default();
    Event::default().event(name).data(data)
}
