//! Usage and budgets.

use std::time::Duration;

use futures::future::join_all;
use lectern_core::{
    errors::ErrorKind,
    ids::KeyId,
    pricing::MicroDollars,
    spending::{Balance, Period, SpendingLimits, Standing},
    time::Timestamp,
};
use lectern_tables::{
    Tables,
    budget::{Ledger, Reservation, Reserve},
    spending_rules::{RulesChange, SpendingRules},
    usage::Usage,
};

use crate::world::{a_tenant, at};

const DAY_SECONDS: u64 = 24 * 60 * 60;

fn day(number: u64) -> Timestamp {
    at(number * DAY_SECONDS)
}

pub(crate) async fn usage_adds_up_and_is_paged(tables: &Tables) {
    let tenant = a_tenant();
    let key = KeyId::new(at(1), 1);
    let usage = Usage {
        requests: 1,
        prompt_tokens: 800,
        completion_tokens: 60,
        embedding_tokens: 7,
        cost_micro_usd: MicroDollars(900),
    };
    let requests = (0..20).map(|_| {
        let (tables, tenant, key) = (tables.clone(), tenant.clone(), key.clone());
        tokio::spawn(async move {
            tables.usage().add(&tenant, Some(&key), &usage, day(0)).await.unwrap();
        })
    });
    join_all(requests).await.into_iter().for_each(|request| request.unwrap());
    for number in 0..4 {
        tables.usage().add(&tenant, None, &usage, day(number)).await.unwrap();
    }
    let first = tables.usage().range(&tenant, day(0), day(2), 3, None).await.unwrap();
    let rows = &first.items;
    assert_eq!(rows[0].spender, key.as_str());
    let twenty = Usage {
        requests: 20,
        prompt_tokens: 16_000,
        completion_tokens: 1_200,
        embedding_tokens: 140,
        cost_micro_usd: MicroDollars(18_000),
    };
    assert_eq!((rows[0].usage, rows[1].usage), (twenty, usage));
    assert_eq!(rows[1].spender, "operator");
    let rest = tables.usage().range(&tenant, day(0), day(2), 3, first.next.as_deref()).await;
    let rest = rest.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert_eq!(rest.items[0].day, day(2).day());
    let refused = tables.usage().range(&tenant, day(0), day(2), 3, Some("x")).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
}

fn per_day(limit: u64) -> SpendingLimits {
    SpendingLimits { per_day: Some(MicroDollars(limit)), per_month: None }
}

fn balance(spent: u64, held: u64) -> Balance {
    Balance { spent: MicroDollars(spent), held: MicroDollars(held) }
}

const AMOUNT: MicroDollars = MicroDollars(30);

fn reserved(outcome: Reserve) -> Reservation {
    match outcome {
        Reserve::Reserved(reservation) => reservation,
        over @ Reserve::Over(_) => panic!("{over:?}"),
    }
}

pub(crate) async fn budgets_hold_under_concurrency(tables: &Tables) {
    let tenant = a_tenant();
    let limits = per_day(100);
    let until = day(0) + Duration::from_secs(60);
    let requests = (0..64).map(|_| {
        let (tables, tenant) = (tables.clone(), tenant.clone());
        tokio::spawn(async move {
            let account = Ledger { tenant: &tenant, key: None };
            tables.budgets().reserve(account, AMOUNT, limits, day(0), until).await.unwrap()
        })
    });
    let outcomes = join_all(requests).await.into_iter().map(Result::unwrap);
    let (held, refused): (Vec<_>, Vec<_>) =
        outcomes.partition(|outcome| matches!(outcome, Reserve::Reserved(_)));
    // The fourth begins below the limit and goes past it by less than its own amount.
    assert_eq!((held.len(), refused.len()), (4, 60));
    let full = Standing { day: balance(0, 120), month: balance(0, 120) };
    assert!(refused.iter().all(|outcome| *outcome == Reserve::Over(full)), "{refused:?}");
    for (outcome, spent) in held.into_iter().zip([0, 30, 45, 5]) {
        let settled =
            tables.budgets().settle(&reserved(outcome), MicroDollars(spent), day(0)).await;
        assert_eq!(settled.unwrap().day.held.0 % 30, 0);
    }
    let account = Ledger { tenant: &tenant, key: None };
    let standing = tables.budgets().standing(account, day(0)).await.unwrap();
    assert_eq!(standing, Standing { day: balance(80, 0), month: balance(80, 0) });
    let never = tables.budgets().reserve(account, AMOUNT, per_day(0), day(0), until).await.unwrap();
    assert_eq!(never, Reserve::Over(standing));
}

