//! SDK errors become [`PortError`] here and nowhere else.

use std::error::Error;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use lectern_core::errors::{ErrorKind, PortError};
use thiserror::Error as ThisError;

/// What the service answered. Items that came with a refusal are left out: logs print this.
#[derive(Debug, ThisError)]
#[error("dynamodb answered `{code}`: {message}")]
struct Refusal {
    code: String,
    message: String,
}

/// Returns the conversion of an SDK error of `operation`.
pub(crate) fn failed<E>(operation: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    move |error| match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("unknown").to_owned();
            let message = service.err().message().unwrap_or_default().to_owned();
            let kind = kind_of(&code, &message, service.raw().status().is_server_error());
            PortError::new(kind, operation, Refusal { code, message })
        }
        SdkError::TimeoutError(_) => source(ErrorKind::Timeout, operation, error),
        SdkError::DispatchFailure(ref failure) => {
            let timed_out = failure.is_timeout();
            let kind = if timed_out { ErrorKind::Timeout } else { ErrorKind::Unavailable };
            source(kind, operation, error)
        }
        SdkError::ResponseError(_) => source(ErrorKind::Unavailable, operation, error),
        SdkError::ConstructionFailure(_) => source(ErrorKind::Invalid, operation, error),
        _ => source(ErrorKind::Internal, operation, error),
    }
}

fn source<E>(
    kind: ErrorKind,
    operation: &'static str,
    error: SdkError<E, HttpResponse>,
) -> PortError
where
    E: Error + Send + Sync + 'static,
{
    match error.into_source() {
        Ok(source) => PortError::new(kind, operation, source),
        Err(error) => PortError::new(kind, operation, error.to_string()),
    }
}

/// Codes: DynamoDB Developer Guide, "Error handling with DynamoDB".
fn kind_of(code: &str, message: &str, server_error: bool) -> ErrorKind {
    match code {
        "ConditionalCheckFailedException" | "ResourceInUseException" => ErrorKind::Conflict,
        "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "ThrottlingException"
        | "Throttling"
        | "LimitExceededException" => ErrorKind::RateLimited { retry_after: None },
        // Others kept writing the same items through every retry of the client.
        "TransactionCanceledException"
        | "TransactionConflictException"
        | "TransactionInProgressException" => ErrorKind::Unavailable,
        "ResourceNotFoundException" => ErrorKind::NotFound,
        "ValidationException" if message.contains("size has exceeded") => ErrorKind::TooLarge,
        "ValidationException" | "SerializationException" => ErrorKind::Invalid,
        "AccessDeniedException"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => ErrorKind::Unauthenticated,
        _ if server_error => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_remedy() {
        let throttled = ErrorKind::RateLimited { retry_after: None };
        for (code, message, server_error, kind) in [
            ("ThrottlingException", "", false, throttled),
            ("ConditionalCheckFailedException", "", false, ErrorKind::Conflict),
            ("ValidationException", "bad key", false, ErrorKind::Invalid),
            ("ValidationException", "Item size has exceeded it", false, ErrorKind::TooLarge),
            ("UnrecognizedClientException", "", false, ErrorKind::Unauthenticated),
            ("InternalServerError", "", true, ErrorKind::Unavailable),
            ("SomethingNew", "", false, ErrorKind::Internal),
        ] {
            assert_eq!(kind_of(code, message, server_error), kind, "{code}");
        }
    }
}
