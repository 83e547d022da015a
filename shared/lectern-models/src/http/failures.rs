//! What an API's refusal means to the caller. The API's own message is dropped: it may quote the prompt or
//! the key; its code and type, which are words of a vocabulary, are kept as the cause.

use std::time::{Duration, SystemTime};

use lectern_core::errors::{ErrorKind, PortError};
use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value;
use thiserror::Error;

/// Phrases by which APIs say that a prompt exceeds the model's context, in lower case; the code
/// `context_length_exceeded` is OpenAI's alone.
const CONTEXT_PHRASES: [&str; 6] = [
    "context_length",
    "context length",
    "context window",
    "maximum context",
    "exceeds the maximum number of tokens",
    "too many tokens",
];
/// Longest part of an API's code or type that is kept.
const MAX_WORD: usize = 64;

/// Why a reply is not what was asked for.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("the server answered {status} with code `{code}`")]
    Status { status: u16, code: String },
    #[error("the server broke its reply off with code `{code}`")]
    MidStream { code: String },
    #[error("the server's JSON is not the expected one, at line {line} column {column}")]
    Json { line: usize, column: usize },
    #[error("the server's reply is larger than {limit_bytes} bytes")]
    TooLong { limit_bytes: usize },
    #[error("a line of the server's reply is longer than {limit_bytes} bytes")]
    LineTooLong { limit_bytes: usize },
    #[error("the server's reply is not valid UTF-8 or no event stream")]
    Encoding,
    #[error("the connection ended before the reply did")]
    Cut,
    #[error("the server sent nothing for {waited_ms} ms")]
    Silent { waited_ms: u128 },
    #[error("the server withheld the reply: {reason}")]
    Withheld { reason: String },
    #[error("the server sent no choice")]
    Empty,
    #[error("the connection failed")]
    Transport(#[source] reqwest::Error),
}

impl Failure {
    /// Returns the failure of JSON that does not parse. `serde_json`'s message is not kept: it quotes values.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cut => ErrorKind::Unavailable,
            Self::Silent { .. } => ErrorKind::Timeout,
            Self::Transport(error) if error.is_timeout() => ErrorKind::Timeout,
            Self::Transport(error) if error.is_builder() => ErrorKind::Internal,
            Self::Transport(_) => ErrorKind::Unavailable,
            Self::Withheld { .. } => ErrorKind::Invalid,
            _ => ErrorKind::Internal,
        }
    }

    /// Returns the port's error for this failure.
    pub(crate) fn at(self, operation: &'static str) -> PortError {
        PortError::new(self.kind(), operation, self)
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        // The URL may hold credentials of a proxy or gateway.
        Self::Transport(error.without_url())
    }
}

/// Returns the error of a reply whose status is not a success. `now` is what an HTTP date counts from.
pub(crate) fn refused(
    operation: &'static str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> PortError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::Unauthenticated,
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::TooLarge,
        StatusCode::TOO_MANY_REQUESTS => {
            ErrorKind::RateLimited { retry_after: retry_after(headers, now) }
        }
        StatusCode::REQUEST_TIMEOUT => ErrorKind::Timeout,
        _ if status.is_client_error() && exceeds_context(&body) => ErrorKind::TooLarge,
        _ if status.is_client_error() => ErrorKind::Invalid,
        _ if status.is_server_error() => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    };
    let failure = Failure::Status { status: status.as_u16(), code: code_of(error_in(&body)) };
    PortError::new(kind, operation, failure)
}

/// Returns the error of an `error` object that arrived inside a stream.
pub(crate) fn broken_off(operation: &'static str, error: &Value) -> PortError {
    let code = code_of(error);
    let status = error.get("code").and_then(Value::as_u64);
    let says = |words: &[&str]| words.iter().any(|word| code.contains(word));
    let kind = if exceeds_context(error) {
        ErrorKind::TooLarge
    } else if status == Some(429) || says(&["rate_limit", "insufficient_quota"]) {
        ErrorKind::RateLimited { retry_after: None }
    } else if matches!(status, Some(401 | 403)) || says(&["authentication", "permission"]) {
        ErrorKind::Unauthenticated
    } else if matches!(status, Some(400..=499)) || says(&["invalid_request"]) {
        ErrorKind::Invalid
    } else {
        ErrorKind::Unavailable
    };
    PortError::new(kind, operation, Failure::MidStream { code })
}

