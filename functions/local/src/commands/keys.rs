//! `lectern keys`: the keys of a data directory.

use std::time::Duration;

use lectern_app::keys::NewKey;
use lectern_core::{
    auth::{ApiKey, Caller},
    ids::{CollectionId, KeyId, TenantId},
    pricing::MicroDollars,
    spending::SpendingLimits,
    time::Timestamp,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::{
    compose::Local,
    failure::Failure,
    main_arguments::keys::KeysCommand,
    output::{Output, harmless, one_line},
    session::Session,
    text_table::{Align, text_table},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Characters of a name in a table.
const NAME_CHARS: usize = 40;

pub(super) async fn run(
    session: &Session,
    command: KeysCommand,
    output: &Output,
) -> Result<(), Failure> {
    let Some(local) = &session.local else {
        let reason = "keys are managed where the data is: leave --api and LECTERN_API_URL out, and name the directory with --data";
        return Err(Failure::Usage(reason.into()));
    };
    match command {
        KeysCommand::Create {
            name,
            mut permission,
            rate,
            usd_per_day,
            usd_per_month,
            expires_in_days,
            allowed_ips,
            collections,
            principals,
            tenant,
        } => {
            permission.sort_unstable();
            permission.dedup();
            let expires_at = expires_in_days.map(|days| local.keys.clock.now() + DAY * days);
            let new = NewKey {
                name,
                permissions: permission,
                collections: Some(collections).filter(|ids| !ids.is_empty()),
                principals,
                rate_per_minute: rate,
                limits: SpendingLimits { per_day: usd_per_day, per_month: usd_per_month },
                expires_at,
                allowed_ips,
            };
            create(local, &tenant, new, output).await
        }
        KeysCommand::Rotate { id, overlap_hours, tenant } => {
            let overlap = Duration::from_secs(overlap_hours * 60 * 60);
            rotate(local, &tenant, &id, overlap, output).await
        }
        KeysCommand::List { tenant } => list(local, &tenant, output).await,
        KeysCommand::Revoke { id, tenant } => revoke(local, &tenant, &id, output).await,
    }
}

async fn create(
    local: &Local,
    tenant: &TenantId,
    new: NewKey,
    output: &Output,
) -> Result<(), Failure> {
    let (key, text) = local.keys.create(tenant, new).await?;
    if output.is_json() {
        let mut record = record(&key);
        record["key"] = text.expose_secret().into();
        return Ok(output.json(&record)?);
    }
    output.note(format_args!("key {} `{}`; it is shown this once:", key.id, harmless(&key.name)));
    Ok(output.line(text.expose_secret())?)
}

async fn rotate(
    local: &Local,
    tenant: &TenantId,
    id: &str,
    overlap: Duration,
    output: &Output,
) -> Result<(), Failure> {
    let operator = Caller::operator(tenant.clone());
    let (key, text) = local.keys.rotate(&operator, &key_id(id)?, overlap).await?;
    if output.is_json() {
        let mut record = record(&key);
        record["key"] = text.expose_secret().into();
        return Ok(output.json(&record)?);
    }
    let until = key.previous_until.map(Timestamp::to_rfc3339).unwrap_or_default();
    output.note(format_args!(
        "key {} `{}`; the old secret works until {until}; the new one is shown this once:",
        key.id,
        harmless(&key.name)
    ));
    Ok(output.line(text.expose_secret())?)
}

fn key_id(id: &str) -> Result<KeyId, Failure> {
    id.parse()
        .map_err(|error| Failure::Usage(format!("`{}` is no key id: it {error}", harmless(id))))
}

async fn list(local: &Local, tenant: &TenantId, output: &Output) -> Result<(), Failure> {
    let keys = local.keys.list(tenant).await?;
    if output.is_json() {
        let keys: Vec<Value> = keys.iter().map(record).collect();
        return Ok(output.json(&json!({ "keys": keys }))?);
    }
    if keys.is_empty() {
        output.note("no keys; `lectern keys create NAME` makes one");
        return Ok(());
    }
    let columns = [
        ("ID", Align::Left),
        ("NAME", Align::Left),
        ("PERMISSIONS", Align::Left),
        ("RATE/MIN", Align::Right),
        ("CREATED", Align::Left),
        ("STATE", Align::Left),
    ];
    let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
    text_table(&columns, &rows).into_iter().try_for_each(|line| output.line(line))?;
    Ok(())
}

async fn revoke(
    local: &Local,
    tenant: &TenantId,
    id: &str,
    output: &Output,
) -> Result<(), Failure> {
    let id = key_id(id)?;
    local.keys.revoke(tenant, &id).await?;
    if output.is_json() {
        return Ok(output.json(&json!({ "id": id, "revoked": true }))?);
    }
    Ok(output.line(format_args!("revoked {id}"))?)
}

fn permissions(key: &ApiKey) -> String {
    let names = key.permissions.iter().map(|permission| {
        serde_json::to_value(permission).ok().and_then(|name| name.as_str().map(str::to_owned))
    });
    names.flatten().collect::<Vec<_>>().join(",")
}

fn row(key: &ApiKey) -> Vec<String> {
    vec![
        key.id.to_string(),
        one_line(&key.name, NAME_CHARS),
        permissions(key),
        key.rate_per_minute.to_string(),
        key.created_at.day(),
        state(key),
    ]
}

fn state(key: &ApiKey) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", at.day()),
        (None, Some(at)) => format!("expires {}", at.day()),
        (None, None) => "active".to_owned(),
    }
}

