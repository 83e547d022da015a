//! Invocations that are no HTTP requests.

use std::{future::Future, time::SystemTime};

use axum::Router;
use lambda_http::{Adapter, LambdaEvent, Service as _, lambda_runtime, request::LambdaRequest};
use lectern_telemetry::lines;
use serde_json::Value;

use super::{
    Error,
    http::{instant, prepared},
};
use crate::deadline::Deadline;

/// Field by which an event of our own is told from a request.
const TASK: &str = "task";

/// Serves events with `handle`, one after the other. An error it returns is the invocation's: the platform tries
/// asynchronous ones again.
///
/// # Errors
/// When the Runtime API is gone.
pub async fn serve<F>(handle: impl Fn(Value, Deadline) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<Value, Error>> + Send,
{
    let service = lambda_runtime::service_fn(|event: LambdaEvent<Value>| {
        let deadline = Deadline(instant(event.context.deadline, SystemTime::now()));
        written(handle(event.payload, deadline))
    });
    lambda_runtime::run(service).await
}

/// Serves a router's routes, and with `handle` events that have a field `task`: what a schedule sends, or an operator by
/// `aws lambda invoke`. A gateway's event has no such field, whatever its client sends.
///
/// # Errors
/// When the Runtime API is gone.
pub async fn serve_with_routes<F>(
    router: Router,
    handle: impl Fn(Value, Deadline) -> F,
) -> Result<(), Error>
where
    F: Future<Output = Result<Value, Error>> + Send,
{
    let routes = prepared(router);
    let (routes, handle) = (&routes, &handle);
    let service = lambda_runtime::service_fn(|event: LambdaEvent<Value>| async move {
        let LambdaEvent { payload, context } = event;
        if payload.get(TASK).is_some() {
            let deadline = Deadline(instant(context.deadline, SystemTime::now()));
            return written(handle(payload, deadline)).await;
        }
        let request: LambdaRequest = serde_json::from_value(payload)?;
        let mut adapter = Adapter::from(routes.clone());
        let response = adapter.call(LambdaEvent::new(request, context)).await?;
        Ok::<_, Error>(serde_json::to_value(response)?)
    });
    lambda_runtime::run(service).await
}

/// Writes out what was measured when an invocation is over: after it the platform may stop this process for as long as it
/// likes.
async fn written<T>(handled: impl Future<Output = T>) -> T {
    let handled = handled.await;
    lines::write();
    handled
}
