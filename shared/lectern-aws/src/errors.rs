//! An SDK's error becomes one by its remedy.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lectern_core::errors::{ErrorKind, PortError};

/// Codes of refusals by credentials or rights, of all services (AWS General Reference, "Common errors").
const DENIED: [&str; 9] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];
const ABSENT: [&str; 4] = [
    "AWS.SimpleQueueService.NonExistentQueue",
    "NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
];
const THROTTLED: [&str; 4] =
    ["RequestThrottled", "Throttling", "ThrottlingException", "TooManyRequestsException"];

/// Returns what maps an error of `operation`.
pub(crate) fn failed<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> PortError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    move |error| {
        let kind = match &error {
            SdkError::TimeoutError(_) => ErrorKind::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => ErrorKind::Timeout,
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => ErrorKind::Unavailable,
            SdkError::ServiceError(service) => of_code(service.err().code()),
            _ => ErrorKind::Internal,
        };
        PortError::new(kind, operation, error)
    }
}

fn of_code(code: Option<&str>) -> ErrorKind {
    match code {
        Some(code) if DENIED.contains(&code) => ErrorKind::Unauthenticated,
        Some(code) if ABSENT.contains(&code) => ErrorKind::NotFound,
        Some(code) if THROTTLED.contains(&code) => ErrorKind::RateLimited { retry_after: None },
        Some("InternalFailure" | "InternalServiceError" | "ServiceUnavailable") | None => {
            ErrorKind::Unavailable
        }
        // A service that is unwell names no code of its own refusals.
        Some(code) if code.starts_with("Internal") => ErrorKind::Unavailable,
        Some(_) => ErrorKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_to_do() {
        assert_eq!(of_code(Some("AccessDeniedException")), ErrorKind::Unauthenticated);
        assert_eq!(of_code(Some("ResourceNotFoundException")), ErrorKind::NotFound);
        assert_eq!(
            of_code(Some("ThrottlingException")),
            ErrorKind::RateLimited { retry_after: None }
        );
        assert_eq!(of_code(Some("InvalidMessageContents")), ErrorKind::Invalid);
        assert_eq!(of_code(None), ErrorKind::Unavailable);
    }
}