/// Returns what may be told about a key: everything but its hash.
fn record(key: &ApiKey) -> Value {
    let collections: Option<Vec<&str>> =
        key.collections.as_ref().map(|ids| ids.iter().map(CollectionId::as_str).collect());
    json!({
        "id": key.id, "tenant": key.tenant, "name": key.name, "permissions": key.permissions, "collections": collections,
        "principals": key.principals, "rate_per_minute": key.rate_per_minute,
        "created_at": key.created_at.to_rfc3339(),
        "expires_at": key.expires_at.map(Timestamp::to_rfc3339),
        "revoked_at": key.revoked_at.map(Timestamp::to_rfc3339),
        "previous_until": key.previous_until.map(Timestamp::to_rfc3339),
        "allowed_ips": key.allowed_ips,
        "budget": {
            "usd_per_day": key.limits.per_day.map(MicroDollars::as_dollars),
            "usd_per_month": key.limits.per_month.map(MicroDollars::as_dollars),
        },
    })
}

#[cfg(test)]
mod tests {
    use lectern_core::auth::Permission;

    use super::*;

    fn a_key() -> ApiKey {
        let now = Timestamp::from_millis(1_795_230_000_000);
        ApiKey {
            id: KeyId::new(now, 1),
            tenant: "local".parse().unwrap(),
            incarnation: 0,
            name: "app".into(),
            secret_hmac: "feedc0de".into(),
            permissions: vec![Permission::Query, Permission::Upload],
            collections: None,
            principals: vec![],
            rate_per_minute: 60,
            limits: SpendingLimits::default(),
            allowed_ips: vec![],
            previous_hmac: None,
            previous_until: None,
            created_at: now,
            expires_at: None,
            revoked_at: Some(now),
        }
    }

    #[test]
    fn a_row_tells_permissions_and_state_and_never_the_hash() {
        let row = row(&a_key()).join(" ");
        assert!(row.ends_with("app query,upload 60 2026-11-21 revoked 2026-11-21"), "{row}");
        let record = record(&a_key());
        assert_eq!(record["permissions"], json!(["query", "upload"]));
        assert!(!record.to_string().contains("feedc0de"));
    }

    #[tokio::test]
    async fn keys_of_a_server_are_not_managed_from_here() {
        let api = crate::api::Api::InProcess(axum::Router::new());
        let session = Session { api, local: None };
        let (output, _) = Output::captured(false);
        let refused =
            run(&session, KeysCommand::List { tenant: "local".parse().unwrap() }, &output)
                .await
                .unwrap_err();
        assert_eq!(refused.exit_code(), crate::failure::USAGE);
    }
}
