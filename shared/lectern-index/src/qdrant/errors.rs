//! What a failed call to a Qdrant server means to the caller.

use std::{error::Error, time::Duration};

use lectern_core::errors::{ErrorKind, PortError};
use qdrant_client::QdrantError;
use tonic::{Code, Status};

/// Sorts a client's failure by what the caller can do.
pub(super) fn port_error(operation: &'static str, error: QdrantError) -> PortError {
    let kind = match &error {
        QdrantError::ResponseError { status } => kind_of(status),
        QdrantError::ResourceExhaustedError { retry_after_seconds, .. } => {
            let retry_after = Some(Duration::from_secs(*retry_after_seconds));
            ErrorKind::RateLimited { retry_after }
        }
        QdrantError::InvalidUri(_) | QdrantError::ConversionError(_) => ErrorKind::Invalid,
        QdrantError::Io(_) => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    };
    PortError::new(kind, operation, error)
}

fn kind_of(status: &Status) -> ErrorKind {
    // A status with a cause was made here, by the transport: no server answered.
    let made_here = status.source().is_some() || status.message().starts_with("Failed to connect");
    match status.code() {
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => ErrorKind::Invalid,
        Code::NotFound => ErrorKind::NotFound,
        Code::AlreadyExists | Code::Aborted => ErrorKind::Conflict,
        Code::Unauthenticated | Code::PermissionDenied => ErrorKind::Unauthenticated,
        Code::ResourceExhausted => ErrorKind::RateLimited { retry_after: None },
        Code::DeadlineExceeded => ErrorKind::Timeout,
        // What tonic makes of its own elapsed timeout.
        Code::Cancelled if status.message() == "Timeout expired" => ErrorKind::Timeout,
        Code::Unavailable | Code::Cancelled => ErrorKind::Unavailable,
        _ if made_here => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: Status) -> ErrorKind {
        port_error("test", QdrantError::from(status)).kind
    }

    #[test]
    fn a_status_says_what_to_do() {
        assert_eq!(kind(Status::invalid_argument("")), ErrorKind::Invalid);
        assert_eq!(kind(Status::not_found("")), ErrorKind::NotFound);
        assert_eq!(kind(Status::already_exists("")), ErrorKind::Conflict);
        assert_eq!(kind(Status::permission_denied("")), ErrorKind::Unauthenticated);
        assert_eq!(kind(Status::deadline_exceeded("")), ErrorKind::Timeout);
        assert_eq!(kind(Status::cancelled("Timeout expired")), ErrorKind::Timeout);
        assert_eq!(kind(Status::internal("Failed to connect to x")), ErrorKind::Unavailable);
        assert_eq!(kind(Status::internal("a bug")), ErrorKind::Internal);
    }

    #[test]
    fn a_full_server_says_when_to_come_back() {
        let mut status = Status::resource_exhausted("");
        assert_eq!(kind(status.clone()), ErrorKind::RateLimited { retry_after: None });
        status.metadata_mut().insert("retry-after", "7".parse().unwrap());
        let retry_after = Some(Duration::from_secs(7));
        assert_eq!(kind(status), ErrorKind::RateLimited { retry_after });
    }
}
