//! How often subjects of tokens call. Unlike a key, a subject has no record of its own: who it is and what it may do is in its
//! token. Only its rate is remembered, for a while.

use lectern_core::{
    errors::{ErrorKind, PortError},
    ids::KeyId,
    limits::{Rate, Verdict},
    time::Timestamp,
};

use crate::{
    item::number,
    keys::{MAX_LOOKS, interval_ms, latest_ms, tat, verdict},
    layout,
    table::{Conditional, Table, expiry},
    transaction::Change,
};

const TAKE: &str = "take from a subject's rate";

/// The subjects of tokens.
#[derive(Clone, Copy, Debug)]
pub struct Subjects<'tables> {
    pub(crate) table: &'tables Table,
}

impl Subjects<'_> {
    /// Takes one request from a subject's rate: one write for a caller below its rate or over it, two for one within a burst.
    /// Exact for any number of concurrent callers.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn take(
        &self,
        id: &KeyId,
        rate_per_minute: u32,
        now: Timestamp,
    ) -> Result<Verdict, PortError> {
        let rate = Rate::per_minute(rate_per_minute);
        let mut change = at_rest(id, rate_per_minute, now);
        for _ in 0..MAX_LOOKS {
            match self.table.update(TAKE, change).await? {
                Conditional::Done(item) => return Ok(verdict(&item, rate_per_minute, now)),
                Conditional::Refused(item) => {
                    let ahead = item.as_ref().and_then(tat);
                    let verdict = rate.decide(ahead, now);
                    if matches!(verdict, Verdict::Refused { .. }) {
                        return Ok(verdict);
                    }
                    change = match ahead {
                        Some(ahead) if ahead > now => within_burst(id, rate_per_minute, now),
                        _ => at_rest(id, rate_per_minute, now),
                    };
                }
            }
        }
        Err(PortError::new(ErrorKind::Conflict, TAKE, "the subject's rate kept changing"))
    }
}

/// The request of a subject that was quiet.
fn at_rest(id: &KeyId, rate_per_minute: u32, now: Timestamp) -> Change {
    let until = now.as_millis() + interval_ms(rate_per_minute);
    Change::of(layout::subject(id), "SET #tat = :until, #expires_at = :expires_at")
        .when("attribute_not_exists(#tat) OR #tat <= :now")
        .with(":now", number(now.as_millis()))
        .with(":until", number(until))
        .with(":expires_at", forgotten(now))
}

/// The request of a subject that is within its burst.
fn within_burst(id: &KeyId, rate_per_minute: u32, now: Timestamp) -> Change {
    Change::of(layout::subject(id), "SET #tat = #tat + :interval, #expires_at = :expires_at")
        .when("#tat > :now AND #tat <= :latest")
        .with(":now", number(now.as_millis()))
        .with(":latest", number(latest_ms(rate_per_minute, now)))
        .with(":interval", number(interval_ms(rate_per_minute)))
        .with(":expires_at", forgotten(now))
}

/// When a rate that is not used is full again, and needs not be remembered.
fn forgotten(now: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    expiry(now + 2 * Rate::per_minute(1).period)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use aws_sdk_dynamodb::{
        Client,
        config::{BehaviorVersion, Config, Region},
    };
    use aws_smithy_runtime_api::{
        client::{
            http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
            orchestrator::{HttpRequest, HttpResponse},
        },
        http::StatusCode,
    };
    use aws_smithy_types::body::SdkBody;

    use super::*;

    const REFUSED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message":"The conditional request failed","Item":{"tat":{"N":"0"}}}"#;
    const WRITTEN: &str = r#"{"Attributes":{"tat":{"N":"2000"}}}"#;

    /// A table in which somebody else is faster so many times.
    #[derive(Clone, Debug)]
    struct Contended {
        refusals: u32,
        calls: Arc<AtomicU32>,
    }

    impl HttpConnector for Contended {
        fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
            let is_refused = self.calls.fetch_add(1, Ordering::Relaxed) < self.refusals;
            let (status, body) = if is_refused { (400, REFUSED) } else { (200, WRITTEN) };
            let status = StatusCode::try_from(status).unwrap();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
        }
    }

    /// Returns what became of a request, and how often it was looked at.
    async fn take(refusals: u32) -> (Result<Verdict, ErrorKind>, u32) {
        let contended = Contended { refusals, calls: Arc::default() };
        let connector = SharedHttpConnector::new(contended.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("local"))
            .endpoint_url("http://contended")
            .allow_no_auth()
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        let table = Table::new(Client::from_conf(config), "contended");
        let (id, now) = (KeyId::of_subject("issuer", "acme", "u-1"), Timestamp::from_millis(1_000));
        let taken = Subjects { table: &table }.take(&id, 60, now).await;
        (taken.map_err(|error| error.kind), contended.calls.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_rate_that_keeps_changing_is_looked_at_so_often_and_no_more() {
        let (taken, looks) = take(MAX_LOOKS - 1).await;
        assert!(matches!(taken, Ok(Verdict::Allowed { remaining: 59, .. })), "{taken:?}");
        assert_eq!(looks, MAX_LOOKS);
        assert_eq!(take(MAX_LOOKS).await, (Err(ErrorKind::Conflict), MAX_LOOKS));
    }
}