/// Returns how long the server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date
/// (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let number = |text: &str| text.parse().ok();
    if let Some(millis) = text("retry-after-ms").and_then(number) {
        return Duration::try_from_secs_f64(millis / 1_000.0).ok();
    }
    let value = text(RETRY_AFTER.as_str())?;
    if let Some(seconds) = number(value) {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Gemini's compatible endpoint wraps its error object in an array.
fn error_in(body: &Value) -> &Value {
    let body = body.get(0).unwrap_or(body);
    body.get("error").unwrap_or(body)
}

fn exceeds_context(body: &Value) -> bool {
    let error = error_in(body);
    ["code", "message"].iter().filter_map(|field| error.get(field)?.as_str()).any(|text| {
        let text = text.to_ascii_lowercase();
        CONTEXT_PHRASES.iter().any(|phrase| text.contains(phrase))
    })
}

/// Returns the words of `code`, `type` and `status` that look like words of a vocabulary.
fn code_of(error: &Value) -> String {
    let words = ["code", "type", "status"].iter().filter_map(|field| match error.get(field)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(word) => Some(word.clone()),
        _ => None,
    });
    let is_word = |word: &String| {
        word.len() <= MAX_WORD
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let words: Vec<_> = words.filter(is_word).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" ") }
}

/// Returns the error of a task that found nothing of what it waited for within `waited`.
pub(crate) fn silent(operation: &'static str, waited: Duration) -> PortError {
    Failure::Silent { waited_ms: waited.as_millis() }.at(operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lectern_core::errors::chain;
    use serde_json::json;

    fn kind(status: u16, headers: &[(&'static str, &str)], body: &Value) -> ErrorKind {
        let headers = headers.iter().map(|(name, value)| {
            (reqwest::header::HeaderName::from_static(name), value.parse().unwrap())
        });
        let status = StatusCode::from_u16(status).unwrap();
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 03:00:00 GMT").unwrap();
        refused("chat", status, &headers.collect(), body.to_string().as_bytes(), now).kind
    }

    #[test]
    fn statuses_become_remedies() {
        let none = json!({});
        for (status, expected) in [
            (400, ErrorKind::Invalid),
            (401, ErrorKind::Unauthenticated),
            (403, ErrorKind::Unauthenticated),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::Timeout),
            (413, ErrorKind::TooLarge),
            (422, ErrorKind::Invalid),
            (429, ErrorKind::RateLimited { retry_after: None }),
            (500, ErrorKind::Unavailable),
            (503, ErrorKind::Unavailable),
            (529, ErrorKind::Unavailable),
            (302, ErrorKind::Internal),
        ] {
            assert_eq!(kind(status, &[], &none), expected, "{status}");
        }
    }

    #[test]
    fn a_prompt_over_the_context_is_too_large_in_every_dialect() {
        for body in [
            json!({"error": {"code": "context_length_exceeded", "message": "x"}}),
            json!({"error": {"message": "This model's maximum context length is 8192 tokens"}}),
            json!([{"error": {"code": 400, "status": "INVALID_ARGUMENT",
                "message": "The input token count (9) exceeds the maximum number of tokens allowed (8)."}}]),
            json!({"object": "error", "message": "the request exceeds the context window"}),
        ] {
            assert_eq!(kind(400, &[], &body), ErrorKind::TooLarge, "{body}");
        }
    }

    #[test]
    fn waits_are_read_in_every_form() {
        let date = "Sat, 21 Nov 2026 03:01:00 GMT";
        let past = "Sat, 21 Nov 2026 02:00:00 GMT";
        for (headers, millis) in [
            (vec![("retry-after", "7")], Some(7_000)),
            (vec![("retry-after", "0.25")], Some(250)),
            (vec![("retry-after", date)], Some(60_000)),
            (vec![("retry-after", past)], Some(0)),
            (vec![("retry-after-ms", "120"), ("retry-after", "7")], Some(120)),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "1e300")], None),
        ] {
            let expected =
                ErrorKind::RateLimited { retry_after: millis.map(Duration::from_millis) };
            assert_eq!(kind(429, &headers, &json!({})), expected, "{headers:?}");
        }
    }

    #[test]
    fn keeps_codes_and_drops_messages() {
        let body = json!({"error": {"code": "invalid_api_key", "type": "a sentence with sk-123",
            "message": "Incorrect API key provided: sk-123"}});
        let error = refused(
            "chat",
            StatusCode::UNAUTHORIZED,
            &HeaderMap::new(),
            body.to_string().as_bytes(),
            SystemTime::UNIX_EPOCH,
        );
        let line = chain(&error);
        assert!(line.contains("invalid_api_key") && !line.contains("sk-123"), "{line}");
    }

    #[test]
    fn errors_inside_a_stream_become_remedies() {
        for (error, expected) in [
            (json!({"code": 429}), ErrorKind::RateLimited { retry_after: None }),
            (json!({"type": "rate_limit_error"}), ErrorKind::RateLimited { retry_after: None }),
            (json!({"code": "context_length_exceeded"}), ErrorKind::TooLarge),
            (json!({"code": 401}), ErrorKind::Unauthenticated),
            (json!({"type": "invalid_request_error"}), ErrorKind::Invalid),
            (json!({"code": 502, "message": "upstream"}), ErrorKind::Unavailable),
            (json!("overloaded"), ErrorKind::Unavailable),
        ] {
            assert_eq!(broken_off("chat", &error).kind, expected, "{error}");
        }
    }
}
