//! API keys, and the one call that finds a key and takes from its rate.

use aws_sdk_dynamodb::types::AttributeValue;
use ipnet::IpNet;
use lectern_core::{
    auth::ApiKey,
    errors::{ErrorKind, PortError},
    ids::{KeyId, TenantId},
    limits::{Rate, Verdict},
    pricing::MicroDollars,
    time::Timestamp,
};

use crate::{
    MAX_PAGE, Page,
    item::{Item, from_item, native, number, number_in, text, text_in, to_item},
    layout::{self, KEY},
    range::Range,
    table::{Conditional, Table},
    tenants::{Tenants, one_key_more},
    transaction::{Change, Condition, Transacted, Write},
};

const AUTHENTICATE: &str = "authenticate";
/// How often a request is decided anew because clocks of two callers differ or the rate changed.
pub(crate) const MAX_LOOKS: u32 = 4;

/// Whether a secret is the key's, or was until a rotation a while ago.
const OPENS: &str =
    "(#secret_hmac = :secret OR (#previous_hmac = :secret AND #previous_until > :now))";

/// What is to be changed of a key. What is `None` stays; `Some(None)` takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChange {
    /// What a person calls it.
    pub name: Option<String>,
    /// Requests per minute.
    pub rate_per_minute: Option<u32>,
    /// Most that may be spent with it in a day.
    pub per_day: Option<Option<MicroDollars>>,
    /// Most that may be spent with it in a month.
    pub per_month: Option<Option<MicroDollars>>,
    /// When it stops working.
    pub expires_at: Option<Option<Timestamp>>,
    /// The networks it may be used from.
    pub allowed_ips: Option<Vec<IpNet>>,
}

impl KeyChange {
    /// Returns the attributes that change, by name.
    fn attributes(&self) -> Vec<(&'static str, AttributeValue)> {
        let of = |value: Result<serde_json::Value, serde_json::Error>| {
            native(value.expect("numbers and texts are JSON"))
        };
        let mut changed = Vec::new();
        if let Some(name) = &self.name {
            changed.push(("name", text(name)));
        }
        if let Some(rate) = self.rate_per_minute {
            changed.push(("rate_per_minute", number(rate)));
            changed.push(("interval_ms", number(interval_ms(rate))));
        }
        if let Some(limit) = self.per_day {
            changed.push(("micro_usd_per_day", of(serde_json::to_value(limit))));
        }
        if let Some(limit) = self.per_month {
            changed.push(("micro_usd_per_month", of(serde_json::to_value(limit))));
        }
        if let Some(expires_at) = self.expires_at {
            changed.push(("expires_at", of(serde_json::to_value(expires_at))));
        }
        if let Some(networks) = &self.allowed_ips {
            changed.push(("allowed_ips", of(serde_json::to_value(networks))));
        }
        changed
    }
}

/// The API keys of every tenant.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'tables> {
    pub(crate) table: &'tables Table,
}

/// A key found by its id and secret, and what its rate says about this request.
#[derive(Clone, Debug, PartialEq)]
pub struct Authenticated {
    /// The key's record. It may be revoked or expired: ask [`ApiKey::is_active`].
    pub key: ApiKey,
    /// Whether this request is within the key's rate. An allowed one is counted already.
    pub verdict: Verdict,
}

/// What a process saw of a key last: where its rate most likely stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its requests per minute.
    pub rate_per_minute: u32,
    /// Its theoretical arrival time.
    pub tat: Timestamp,
}

