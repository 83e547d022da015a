//! How an error looks to a client: `application/problem+json` (RFC 9457).
//!
//! The one place that maps errors to HTTP. A client reads `type`, `title`, `detail` and `errors`; the cause goes
//! to the log with the same request id and never into the response.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use lectern_app::errors::{FieldError, FlowError};
use lectern_core::errors::{ErrorKind, PortError, chain};
use serde::Serialize;
use tracing::{error, warn};
use utoipa::ToSchema;

/// Media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What it must be.
    pub detail: String,
}

/// An error as a client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Stable name of the kind of problem, `urn:lectern:problem:validation`.
    pub r#type: String,
    /// The kind in words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: String,
    /// Id of the request, to quote when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The wrong fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    /// Seconds to wait, also in `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// Returns a problem.
    #[must_use]
    pub fn new(
        status: StatusCode,
        name: &str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            r#type: format!("urn:lectern:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            instance: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Returns which limit refused the request, as a label; `None` where none did.
    pub(crate) fn limit(&self) -> Option<&'static str> {
        let limits = [
            ("rate-limited", "rate"),
            ("over-budget", "budget"),
            ("budget-held", "budget"),
            ("spending-stopped", "budget"),
            ("overloaded", "load"),
            ("ingestion-behind", "load"),
        ];
        let name = self.r#type.rsplit(':').next()?;
        limits.into_iter().find(|(problem, _)| *problem == name).map(|(_, limit)| limit)
    }

    /// Returns the problem of a body that is not what its media type says.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "Malformed request", detail)
    }

    /// Returns the problem of wrong fields.
    #[must_use]
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let fields = errors
            .into_iter()
            .map(|field| ProblemField { pointer: field.pointer, detail: field.detail });
        let errors: Vec<ProblemField> = fields.collect();
        let first = errors
            .first()
            .map_or_else(String::new, |field| format!("`{}` {}", field.pointer, field.detail));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let problem = Self::new(status, "validation", "Invalid fields", first);
        Self { errors, ..problem }
    }

    /// Returns the problem of a path that leads nowhere.
    #[must_use]
    pub fn no_route() -> Self {
        let detail = "there is nothing at this path; see /openapi.json";
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// Returns the problem of a path that takes other methods.
    #[must_use]
    pub fn no_method() -> Self {
        let detail = "this path takes other methods; see the `Allow` header";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail)
    }

    /// Returns the problem of a body over the limit.
    #[must_use]
    pub fn too_large(limit_bytes: usize) -> Self {
        let detail = format!("the content is larger than {limit_bytes} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Content too large", detail)
    }

    fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }
}

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Invalid(fields) => Self::validation(fields),
            FlowError::Unauthenticated => Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "Not authenticated",
                "send `Authorization: Bearer` with a valid API key, `lk_…`, or a token of an issuer this server trusts",
            ),
            FlowError::Forbidden(_) => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", error.to_string())
            }
            FlowError::NotFound(_) => {
                Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", error.to_string())
            }
            FlowError::Conflict(_) => {
                Self::new(StatusCode::CONFLICT, "conflict", "Conflict", error.to_string())
            }
            FlowError::TooLarge { limit_bytes } => Self::too_large(limit_bytes),
            FlowError::UnsupportedMedia(_) => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
                error.to_string(),
            ),
            FlowError::RateLimited { retry_after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate-limited",
                "Too many requests",
                "too many requests; wait as `Retry-After` says",
            )
            .with_retry_after(retry_after),
            FlowError::OverBudget { retry_after, .. } => Self::new(
                StatusCode::PAYMENT_REQUIRED,
                "over-budget",
                "Budget spent",
                format!("{error}; searches and answers that are kept go on. An administrator can raise it, see /v1/budget"),
            )
            .with_retry_after(retry_after),
            FlowError::BudgetHeld { .. } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "budget-held",
                "Budget set aside",
                format!("{error}; try again when they are answered"),
            )
            .with_retry_after(Duration::from_secs(2)),
            FlowError::SpendingStopped => Self::new(
                StatusCode::PAYMENT_REQUIRED,
                "spending-stopped",
                "Spending stopped",
                "an administrator stopped all spending; searches and answers that are kept go on. See /v1/budget",
            ),
            FlowError::Behind { retry_after } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ingestion-behind",
                "Ingestion is behind",
                format!("{error}, so that no more are taken now; what was accepted is not lost. Send it again as `Retry-After` says"),
            )
            .with_retry_after(retry_after),
            FlowError::InProgress { retry_after } => Self::new(
                StatusCode::CONFLICT,
                "in-progress",
                "Request in progress",
                "a request with this `Idempotency-Key` is being carried out; send it again to hear how it ended",
            )
            // Most are over long before they must be.
            .with_retry_after(retry_after.min(Duration::from_secs(1))),
            FlowError::Reused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "Key used before",
                "this `Idempotency-Key` was used for another request; use a new one for each",
            ),
            FlowError::Port(port) => port.into(),
        }
    }
}

