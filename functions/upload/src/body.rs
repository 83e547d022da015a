//! The three forms of an upload: multipart form, JSON, raw bytes.

use axum::{
    body::Bytes,
    extract::{FromRequest as _, Multipart, Request, multipart::Field},
    http::{StatusCode, header},
};
use lectern_app::{errors::FlowError, upload::NewDocument};
use lectern_core::{document::Metadata, ids::CollectionId};
use lectern_runtime::{
    extract::{Params, parse_json, read_body, refuse_declared, too_slow},
    problem::Problem,
};

use crate::contract::{RawParams, TextDocument};

/// What a multipart form or a JSON body may have besides the document itself, in bytes.
const ENVELOPE_BYTES: usize = 64 * 1024;
/// Most fields of a multipart form.
const MAX_FORM_FIELDS: usize = 64;
/// Largest field of a multipart form that is not the file, in bytes.
const MAX_FIELD_BYTES: usize = 16 * 1024;

/// Reads a document from a request, whichever form it has.
pub(crate) async fn read(request: Request, max_bytes: usize) -> Result<NewDocument, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match media_type.as_str() {
        "multipart/form-data" => read_form(request, max_bytes).await,
        "application/json" => read_json(request, max_bytes).await,
        _ => read_raw(request, max_bytes).await,
    }
}

/// Returns the largest body that one of the forms may have.
pub(crate) fn limit(max_bytes: usize) -> usize {
    max_bytes.saturating_mul(2) + ENVELOPE_BYTES
}

async fn read_json(request: Request, max_bytes: usize) -> Result<NewDocument, Problem> {
    // JSON escapes make a text longer, at worst six bytes for one.
    let body = read_body(request, limit(max_bytes)).await?;
    let document: TextDocument = parse_json(&body)?;
    let identity = Identity { collection: document.collection, document_id: document.document_id };
    identity.document(
        document.name.unwrap_or_else(|| "untitled.txt".to_owned()),
        document.text.into(),
        document.acl,
        document.metadata,
    )
}

async fn read_raw(request: Request, max_bytes: usize) -> Result<NewDocument, Problem> {
    let (mut parts, body) = request.into_parts();
    let params = {
        use axum::extract::FromRequestParts as _;
        let Params(params) = Params::<RawParams>::from_request_parts(&mut parts, &()).await?;
        params
    };
    let bytes = read_body(Request::from_parts(parts, body), max_bytes).await?;
    let identity = Identity { collection: params.collection, document_id: params.document_id };
    let name = params.name.unwrap_or_else(|| "untitled".to_owned());
    identity.document(name, bytes, Vec::new(), Metadata::new())
}

async fn read_form(request: Request, max_bytes: usize) -> Result<NewDocument, Problem> {
    let request = refuse_declared(request, max_bytes.saturating_add(ENVELOPE_BYTES)).await?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Problem::malformed(rejection.body_text()))?;
    let mut read = Form::default();
    let mut fields = 0;
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        fields += 1;
        if fields > MAX_FORM_FIELDS {
            return Err(Problem::malformed(format!("a form has at most {MAX_FORM_FIELDS} fields")));
        }
        read.take(field, max_bytes).await?;
    }
    let (file_name, bytes) =
        read.file.ok_or_else(|| FlowError::field("/file", "is required: the document"))?;
    let identity = Identity { collection: read.collection, document_id: read.document_id };
    let name = read.name.or(file_name).unwrap_or_else(|| "untitled".to_owned());
    identity.document(name, bytes, read.acl, read.metadata)
}

#[derive(Default)]
struct Form {
    file: Option<(Option<String>, Bytes)>,
    name: Option<String>,
    collection: Option<String>,
    document_id: Option<String>,
    acl: Vec<String>,
    metadata: Metadata,
}

impl Form {
    async fn take(&mut self, field: Field<'_>, max_bytes: usize) -> Result<(), Problem> {
        let name = field.name().unwrap_or("").to_owned();
        if name == "file" {
            let file_name = field.file_name().map(str::to_owned);
            self.file = Some((file_name, bounded(field, max_bytes).await?.into()));
            return Ok(());
        }
        let bytes = bounded(field, MAX_FIELD_BYTES).await?;
        let text = || {
            String::from_utf8(bytes.clone())
                .map_err(|_| FlowError::field(&format!("/{name}"), "must be UTF-8"))
        };
        match name.as_str() {
            "name" => self.name = Some(text()?),
            "collection" => self.collection = Some(text()?),
            "document_id" => self.document_id = Some(text()?),
            "acl" => self.acl.push(text()?),
            "metadata" => {
                self.metadata = serde_json::from_slice(&bytes).map_err(|error| {
                    FlowError::field("/metadata", format!("must be a JSON object: {error}"))
                })?;
            }
            _ => {
                let detail = "is not a field of this form: file, name, collection, document_id, acl, metadata";
                return Err(FlowError::field(&format!("/{name}"), detail).into());
            }
        }
        Ok(())
    }
}

/// Returns a field's bytes, reading no further than `limit_bytes`.
async fn bounded(mut field: Field<'_>, limit_bytes: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > limit_bytes {
            return Err(Problem::too_large(limit_bytes));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn broken(error: &axum::extract::multipart::MultipartError) -> Problem {
    if let Some(problem) = too_slow(error) {
        return problem;
    }
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(error.status(), "too-large", "Content too large", error.body_text());
    }
    Problem::malformed(format!("the form cannot be read: {}", error.body_text()))
}

struct Identity {
    collection: Option<String>,
    document_id: Option<String>,
}

impl Identity {
    fn document(
        self,
        name: String,
        bytes: Bytes,
        acl: Vec<String>,
        metadata: Metadata,
    ) -> Result<NewDocument, Problem> {
        let document_id = self
            .document_id
            .map(|id| id.parse().map_err(|error| FlowError::field("/document_id", error)));
        Ok(NewDocument {
            collection: collection(self.collection)?,
            document_id: document_id.transpose()?,
            new_id: None,
            name,
            bytes,
            acl,
            metadata,
        })
    }
}

/// Returns the collection a request names, `default` when it names none.
pub(crate) fn collection(named: Option<String>) -> Result<CollectionId, FlowError> {
    match named {
        Some(id) => id.parse().map_err(|error| FlowError::field("/collection", error)),
        None => Ok(CollectionId::default_collection()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::body::Body;
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_document_that_comes_too_slowly_is_told_so_in_every_form() {
        for media_type in ["multipart/form-data; boundary=b", "application/json", "text/plain"] {
            let begun = Bytes::from_static(b"--b\r\n");
            let slow = io::Error::new(io::ErrorKind::TimedOut, "5 bytes in 30s");
            let request = Request::builder().uri("/").header(header::CONTENT_TYPE, media_type);
            let body = Body::from_stream(stream::iter([Ok(begun), Err(slow)]));
            let refused = read(request.body(body).unwrap(), 1_000).await;
            let status = refused.map(|document| document.name).map_err(|problem| problem.status);
            assert_eq!(status, Err(408), "{media_type}");
        }
    }
}