impl Keys<'_> {
    /// Stores a new key, which opens the incarnation of its tenant's data that is live, and returns it so.
    ///
    /// # Errors
    /// `Conflict` when its id is taken.
    pub async fn create(&self, key: &ApiKey) -> Result<ApiKey, PortError> {
        let operation = "create key";
        let tenants = Tenants { table: self.table };
        for _ in 0..MAX_LOOKS {
            let live = tenants.live(&key.tenant).await?;
            let (tenant, incarnation) = (live.account(), live.incarnation());
            let key = ApiKey { tenant, incarnation, ..key.clone() };
            let mut item = to_item(&key);
            layout::api_key(&key.id).put_into(&mut item);
            item.insert("interval_ms".to_owned(), number(interval_ms(key.rate_per_minute)));
            let listing = layout::api_key_listing(&key.tenant, &key.id).to_item();
            let absent = Condition::new("attribute_not_exists(#PK)");
            let writes = vec![
                Write::Put(item, absent),
                Write::Put(listing, Condition::default()),
                one_key_more(&key.tenant, key.incarnation),
            ];
            match self.table.transact(operation, writes).await? {
                Transacted::Written => return Ok(key),
                // Another incarnation was switched to since it was looked up.
                Transacted::Refused(2) => {}
                Transacted::Refused(_) => break,
            }
        }
        Err(PortError::bare(ErrorKind::Conflict, operation))
    }

    /// Returns a key of the tenant.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, tenant: &TenantId, id: &KeyId) -> Result<Option<ApiKey>, PortError> {
        let operation = "get key";
        let item = self.table.get(operation, &layout::api_key(id)).await?;
        let key: Option<ApiKey> = item.map(|item| from_item(operation, &item)).transpose()?;
        Ok(key.filter(|key| key.tenant == tenant.account()))
    }

    /// Returns up to `limit` (at most [`MAX_PAGE`]) keys of the tenant, oldest first, revoked ones too.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page returned.
    pub async fn list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<ApiKey>, PortError> {
        let operation = "list keys";
        let mut range = Range::prefixed(layout::account(tenant), KEY, limit.clamp(1, MAX_PAGE));
        if let Some(cursor) = cursor {
            let id = cursor.parse();
            let id = id.map_err(|error| PortError::new(ErrorKind::Invalid, operation, error))?;
            range.after = Some(layout::api_key_listing(tenant, &id).to_item());
        }
        let (listed, last) = self.table.range(operation, &range).await?;
        let ids = listed.iter().filter_map(|item| text_in(item, "SK")?.strip_prefix(KEY));
        let ids: Vec<KeyId> = ids.filter_map(|id| id.parse().ok()).collect();
        let found = self.table.batch_get(operation, ids.iter().map(layout::api_key).collect());
        let found = found.await?;
        let mut items: Vec<ApiKey> =
            found.iter().map(|item| from_item(operation, item)).collect::<Result<_, _>>()?;
        items.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Page { items, next: last.and(ids.last()).map(ToString::to_string) })
    }

    /// Makes a key stop working; returns its record. The first revocation's time stays.
    ///
    /// # Errors
    /// `NotFound` when the tenant has no such key.
    pub async fn revoke(
        &self,
        tenant: &TenantId,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<ApiKey, PortError> {
        let expression = "SET #revoked_at = if_not_exists(#revoked_at, :now)";
        let change = Change::of(layout::api_key(id), expression);
        self.change("revoke key", tenant, change.with(":now", number(now.as_millis()))).await
    }

    /// Changes what a key may do; returns its record.
    ///
    /// # Errors
    /// `NotFound` when the tenant has no such key.
    pub async fn update(
        &self,
        tenant: &TenantId,
        id: &KeyId,
        changed: &KeyChange,
    ) -> Result<ApiKey, PortError> {
        let attributes = changed.attributes();
        let set = attributes.iter().map(|(name, _)| format!("#{name} = :{name}"));
        // Naming the owner anew changes nothing, where nothing else is changed.
        let set: Vec<String> = set.chain(["#tenant = :tenant".to_owned()]).collect();
        let change = Change::of(layout::api_key(id), &format!("SET {}", set.join(", ")));
        let change = attributes
            .into_iter()
            .fold(change, |change, (name, value)| change.with(&format!(":{name}"), value));
        self.change("update key", tenant, change).await
    }

    /// Gives a key another secret; the one it had works until `until`, too. Returns its record. Rotating twice at once keeps
    /// one of the two: `current` is the hash the caller saw.
    ///
    /// # Errors
    /// `NotFound` when the tenant has no such key, or it has another secret by now.
    pub async fn rotate(
        &self,
        tenant: &TenantId,
        id: &KeyId,
        current: &str,
        secret_hmac: &str,
        until: Timestamp,
    ) -> Result<ApiKey, PortError> {
        let change = Change::of(
            layout::api_key(id),
            "SET #secret_hmac = :new, #previous_hmac = :current, #previous_until = :until",
        )
        .when("#secret_hmac = :current AND attribute_not_exists(#revoked_at)")
        .with(":new", text(secret_hmac))
        .with(":current", text(current))
        .with(":until", number(until.as_millis()));
        self.change("rotate key", tenant, change).await
    }

    async fn change(
        &self,
        operation: &'static str,
        tenant: &TenantId,
        change: Change,
    ) -> Result<ApiKey, PortError> {
        let also = change.condition.text.as_ref().map(|also| format!(" AND {also}"));
        let condition = format!("#tenant = :tenant{}", also.unwrap_or_default());
        let owned = change.when(&condition).with(":tenant", text(tenant.account().as_str()));
        match self.table.update(operation, owned).await? {
            Conditional::Done(item) => from_item(operation, &item),
            Conditional::Refused(_) => Err(PortError::bare(ErrorKind::NotFound, operation)),
        }
    }

    /// Finds the key with this id and secret hash and takes one request from its rate: one write for
    /// a caller below its rate or over it, or whose burst is where it was last `seen`; two for one whose
    /// burst is elsewhere. Exact for any number of concurrent callers, whatever was seen. `None` for an unknown id or another secret, which take nothing, so that
    /// nobody can use up a key by its public half.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn authenticate(
        &self,
        id: &KeyId,
        secret_hmac: &str,
        now: Timestamp,
        seen: Option<Seen>,
    ) -> Result<Option<Authenticated>, PortError> {
        let mut change = match seen {
            Some(seen) if seen.tat > now => within_burst(id, seen.rate_per_minute, now),
            _ => at_rest(id, now),
        };
        for _ in 0..MAX_LOOKS {
            let secret = text(secret_hmac);
            match self.table.update(AUTHENTICATE, change.with(":secret", secret)).await? {
                Conditional::Done(item) => return counted(&item, now).map(Some),
                Conditional::Refused(None) => return Ok(None),
                Conditional::Refused(Some(item)) => {
                    let key: ApiKey = from_item(AUTHENTICATE, &item)?;
                    if !key.opens(secret_hmac, now) {
                        return Ok(None);
                    }
                    let verdict = Rate::per_minute(key.rate_per_minute).decide(tat(&item), now);
                    if matches!(verdict, Verdict::Refused { .. }) {
                        return Ok(Some(Authenticated { key, verdict }));
                    }
                    change = match tat(&item) {
                        Some(ahead) if ahead > now => within_burst(id, key.rate_per_minute, now),
                        _ => at_rest(id, now),
                    };
                }
            }
        }
        Err(PortError::new(ErrorKind::Conflict, AUTHENTICATE, "the key kept changing"))
    }
}

