//! What Bedrock's refusals mean to the caller.

use std::time::Duration;

use lectern_core::errors::ErrorKind;

/// Phrases by which models behind Bedrock say that a prompt or text exceeds what they take, in lower case. All come
/// as `ValidationException`.
const TOO_LONG_PHRASES: [&str; 11] = [
    "input is too long",
    "prompt is too long",
    "too many input tokens",
    "too many tokens",
    "input tokens exceeded",
    "exceeds maximum length",
    "context length",
    "context window",
    "context limit",
    "maximum number of tokens",
    "expected maxlength",
];
/// Phrases of refusals that an operator can do something about, in lower case, and what to tell them.
const HINTS: [(&str, &str); 4] = [
    ("on-demand throughput", ": the model is called by the id of an inference profile"),
    ("model identifier is invalid", ": there is no such model in the region"),
    ("don't have access to the model", ": the account has no access to the model"),
    ("end of its life", ": the model is no longer offered"),
];
/// Longest word of the service that is kept.
const MAX_WORD: usize = 64;

/// Names: Amazon Bedrock API Reference, "`ConverseStream`" and "`InvokeModel`", each under Errors, and "Common Errors".
pub(super) fn kind_of(
    code: &str,
    says: &str,
    status: u16,
    retry_after: Option<Duration>,
) -> ErrorKind {
    match code {
        "ThrottlingException" | "TooManyRequestsException" | "ServiceQuotaExceededException" => {
            ErrorKind::RateLimited { retry_after }
        }
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "ExpiredTokenException"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired" => ErrorKind::Unauthenticated,
        "ValidationException" if TOO_LONG_PHRASES.iter().any(|phrase| says.contains(phrase)) => {
            ErrorKind::TooLarge
        }
        "ValidationException" => ErrorKind::Invalid,
        "ResourceNotFoundException" => ErrorKind::NotFound,
        "ModelTimeoutException" => ErrorKind::Timeout,
        "InternalServerException"
        | "ModelErrorException"
        | "ModelNotReadyException"
        | "ModelStreamErrorException"
        | "ServiceUnavailableException" => ErrorKind::Unavailable,
        _ => kind_of_status(status, retry_after),
    }
}

/// What a proxy or gateway says that knows no exceptions.
fn kind_of_status(status: u16, retry_after: Option<Duration>) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::Unauthenticated,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited { retry_after },
        400..=499 => ErrorKind::Invalid,
        500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

/// Returns how long the server asks to wait. AWS's own header counts milliseconds (AWS SDKs and Tools Reference Guide,
/// "Retry behavior").
pub(super) fn retry_after<'headers>(
    header: impl Fn(&str) -> Option<&'headers str>,
) -> Option<Duration> {
    let number = |name: &str| header(name)?.trim().parse::<f64>().ok();
    let seconds = number("x-amz-retry-after").map(|millis| millis / 1_000.0);
    let seconds = seconds.or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Returns `text` if it looks like a word of a vocabulary.
pub(super) fn word(text: Option<&str>) -> String {
    let is_word = |text: &&str| {
        !text.is_empty()
            && text.len() <= MAX_WORD
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    text.filter(is_word).unwrap_or("none").to_owned()
}

/// A stream spells `throttlingException` what a status spells `ThrottlingException`.
pub(super) fn capitalised(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Returns what to tell the operator of a refusal whose message, in lower case, is `says`.
pub(super) fn hint(says: &str) -> &'static str {
    HINTS.iter().find(|(phrase, _)| says.contains(phrase)).map_or("", |(_, hint)| hint)
}

#[cfg(test)]
#[path = "remedies_tests.rs"]
mod tests;
