//! Prints milliseconds per call on a file: `cargo run -p lectern-tables --example cost [PATH]`.
#![expect(clippy::print_stdout, reason = "the output is the purpose")]

use std::{
    error::Error,
    time::{Duration, Instant},
};

use lectern_core::{
    auth::ApiKey,
    document::Metadata,
    ids::{CollectionId, DocumentId, KeyId, TenantId},
    spending::SpendingLimits,
    time::Timestamp,
};
use lectern_tables::{
    Tables, collections::Collection, registration::Registration, usage::Usage, versions::Claim,
};

const ROUNDS: u32 = 300;
const LEASE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "target/cost.db".to_owned());
    for suffix in ["", "-wal", "-shm"] {
        let _absent = std::fs::remove_file(format!("{path}{suffix}"));
    }
    for url in ["embedded::memory:", &format!("embedded://{path}")] {
        println!("{url}");
        let tables = Tables::connect(url).await?;
        tables.ensure().await?;
        simple_calls(&tables).await?;
        ingestion(&tables).await?;
    }
    Ok(())
}

async fn simple_calls(tables: &Tables) -> Result<(), Box<dyn Error>> {
    let (tenant, now) = (TenantId::try_from("acme".to_owned())?, Timestamp::from_millis(1));
    let started = Instant::now();
    for round in 0..ROUNDS {
        tables.cache().put(&round.to_string(), vec![7; 1_536], now + LEASE).await?;
    }
    report("put 1.5 kB", started);
    let started = Instant::now();
    for round in 0..ROUNDS {
        tables.cache().get(&round.to_string(), now).await?.ok_or("lost")?;
    }
    report("get 1.5 kB", started);
    let key = ApiKey {
        id: KeyId::new(now, 1),
        tenant: tenant.clone(),
        incarnation: 0,
        name: "cost".to_owned(),
        secret_hmac: "ab".repeat(32),
        permissions: Vec::new(),
        collections: None,
        principals: Vec::new(),
        rate_per_minute: 60_000,
        limits: SpendingLimits::default(),
        allowed_ips: Vec::new(),
        previous_hmac: None,
        previous_until: None,
        created_at: now,
        expires_at: None,
        revoked_at: None,
    };
    tables.keys().create(&key).await?;
    let started = Instant::now();
    for round in 0..ROUNDS {
        let later = now + LEASE * round;
        tables
            .keys()
            .authenticate(&key.id, &key.secret_hmac, later, None)
            .await?
            .ok_or("unknown")?;
    }
    report("authenticate", started);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        tables.usage().add(&tenant, None, &Usage { requests: 1, ..Usage::default() }, now).await?;
    }
    report("add usage", started);
    Ok(())
}

async fn ingestion(tables: &Tables) -> Result<(), Box<dyn Error>> {
    let (tenant, now) = (TenantId::try_from("acme".to_owned())?, Timestamp::from_millis(1));
    let collection = CollectionId::default_collection();
    let created = Collection::new(tenant.clone(), collection.clone(), "Default".to_owned(), now);
    tables.collections().create_if_absent(&created).await?;
    let registrations: Vec<_> = (0..ROUNDS)
        .map(|round| Registration {
            tenant: tenant.clone(),
            collection: collection.clone(),
            document_id: None,
            new_id: DocumentId::new(now, u128::from(round) + 1),
            by_content: true,
            name: format!("{round}.md"),
            media_type: "text/markdown".to_owned(),
            size_bytes: 1,
            sha256: format!("{round:064x}"),
            acl: vec!["*".to_owned()],
            metadata: Metadata::new(),
            uploaded_by: None,
        })
        .collect();
    let started = Instant::now();
    for registration in &registrations {
        tables.documents().register(registration, now).await?;
    }
    report("register", started);
    let started = Instant::now();
    let mut leases = Vec::new();
    for Registration { new_id, .. } in &registrations {
        let claim = tables.versions().claim(&tenant, new_id, 1, now, LEASE, 3).await?;
        let Claim::Won(claimed) = claim else { return Err("not won".into()) };
        leases.push(claimed.lease);
    }
    report("claim", started);
    let started = Instant::now();
    for lease in &leases {
        tables.versions().switch_live(lease, 1, now).await?;
    }
    report("switch (first version: finished)", started);
    let ids: Vec<_> = registrations.iter().take(40).map(|it| it.new_id.clone()).collect();
    let started = Instant::now();
    for _ in 0..ROUNDS {
        tables.documents().get_many_with_collection(&tenant, &ids, &collection).await?;
    }
    report("get 40 documents and the collection", started);
    Ok(())
}

fn report(what: &str, started: Instant) {
    println!("{:>8.3} ms  {what}", started.elapsed().as_secs_f64() * 1_000.0 / f64::from(ROUNDS));
}