/// The request of a key that was quiet: its arrival time restarts at `now`.
fn at_rest(id: &KeyId, now: Timestamp) -> Change {
    Change::of(layout::api_key(id), "SET #tat = :now + #interval_ms")
        .when(&format!("{OPENS} AND (attribute_not_exists(#tat) OR #tat <= :now)"))
        .with(":now", number(now.as_millis()))
}

/// The request of a key that is within its burst: its arrival time moves on from where it is. The
/// change adds up however many callers send it at once, so none has to read first.
fn within_burst(id: &KeyId, rate_per_minute: u32, now: Timestamp) -> Change {
    Change::of(layout::api_key(id), "SET #tat = #tat + #interval_ms")
        .when(&format!("{OPENS} AND #tat > :now AND #tat <= :latest AND #interval_ms = :interval"))
        .with(":now", number(now.as_millis()))
        .with(":latest", number(latest_ms(rate_per_minute, now)))
        .with(":interval", number(interval_ms(rate_per_minute)))
}

/// Returns the key and the verdict on a request that was just counted.
fn counted(item: &Item, now: Timestamp) -> Result<Authenticated, PortError> {
    let key: ApiKey = from_item(AUTHENTICATE, item)?;
    let verdict = verdict(item, key.rate_per_minute, now);
    Ok(Authenticated { key, verdict })
}

/// Returns the verdict on the request that an item's arrival time was just moved on for.
pub(crate) fn verdict(item: &Item, rate_per_minute: u32, now: Timestamp) -> Verdict {
    let before = number_in(item, "tat").saturating_sub(interval_ms(rate_per_minute));
    Rate::per_minute(rate_per_minute).decide(Some(Timestamp::from_millis(before)), now)
}

/// Returns the latest arrival time that allows one more request: the new one may be `burst` intervals ahead.
pub(crate) fn latest_ms(rate_per_minute: u32, now: Timestamp) -> u64 {
    now.as_millis() + interval_ms(rate_per_minute) * u64::from(rate_per_minute.max(1) - 1)
}

pub(crate) fn tat(item: &Item) -> Option<Timestamp> {
    item.contains_key("tat").then(|| Timestamp::from_millis(number_in(item, "tat")))
}

/// Returns the time one request takes from the rate: what the rule adds to a fresh state.
pub(crate) fn interval_ms(rate_per_minute: u32) -> u64 {
    let start = Timestamp::from_millis(0);
    match Rate::per_minute(rate_per_minute).decide(None, start) {
        Verdict::Allowed { tat, .. } => tat.as_millis(),
        Verdict::Refused { .. } => unreachable!("a rate allows at least one request"),
    }
}
