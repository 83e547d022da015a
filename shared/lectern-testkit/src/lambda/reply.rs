//! What API Gateway makes of a function's answer.

use axum::body::Bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Invocation, Outcome};

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Bytes,
}

impl HttpReply {
    /// Returns the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// Returns the body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_slice(&self.body);
        parsed.unwrap_or_else(|error| {
            panic!("the body is no JSON ({error}): {}", String::from_utf8_lossy(&self.body))
        })
    }
}

impl Invocation {
    /// Returns what the client of a REST API gets.
    ///
    /// # Panics
    /// When API Gateway would answer 502 or 504 in the function's place.
    #[must_use]
    pub fn http(&self) -> HttpReply {
        match &self.outcome {
            Outcome::Buffered(answer) => proxied(answer),
            Outcome::Streaming(answer) => HttpReply {
                status: answer.status,
                headers: answer.headers.clone(),
                body: answer.body(),
            },
            other => panic!("API Gateway has no answer for its client: {other:?}"),
        }
    }
}

fn proxied(answer: &Value) -> HttpReply {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.unwrap_or_else(|| panic!("not an answer of the proxy form: {answer}"));
    let body = answer["body"].as_str().unwrap_or("");
    let body = if answer["isBase64Encoded"] == true {
        STANDARD.decode(body).expect("the body is base64, as the function says")
    } else {
        body.as_bytes().to_vec()
    };
    HttpReply { status, headers: headers_of(answer), body: body.into() }
}

/// Returns `headers` and `multiValueHeaders`, merged as API Gateway merges them: a value given in both counts once.
pub(super) fn headers_of(answer: &Value) -> Vec<(String, String)> {
    let mut merged = Vec::new();
    for group in ["multiValueHeaders", "headers"] {
        for (name, values) in answer[group].as_object().into_iter().flatten() {
            let values = values.as_array().map_or(std::slice::from_ref(values), Vec::as_slice);
            for value in values {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let header = (name.to_ascii_lowercase(), value);
                if !merged.contains(&header) {
                    merged.push(header);
                }
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_kinds_of_headers_are_merged() {
        let reply = proxied(&json!({
            "statusCode": 200,
            "headers": {"Content-Type": "text/plain", "X-One": "1"},
            "multiValueHeaders": {"content-type": ["text/plain"], "set-cookie": ["a=1", "b=2"]},
            "body": "aGk=",
            "isBase64Encoded": true,
        }));
        assert_eq!(reply.text(), "hi");
        assert_eq!(reply.header("X-ONE"), Some("1"));
        let names: Vec<_> = reply.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content-type", "set-cookie", "set-cookie", "x-one"]);
    }

    #[test]
    #[should_panic(expected = "not an answer of the proxy form")]
    fn any_other_json_is_no_answer() {
        proxied(&json!({"status": 200}));
    }
}