impl From<PortError> for Problem {
    fn from(failure: PortError) -> Self {
        let problem = upstream(&failure);
        let cause = chain(&failure);
        if failure.is_retryable() {
            warn!(error = %cause, status = problem.status, "a dependency failed");
        } else {
            error!(error = %cause, status = problem.status, "a dependency failed");
        }
        problem
    }
}

fn upstream(error: &PortError) -> Problem {
    let (status, name, title, detail) = match error.kind {
        ErrorKind::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "upstream-unavailable",
            "Dependency unavailable",
            "a service this request needs does not answer; try again later",
        ),
        ErrorKind::RateLimited { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "upstream-rate-limited",
            "Dependency overloaded",
            "a service this request needs asks to slow down; wait as `Retry-After` says",
        ),
        ErrorKind::Timeout => (
            StatusCode::GATEWAY_TIMEOUT,
            "upstream-timeout",
            "Dependency too slow",
            "a service this request needs did not answer in time; try again later",
        ),
        ErrorKind::Conflict => (
            StatusCode::CONFLICT,
            "conflict",
            "Conflict",
            "somebody else changed this at the same time; read it again and repeat",
        ),
        ErrorKind::TooLarge => (
            StatusCode::BAD_GATEWAY,
            "upstream-too-large",
            "Too much for the model",
            "the prompt does not fit the model; ask a shorter question or lower the passage budget",
        ),
        ErrorKind::Unauthenticated => (
            StatusCode::SERVICE_UNAVAILABLE,
            "upstream-credentials",
            "Dependency refused the credentials",
            "the operator must renew the credentials of a service; `/ready` says which",
        ),
        ErrorKind::Invalid | ErrorKind::NotFound => (
            StatusCode::BAD_GATEWAY,
            "upstream-refused",
            "Dependency refused the request",
            "a service refused what Lectern sent; the operator finds the cause in the log",
        ),
        ErrorKind::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "something went wrong here; quote the request id when asking for help",
        ),
    };
    let problem = Problem::new(status, name, title, detail);
    match error.kind {
        ErrorKind::RateLimited { retry_after } => {
            problem.with_retry_after(retry_after.unwrap_or(Duration::from_secs(10)))
        }
        ErrorKind::Unavailable => problem.with_retry_after(Duration::from_secs(5)),
        _ => problem,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_millis().div_ceil(1_000);
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from_str(&seconds.to_string())
                    .unwrap_or(HeaderValue::from_static("1")),
            );
        }
        // The request id is known one layer further out; see `trace`.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_stays_in_the_log() {
        let failure = PortError::new(ErrorKind::Internal, "qdrant search", "secret host 10.0.0.1");
        let problem = Problem::from(failure);
        assert_eq!(problem.status, 500);
        assert!(!serde_json::to_string(&problem).unwrap().contains("10.0.0.1"));
    }

    #[test]
    fn who_has_a_token_is_told_what_to_send_like_who_has_a_key() {
        let told = Problem::from(FlowError::Unauthenticated).detail;
        assert!(told.contains("API key") && told.contains("token"), "{told}");
    }

    #[test]
    fn a_rate_limited_upstream_passes_its_wait_on() {
        let kind = ErrorKind::RateLimited { retry_after: Some(Duration::from_millis(1_200)) };
        let response = Problem::from(PortError::bare(kind, "chat")).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
