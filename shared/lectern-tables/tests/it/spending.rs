//! Usage and budgets.

use futures::future::join_all;
use lectern_core::{errors::ErrorKind, ids::KeyId, pricing::MicroDollars, time::Timestamp};
use lectern_tables::{Tables, budget::Reserve, usage::Usage};

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

pub(crate) async fn budgets_hold_under_concurrency(tables: &Tables) {
    let tenant = a_tenant();
    let (amount, limit) = (MicroDollars(30), MicroDollars(100));
    let requests = (0..16).map(|_| {
        let (tables, tenant) = (tables.clone(), tenant.clone());
        tokio::spawn(async move {
            tables.budgets().reserve(&tenant, None, amount, limit, day(0)).await.unwrap()
        })
    });
    let outcomes = join_all(requests).await.into_iter().map(Result::unwrap);
    let (reserved, refused): (Vec<_>, Vec<_>) =
        outcomes.partition(|outcome| matches!(outcome, Reserve::Reserved(_)));
    assert_eq!((reserved.len(), refused.len()), (3, 13));
    assert_eq!(refused[0], Reserve::OverBudget { committed: MicroDollars(90) });
    for (outcome, spent) in reserved.iter().zip([0, 30, 45]) {
        let Reserve::Reserved(reservation) = outcome else { unreachable!("partitioned") };
        tables.budgets().settle(reservation, MicroDollars(spent)).await.unwrap();
    }
    let committed = tables.budgets().committed(&tenant, None, day(0)).await.unwrap();
    assert_eq!(committed, MicroDollars(75));
    let too_much = tables.budgets().reserve(&tenant, None, MicroDollars(101), limit, day(0)).await;
    assert_eq!(too_much.unwrap(), Reserve::OverBudget { committed: MicroDollars(75) });
    let next_month = tables.budgets().reserve(&tenant, None, limit, limit, day(31)).await.unwrap();
    assert!(matches!(next_month, Reserve::Reserved(_)));
}
