//! What letting a request in and setting its money aside adds to the writes that they consist of.
//!
//! The gate of `lectern serve` around a route that does nothing, on a table of its own on this disk. Its one write finds the key and
//! takes a request from its rate; setting money aside is a read of the account's rules and a write each for account and key.

use std::{
    io,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, routing::get};
use http::{Request, header};
use lectern_app::{
    clock::Clock,
    keys::{Keys, NewKey},
    spending::Spending,
    tokens::Tokens,
};
use lectern_core::{
    auth::Caller,
    issuers::Issuers,
    limits::MAX_RATE_PER_MINUTE,
    metrics::share::percentile,
    pricing::{MicroDollars, PriceTable},
    spending::SpendingLimits,
};
use lectern_fetch::discovery::published;
use lectern_runtime::{audit::Audit, concurrency::Concurrency, gate::Gate, origins::Origins};
use lectern_tables::{Tables, budget::Ledger};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tower::ServiceExt as _;

use super::{Finding, corpus, decimal};
use crate::{failure::Failure, text_table::Align};

const REQUESTS: usize = 500;
const WARM_UP: usize = 50;
const PEPPER: &str = "a pepper of thirty-two characters";
/// What a question may cost at most.
const AMOUNT: MicroDollars = MicroDollars(2_000);
/// More than the measurement sets aside.
const LIMITS: SpendingLimits =
    SpendingLimits { per_day: Some(MicroDollars(1 << 50)), per_month: Some(MicroDollars(1 << 50)) };
const LASTS: Duration = Duration::from_secs(30);

/// Everything that is measured, in milliseconds.
#[derive(Default)]
struct Measured {
    key_write: Vec<f64>,
    gate: Vec<f64>,
    gate_added: Vec<f64>,
    ledger_writes: Vec<f64>,
    reserve: Vec<f64>,
    reserve_added: Vec<f64>,
}

pub(super) async fn run() -> Result<Finding, Failure> {
    let directory = tempfile::tempdir()?;
    let table = directory.path().join("table.db");
    let tables = Tables::connect(&format!("embedded://{}", table.display())).await?;
    tables.ensure().await?;
    let clock = Clock::system();
    let keys = Keys::new(tables.clone(), SecretString::from(PEPPER).into(), clock.clone());
    let new = NewKey { rate_per_minute: MAX_RATE_PER_MINUTE, ..NewKey::full("bench") };
    let (key, text) = keys.create(&corpus::tenant(), new).await?;
    let spending = Spending {
        tables: tables.clone(),
        prices: PriceTable::built_in().into(),
        limits: LIMITS,
        clock: clock.clone(),
    };
    let gate = Gate {
        keys,
        tokens: Tokens::new(&Issuers::default(), &published(), tables.clone(), clock.clone()),
        open_to: None,
        origins: Origins::default(),
        concurrency: Concurrency::default(),
        audit: Audit::new(io::sink(), clock.clone()),
    };
    let routes = gate.protect(Router::new().route("/", get(async || ())));
    let caller = Caller { limits: LIMITS, ..Caller::from(&key) };
    let hmac = &key.secret_hmac;

    let mut measured = Measured::default();
    for number in 0..REQUESTS {
        // Far enough apart that the key is quiet: then its rate is one write, with or without a gate.
        let now = clock.now();
        let key_write = timed(tables.keys().authenticate(&key.id, hmac, now, None)).await?;
        let admitted = timed(async {
            let credential = format!("Bearer {}", text.expose_secret());
            let request = Request::get("/").header(header::AUTHORIZATION, credential);
            let request = request.body(Body::empty()).map_err(io::Error::other)?;
            let response = routes.clone().oneshot(request).await.map_err(io::Error::other)?;
            if response.status().is_success() {
                return Ok::<_, Failure>(());
            }
            Err(Failure::Failed(format!("the gate answered {}", response.status())))
        })
        .await?;
        let (budgets, until) = (tables.budgets(), now + LASTS);
        let month = |key| Ledger { tenant: &caller.tenant, key };
        let ledger_writes = timed(async {
            let account = budgets.reserve(month(None), AMOUNT, LIMITS, now, until);
            let of_key = budgets.reserve(month(Some(&key.id)), AMOUNT, LIMITS, now, until);
            futures::try_join!(account, of_key)
        })
        .await?;
        let bill = spending.bill(&caller, AMOUNT, LASTS);
        let reserve = timed(bill.reserve()).await?;
        bill.give_up().await;
        if number >= WARM_UP {
            measured.key_write.push(key_write);
            measured.gate.push(admitted);
            measured.gate_added.push(admitted - key_write);
            measured.ledger_writes.push(ledger_writes);
            measured.reserve.push(reserve);
            measured.reserve_added.push(reserve - ledger_writes);
        }
    }
    Ok(measured.finding())
}

/// Returns how long something took, in milliseconds.
async fn timed<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<f64, Failure>
where
    Failure: From<E>,
{
    let started = Instant::now();
    work.await?;
    Ok(started.elapsed().as_secs_f64() * 1_000.0)
}

impl Measured {
    fn finding(&self) -> Finding {
        let row = |what: &str, millis: &[f64]| {
            let at = |share| decimal(percentile(millis, share), 3);
            vec![what.to_owned(), at(0.5), at(0.95)]
        };
        let rows = vec![
            row("the key's write alone", &self.key_write),
            row("the gate", &self.gate),
            row("gate − write", &self.gate_added),
            row("the ledgers' two writes alone", &self.ledger_writes),
            row("setting money aside", &self.reserve),
            row("aside − writes", &self.reserve_added),
        ];
        let median = |millis: &[f64]| percentile(millis, 0.5);
        let value = json!({
            "requests": self.gate.len(),
            "key_write_p50_ms": median(&self.key_write), "gate_p50_ms": median(&self.gate),
            "gate_added_p50_ms": median(&self.gate_added),
            "ledger_writes_p50_ms": median(&self.ledger_writes),
            "reserve_p50_ms": median(&self.reserve),
            "reserve_added_p50_ms": median(&self.reserve_added),
        });
        let columns =
            vec![("A REQUEST", Align::Left), ("p50 ms", Align::Right), ("p95 ms", Align::Right)];
        Finding { name: "gate", value, columns, rows }
    }
}
