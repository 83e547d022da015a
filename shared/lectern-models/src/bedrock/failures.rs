//! Why Bedrock gave no reply or not all of it. Its own message is dropped: it may quote the prompt; the name of the
//! exception, which is a word of a vocabulary, is kept as the cause.

use std::{error::Error as StdError, time::Duration};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockruntime::{
    config::http::HttpResponse,
    error::{BoxError, ProvideErrorMetadata, SdkError},
    types::error::ConverseStreamOutputError,
};
use aws_smithy_types::event_stream::RawMessage;
use http_body_util::LengthLimitError;
use lectern_core::errors::{ErrorKind, PortError};
use thiserror::Error;

use super::remedies::{capitalised, hint, kind_of, retry_after, word};

/// Why a reply is not what was asked for.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("bedrock answered {status} with `{code}` to request `{request_id}`{hint}")]
    Refused { status: u16, code: String, request_id: String, hint: &'static str },
    #[error("bedrock broke its reply off with `{code}`")]
    MidStream { code: String },
    #[error("bedrock's JSON is not the expected one, at line {line} column {column}")]
    Json { line: usize, column: usize },
    #[error("bedrock's reply is no event stream of the expected form")]
    Encoding,
    #[error("bedrock's reply is larger than {limit_bytes} bytes")]
    TooLong { limit_bytes: usize },
    #[error("the connection ended before the reply did")]
    Cut,
    #[error("bedrock sent nothing for {waited_ms} ms")]
    Silent { waited_ms: u128 },
    #[error("the model withheld the reply: {reason}")]
    Withheld { reason: String },
    #[error("the model spoiled its reply: {reason}")]
    Spoiled { reason: String },
    #[error("no AWS region is configured; set `AWS_REGION`")]
    NoRegion,
    #[error("the AWS credentials cannot be loaded")]
    Credentials(#[source] BoxError),
    #[error("the connection failed")]
    Transport(#[source] BoxError),
    #[error("the request could not be sent")]
    Unsent(#[source] BoxError),
}

impl Failure {
    /// Returns the failure of JSON that does not parse. `serde_json`'s message is not kept: it quotes values.
    pub(super) fn json(error: &serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cut | Self::Transport(_) | Self::Spoiled { .. } => ErrorKind::Unavailable,
            Self::Silent { .. } => ErrorKind::Timeout,
            Self::Withheld { .. } | Self::NoRegion => ErrorKind::Invalid,
            Self::Credentials(_) => ErrorKind::Unauthenticated,
            _ => ErrorKind::Internal,
        }
    }

    /// Returns the port's error for this failure.
    pub(super) fn at(self, operation: &'static str) -> PortError {
        PortError::new(self.kind(), operation, self)
    }
}

/// Returns the error of a wait of `waited` in vain.
pub(super) fn silent(operation: &'static str, waited: Duration) -> PortError {
    Failure::Silent { waited_ms: waited.as_millis() }.at(operation)
}

/// Returns the error of a call that gave no reply. `limit_bytes` is what a body may have.
pub(super) fn refused<E>(
    operation: &'static str,
    error: SdkError<E, HttpResponse>,
    limit_bytes: usize,
) -> PortError
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    if is_in_chain::<LengthLimitError>(&error) {
        return Failure::TooLong { limit_bytes }.at(operation);
    }
    if is_in_chain::<CredentialsError>(&error) {
        return Failure::Credentials(source_of(error)).at(operation);
    }
    let kind = match &error {
        SdkError::ServiceError(service) => {
            let (status, headers) = (service.raw().status().as_u16(), service.raw().headers());
            let code = word(service.err().code());
            let says = service.err().message().unwrap_or_default().to_lowercase();
            let kind = kind_of(&code, &says, status, retry_after(|name| headers.get(name)));
            let failure = Failure::Refused {
                status,
                code,
                request_id: word(headers.get("x-amzn-requestid")),
                hint: hint(&says),
            };
            return PortError::new(kind, operation, failure);
        }
        SdkError::TimeoutError(_) => ErrorKind::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ErrorKind::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            return Failure::Unsent(source_of(error)).at(operation);
        }
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => ErrorKind::Unavailable,
        _ => return Failure::Unsent(source_of(error)).at(operation),
    };
    PortError::new(kind, operation, Failure::Transport(source_of(error)))
}

/// Returns the error of a reply that broke off after it had begun.
pub(super) fn broken_off(
    operation: &'static str,
    error: &SdkError<ConverseStreamOutputError, RawMessage>,
    limit_bytes: usize,
) -> PortError {
    if is_in_chain::<LengthLimitError>(error) {
        return Failure::TooLong { limit_bytes }.at(operation);
    }
    let says = error.as_service_error().and_then(ProvideErrorMetadata::message);
    match (error, error.raw_response()) {
        // An exception or an error of the protocol; one the SDK does not know is no `ServiceError` to it.
        (_, Some(RawMessage::Decoded(message))) => {
            let header = |name| message.headers().iter().find(|it| it.name().as_str() == name);
            let named = header(":exception-type").or_else(|| header(":error-code"));
            let named = named.and_then(|header| header.value().as_string().ok());
            let Some(named) = named else { return Failure::Encoding.at(operation) };
            let code = capitalised(&word(Some(named.as_str())));
            let says = says.unwrap_or_default().to_lowercase();
            // An exception nobody knows is the service's trouble, not the caller's.
            let kind = kind_of(&code, &says, 500, None);
            PortError::new(kind, operation, Failure::MidStream { code })
        }
        // What is left of a frame when the connection ends.
        (SdkError::ResponseError(_), Some(RawMessage::Invalid(Some(_)))) => {
            Failure::Cut.at(operation)
        }
        (SdkError::ResponseError(_), _) => Failure::Encoding.at(operation),
        _ => Failure::Cut.at(operation),
    }
}

fn is_in_chain<E: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    error.is::<E>() || error.source().is_some_and(is_in_chain::<E>)
}

fn source_of<E>(error: SdkError<E, HttpResponse>) -> BoxError
where
    E: StdError + Send + Sync + 'static,
{
    error.into_source().unwrap_or_else(|error| error.to_string().into())
}
