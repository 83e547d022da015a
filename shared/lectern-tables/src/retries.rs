//! Which refusals the client tries again by itself, and how long a call may take.

use std::time::Duration;

use aws_sdk_dynamodb::{
    config::{
        interceptors::InterceptorContext,
        retry::{ClassifyRetry, RetryAction, RetryConfig},
        timeout::TimeoutConfig,
    },
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError,
        transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
};
use aws_smithy_types::retry::ErrorKind;

/// Longest time of one call with all its attempts. Less than half of the shortest function's
/// deadline (29 s behind the gateway).
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time of one attempt against the service.
#[cfg(feature = "aws")]
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time to connect to the service.
#[cfg(feature = "aws")]
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Most attempts of one call.
const MAX_ATTEMPTS: u32 = 6;
const INITIAL_BACKOFF: Duration = Duration::from_millis(25);
const MAX_BACKOFF: Duration = Duration::from_millis(800);

/// Returns how often and after which waits (exponential, with jitter) a call is repeated.
pub(crate) fn retry_config() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF)
}

/// Returns the limits for the engine in this process. An attempt has no limit of its own: the
/// engine would go on with the first while the second waits behind it.
#[cfg(feature = "embedded")]
pub(crate) fn embedded_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT).build()
}

/// Returns the limits for the service.
#[cfg(feature = "aws")]
pub(crate) fn service_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_timeout(OPERATION_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
}

/// Repeats a write that met another transaction on the same item. The SDK leaves this to its users:
/// DynamoDB Developer Guide, "Transaction conflict handling".
#[derive(Debug)]
pub(crate) struct OnTransactionConflict;

impl ClassifyRetry for OnTransactionConflict {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let Some(error) = error.as_operation_error() else {
            return RetryAction::NoActionIndicated;
        };
        let conflict = if let Some(error) = error.downcast_ref::<TransactWriteItemsError>() {
            is_conflict(error)
        } else if let Some(error) = error.downcast_ref::<UpdateItemError>() {
            error.is_transaction_conflict_exception()
        } else if let Some(error) = error.downcast_ref::<PutItemError>() {
            error.is_transaction_conflict_exception()
        } else if let Some(error) = error.downcast_ref::<DeleteItemError>() {
            error.is_transaction_conflict_exception()
        } else {
            false
        };
        if conflict {
            RetryAction::retryable_error(ErrorKind::TransientError)
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "transaction conflict"
    }
}

/// Whether the transaction only met another one. A failed condition is final, whatever else happened.
fn is_conflict(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return error.is_transaction_in_progress_exception();
    };
    let has = |code| cancelled.cancellation_reasons().iter().any(|it| it.code() == Some(code));
    has("TransactionConflict") && !has("ConditionalCheckFailed")
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{
        CancellationReason, error::TransactionCanceledException,
        error::TransactionInProgressException,
    };

    use super::*;

    fn cancelled(codes: &[&str]) -> TransactWriteItemsError {
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build());
        let cancelled = TransactionCanceledException::builder()
            .set_cancellation_reasons(Some(reasons.collect()))
            .build();
        TransactWriteItemsError::TransactionCanceledException(cancelled)
    }

    #[test]
    fn only_a_mere_conflict_is_repeated() {
        assert!(is_conflict(&cancelled(&["None", "TransactionConflict"])));
        assert!(!is_conflict(&cancelled(&["ConditionalCheckFailed", "TransactionConflict"])));
        assert!(!is_conflict(&cancelled(&["ConditionalCheckFailed"])));
        let in_progress = TransactionInProgressException::builder().build();
        assert!(is_conflict(&TransactWriteItemsError::TransactionInProgressException(in_progress)));
    }
}
