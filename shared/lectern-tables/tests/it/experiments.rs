//! What is counted of experiments.

use std::collections::BTreeMap;

use futures::future::join_all;
use lectern_core::{
    experiment::Assignments,
    ids::{ExperimentName, QueryId, TenantId, VariantName},
    pricing::MicroDollars,
};
use lectern_tables::{
    Tables,
    experiments::{Assigned, Outcome, Tally},
    feedback::Rating,
};

use crate::world::{a_tenant, at, default_collection};

const HOUR_US: u64 = 3_600_000_000;

fn variant(name: &str) -> (ExperimentName, VariantName) {
    ("tone".parse().unwrap(), name.parse().unwrap())
}

async fn tallies(tables: &Tables, tenant: &TenantId) -> Vec<Tally> {
    tables.experiments().tallies(tenant, &default_collection()).await.unwrap()
}

pub(crate) async fn outcomes_add_up_under_concurrency(tables: &Tables) {
    let tenant = a_tenant();
    let questions = (0..40_u64).map(|number| {
        let (tables, tenant) = (tables.clone(), tenant.clone());
        tokio::spawn(async move {
            let (experiment, variant) = variant(if number % 4 == 0 { "short" } else { "control" });
            let outcome = Outcome {
                refused: number % 8 == 0,
                latency_us: HOUR_US + number,
                cost: MicroDollars(number),
            };
            let named = (&experiment, &variant);
            let counted =
                tables.experiments().count(&tenant, &default_collection(), named, outcome).await;
            counted.unwrap();
        })
    });
    join_all(questions).await.into_iter().for_each(|question| question.unwrap());
    let found = tallies(tables, &tenant).await;
    let names: Vec<&str> = found.iter().map(|tally| tally.variant.as_str()).collect();
    assert_eq!(names, ["control", "short"]);
    let short = &found[1];
    assert_eq!((short.questions, short.refusals), (10, 5));
    let numbers: Vec<u64> = (0..40).filter(|number| number % 4 == 0).collect();
    let exact = |power: u32, base: u64| {
        numbers.iter().map(|number| u128::from(base + number).pow(power)).sum::<u128>() as f64
    };
    assert_eq!(short.cost_micro_usd_sum, exact(1, 0));
    assert_eq!(short.cost_micro_usd_squares, exact(2, 0));
    assert_eq!(short.latency_us_sum, exact(1, HOUR_US));
    // More than 64 bits hold; reading rounds.
    let off = (short.latency_us_squares / exact(2, HOUR_US) - 1.0).abs();
    assert!(off < 1e-15, "{off}");
    assert!(short.latency_us_squares > u64::MAX as f64);
    assert_eq!((short.thumbs_up, short.thumbs_down), (0, 0));
    assert!(tallies(tables, &a_tenant()).await.is_empty());
    let other = "other".parse().unwrap();
    assert!(tables.experiments().tallies(&tenant, &other).await.unwrap().is_empty());
}

pub(crate) async fn ratings_find_their_variants_and_replace_each_other(tables: &Tables) {
    let (tenant, query_id) = (a_tenant(), QueryId::new(at(1), 1));
    let experiments = tables.experiments();
    let thumbs = async || {
        let found = tallies(tables, &tenant).await;
        let thumbs = found.into_iter().map(|tally| (tally.thumbs_up, tally.thumbs_down));
        thumbs.collect::<Vec<_>>()
    };
    // Nothing is known of the question yet.
    experiments.rate(&tenant, &query_id, Rating::Up, at(2)).await.unwrap();
    assert_eq!(thumbs().await, []);

    let size = ("size".parse().unwrap(), "wide".parse().unwrap());
    let assigned = Assigned {
        tenant: tenant.clone(),
        collection: default_collection(),
        query_id: query_id.clone(),
        assignments: Assignments(BTreeMap::from([size, variant("short")])),
    };
    experiments.remember(&assigned, at(100)).await.unwrap();
    for (rating, expected) in
        [(Rating::Up, (1, 0)), (Rating::Up, (1, 0)), (Rating::Down, (0, 1)), (Rating::Up, (1, 0))]
    {
        experiments.rate(&tenant, &query_id, rating, at(2)).await.unwrap();
        assert_eq!(thumbs().await, [expected, expected], "{rating:?}");
    }
    experiments.rate(&a_tenant(), &query_id, Rating::Down, at(2)).await.unwrap();
    experiments.rate(&tenant, &query_id, Rating::Down, at(100)).await.unwrap();
    assert_eq!(thumbs().await, [(1, 0); 2], "neither another tenant nor after it is forgotten");

    // However ratings meet, one question is one thumb.
    let raters = (0..8).map(|number| {
        let (tables, tenant, query_id) = (tables.clone(), tenant.clone(), query_id.clone());
        let rating = if number % 2 == 0 { Rating::Up } else { Rating::Down };
        tokio::spawn(async move {
            tables.experiments().rate(&tenant, &query_id, rating, at(3)).await.ok();
        })
    });
    join_all(raters).await.into_iter().for_each(|rater| rater.unwrap());
    let last = thumbs().await;
    assert!(last == [(1, 0); 2] || last == [(0, 1); 2], "{last:?}");
}