pub(crate) async fn budgets_are_of_a_key_a_day_and_a_month(tables: &Tables) {
    let (tenant, id) = (a_tenant(), KeyId::new(at(1), 1));
    let (account, key) =
        (Ledger { tenant: &tenant, key: None }, Ledger { tenant: &tenant, key: Some(&id) });
    let budgets = tables.budgets();
    let spent = budgets.spend(account, MicroDollars(70), day(0)).await.unwrap();
    assert_eq!(spent, Standing { day: balance(70, 0), month: balance(70, 0) });
    assert_eq!(budgets.standing(key, day(0)).await.unwrap(), Standing::default());
    // Held before midnight, settled after: it stays with the day it was begun on.
    let limits =
        SpendingLimits { per_day: Some(MicroDollars(100)), per_month: Some(MicroDollars(130)) };
    let (second, midnight) = (Duration::from_secs(1), day(0).next_day());
    let (late, early) = (midnight.before(second), midnight + second);
    let until = late + Duration::from_secs(60);
    let held = reserved(budgets.reserve(account, AMOUNT, limits, late, until).await.unwrap());
    let over = budgets.reserve(account, AMOUNT, limits, late, until).await.unwrap();
    assert_eq!(over, Reserve::Over(Standing { day: balance(70, 30), month: balance(70, 30) }));
    let standing = budgets.settle(&held, MicroDollars(10), early).await.unwrap();
    assert_eq!(standing, Standing { day: balance(0, 0), month: balance(80, 0) });
    // A new day has room; the month's is soon over, and the next month begins anew.
    let fill = MicroDollars(60);
    let until = early + Duration::from_secs(60);
    let held = reserved(budgets.reserve(account, fill, limits, early, until).await.unwrap());
    budgets.settle(&held, fill, early).await.unwrap();
    let Reserve::Over(standing) =
        budgets.reserve(account, AMOUNT, limits, early, until).await.unwrap()
    else {
        panic!("the month is over its limit")
    };
    assert_eq!(standing.exhausted(limits), Some(Period::Month));
    let next = budgets.reserve(account, AMOUNT, limits, day(31), day(32)).await.unwrap();
    assert_eq!(budgets.standing(account, day(31)).await.unwrap().month, balance(0, 30));
    reserved(next);
}

pub(crate) async fn what_a_crash_held_is_let_go(tables: &Tables) {
    let tenant = a_tenant();
    let account = Ledger { tenant: &tenant, key: None };
    let budgets = tables.budgets();
    let (limits, minute) = (per_day(100), Duration::from_secs(60));
    let held: Vec<_> = join_all((0..4).map(|number| {
        let until = day(0) + minute * (number + 1);
        async move { budgets.reserve(account, AMOUNT, limits, day(0), until).await.unwrap() }
    }))
    .await;
    assert!(matches!(
        budgets.reserve(account, AMOUNT, limits, day(0), day(0) + minute).await.unwrap(),
        Reserve::Over(_)
    ));
    // Nobody settles; all are over but the last.
    let later = day(0) + minute * 4;
    let standing = budgets.standing(account, later).await.unwrap();
    assert_eq!(standing.day, balance(0, 30));
    let racing = (0..16).map(|_| {
        let (tables, tenant) = (tables.clone(), tenant.clone());
        tokio::spawn(async move {
            let account = Ledger { tenant: &tenant, key: None };
            let until = later + minute;
            tables.budgets().reserve(account, AMOUNT, limits, later, until).await.unwrap()
        })
    });
    let racing = join_all(racing).await.into_iter().map(Result::unwrap);
    let begun = racing.filter(|outcome| matches!(outcome, Reserve::Reserved(_))).count();
    assert_eq!(begun, 3, "what is let go is let go once");
    // One that comes back after all is counted all the same.
    let settled = budgets.settle(&reserved(held[0].clone()), MicroDollars(25), later).await;
    assert_eq!(settled.unwrap().day, balance(25, 120));
}

pub(crate) async fn spending_rules_are_kept(tables: &Tables) {
    let (tenant, other) = (a_tenant(), a_tenant());
    let rules = tables.spending_rules();
    assert_eq!(rules.get(&tenant).await.unwrap(), SpendingRules::default());
    let limits = SpendingLimits { per_month: Some(MicroDollars(5)), ..per_day(3) };
    let set = RulesChange {
        per_day: Some(limits.per_day),
        per_month: Some(limits.per_month),
        stopped: None,
    };
    assert_eq!(rules.change(&tenant, set, at(1)).await.unwrap().limits, limits);
    let stop = RulesChange { stopped: Some(true), ..RulesChange::default() };
    rules.change(&tenant, stop, at(5)).await.unwrap();
    let stopped = rules.change(&tenant, stop, at(9)).await.unwrap();
    assert_eq!(stopped, SpendingRules { limits, stopped_at: Some(at(5)) });
    assert_eq!(rules.get(&tenant.in_incarnation(3)).await.unwrap(), stopped, "of the account");
    let nothing = rules.change(&tenant, RulesChange::default(), at(9)).await.unwrap();
    assert_eq!(nothing, stopped);
    let less = RulesChange { per_day: None, per_month: Some(None), stopped: Some(false) };
    let rest = rules.change(&tenant, less, at(9)).await.unwrap();
    assert_eq!(rest, SpendingRules { limits: per_day(3), stopped_at: None });
    assert_eq!(rules.get(&other).await.unwrap(), SpendingRules::default());
}
