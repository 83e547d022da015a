//! `lectern search`.

use lectern_core::ids::CollectionId;
use serde_json::{Value, json};

use super::{bodies::Found, places};
use crate::{
    api::{Api, ApiError},
    failure::Failure,
    main_arguments::SearchArguments,
    output::Output,
};

pub(super) async fn run(
    api: &Api,
    collection: &CollectionId,
    options: &SearchArguments,
    output: &Output,
) -> Result<(), Failure> {
    let body = json!({
        "question": options.query, "collection": collection, "limit": options.limit,
    });
    let answered: Value = api.post_json("/v1/search", &body).await?;
    if output.is_json() {
        return Ok(output.json(&answered)?);
    }
    let found: Found = serde_json::from_value(answered)
        .map_err(|error| ApiError::Unexpected(error.to_string()))?;
    if found.passages.is_empty() {
        output.note("nothing found");
    }
    for (position, passage) in found.passages.iter().enumerate() {
        output.line(places::passage(position + 1, passage))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, routing::post};

    use super::*;

    fn api() -> Api {
        let echo = async |Json(body): Json<Value>| {
            Json(json!({
                "passages": [{
                    "document_id": "d", "document_name": "a.md", "version": 1, "page": null, "line": 7,
                    "start": 0, "end": 5, "heading": "", "text": body.to_string(), "score": 0.25,
                }],
                "timings_ms": {},
            }))
        };
        Api::InProcess(Router::new().route("/v1/search", post(echo)))
    }

    fn options() -> SearchArguments {
        SearchArguments { query: "when".into(), limit: 3 }
    }

    #[tokio::test]
    async fn prints_passages_for_people_and_the_document_for_programs() {
        let collection = "manuals".parse().unwrap();
        let (output, written) = Output::captured(false);
        run(&api(), &collection, &options(), &output).await.unwrap();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with(" 1. a.md l. 7  (0.2500)\n"), "{text}");
        assert!(
            text.contains("\"collection\":\"manuals\"") && text.contains("\"limit\":3"),
            "{text}"
        );

        let (output, written) = Output::captured(true);
        run(&api(), &collection, &options(), &output).await.unwrap();
        let value: Value = serde_json::from_slice(&written.lock().unwrap()).unwrap();
        assert_eq!(value["passages"][0]["line"], 7);
    }
}
