//! API keys.

use ipnet::IpNet;
use lectern_app::{
    errors::FlowError,
    keys::{DEFAULT_RATE_PER_MINUTE, KeyChange, NewKey},
};
use lectern_core::{
    auth::{ApiKey, Permission},
    time::Timestamp,
};
use lectern_runtime::extract::present;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BudgetBody, LimitsBody, budget::changed_dollars};

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermissionBody {
    /// Ask and search.
    Query,
    /// Write and delete documents and collections.
    Upload,
    /// Manage keys and budgets, see usage.
    Admin,
    /// Back up and restore.
    Backup,
    /// Read what the deployment measures of itself; only an operator gives it.
    Monitor,
}

impl From<PermissionBody> for Permission {
    fn from(permission: PermissionBody) -> Self {
        match permission {
            PermissionBody::Query => Self::Query,
            PermissionBody::Upload => Self::Upload,
            PermissionBody::Admin => Self::Admin,
            PermissionBody::Backup => Self::Backup,
            PermissionBody::Monitor => Self::Monitor,
        }
    }
}

impl From<Permission> for PermissionBody {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::Query => Self::Query,
            Permission::Upload => Self::Upload,
            Permission::Admin => Self::Admin,
            Permission::Backup => Self::Backup,
            Permission::Monitor => Self::Monitor,
        }
    }
}

/// Which keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyParams {
    /// Most keys, 1 to 100.
    pub limit: Option<usize>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

/// A key to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKeyBody {
    /// What a person calls it, 1 to 128 bytes.
    #[schema(min_length = 1, max_length = 128)]
    pub name: String,
    /// What it may do; none that your own key has not.
    #[schema(min_items = 1, max_items = 8)]
    pub permissions: Vec<PermissionBody>,
    /// The collections it may touch; `null` for all.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub collections: Option<Vec<String>>,
    /// Whom its holder acts as: what documents' access lists are matched with.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub principals: Vec<String>,
    /// Requests per minute, 1 to 60 000; 100 without.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 60000)]
    pub rate_per_minute: Option<u32>,
    /// Most that may be spent with it.
    #[serde(default)]
    pub budget: LimitsBody,
    /// When it stops working, RFC 3339; never without.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// The networks it may be used from, `192.0.2.0/24`; everywhere when empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub allowed_ips: Vec<String>,
}

impl CreateKeyBody {
    pub(crate) fn parse(self) -> Result<NewKey, FlowError> {
        let collections =
            self.collections.as_deref().map(|ids| parsed(ids, "/collections", str::parse));
        Ok(NewKey {
            name: self.name,
            permissions: self.permissions.into_iter().map(Permission::from).collect(),
            collections: collections.transpose()?,
            principals: self.principals,
            rate_per_minute: self.rate_per_minute.unwrap_or(DEFAULT_RATE_PER_MINUTE),
            limits: self.budget.parse("/budget")?,
            expires_at: self.expires_at.as_deref().map(moment).transpose()?,
            allowed_ips: networks(&self.allowed_ips)?,
        })
    }
}

/// What to change of a key; what is absent stays. Permissions, collections and principals are for good: make another key.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeKeyBody {
    /// What a person calls it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    pub name: Option<String>,
    /// Requests per minute.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 60000)]
    pub rate_per_minute: Option<u32>,
    /// Dollars in a UTC day; `null` takes the limit away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1000000000)]
    pub usd_per_day: Option<Option<f64>>,
    /// Dollars in a UTC month; `null` takes the limit away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1000000000)]
    pub usd_per_month: Option<Option<f64>>,
    /// When it stops working, RFC 3339; `null` for never.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Option<String>>,
    /// The networks it may be used from; everywhere when empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub allowed_ips: Option<Vec<String>>,
}

impl ChangeKeyBody {
    pub(crate) fn parse(self) -> Result<KeyChange, FlowError> {
        let expires_at = self.expires_at.map(|at| at.as_deref().map(moment).transpose());
        Ok(KeyChange {
            name: self.name,
            rate_per_minute: self.rate_per_minute,
            per_day: changed_dollars(self.usd_per_day, "/usd_per_day")?,
            per_month: changed_dollars(self.usd_per_month, "/usd_per_month")?,
            expires_at: expires_at.transpose()?,
            allowed_ips: self.allowed_ips.as_deref().map(networks).transpose()?,
        })
    }
}

/// How a key is rotated.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKeyBody {
    /// How long the old secret works, too: 0 to 2 592 000 s; a day without.
    #[serde(default)]
    #[schema(maximum = 2592000)]
    pub overlap_seconds: Option<u64>,
}

/// A key: everything but its secret, of which only a hash is kept.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct KeyBody {
    /// Its id, the middle of the key.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<PermissionBody>,
    /// The collections it may touch; `null` for all.
    pub collections: Option<Vec<String>>,
    /// Whom its holder acts as.
    pub principals: Vec<String>,
    /// Requests per minute.
    pub rate_per_minute: u32,
    /// Most that may be spent with it.
    pub budget: LimitsBody,
    /// The networks it may be used from; everywhere when empty.
    pub allowed_ips: Vec<String>,
    /// When it was created, RFC 3339.
    pub created_at: String,
    /// When it stops working; `null` for never.
    pub expires_at: Option<String>,
    /// When it was revoked; `null` while it works.
    pub revoked_at: Option<String>,
    /// Until when the secret before the last rotation works, too.
    pub previous_until: Option<String>,
}

impl From<ApiKey> for KeyBody {
    fn from(key: ApiKey) -> Self {
        let rfc3339 = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
        Self {
            id: key.id.into(),
            name: key.name,
            permissions: key.permissions.into_iter().map(PermissionBody::from).collect(),
            collections: key.collections.map(|ids| ids.into_iter().map(String::from).collect()),
            principals: key.principals,
            rate_per_minute: key.rate_per_minute,
            budget: key.limits.into(),
            allowed_ips: key.allowed_ips.iter().map(ToString::to_string).collect(),
            created_at: key.created_at.to_rfc3339(),
            expires_at: rfc3339(key.expires_at),
            revoked_at: rfc3339(key.revoked_at),
            previous_until: rfc3339(key.previous_until),
        }
    }
}

/// A key that was just made or rotated.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CreatedKeyBody {
    /// The key itself, `lk_…`. It is shown this once.
    pub key: String,
    /// What is known of it.
    #[serde(flatten)]
    pub record: KeyBody,
}

/// A key, and what was spent with it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SpentKeyBody {
    /// What is known of it.
    #[serde(flatten)]
    pub record: KeyBody,
    /// What went of its budget.
    pub spending: BudgetBody,
}

/// A page of keys, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct KeysBody {
    /// The keys, revoked ones too.
    pub keys: Vec<KeyBody>,
    /// The cursor of the next page; `null` at the end.
    pub next: Option<String>,
}

fn networks(texts: &[String]) -> Result<Vec<IpNet>, FlowError> {
    parsed(texts, "/allowed_ips", |text| {
        // An address alone is a network of one.
        let alone = || text.parse().map(|address: std::net::IpAddr| IpNet::from(address));
        text.parse()
            .or_else(|_| alone())
            .map_err(|_| "must be an address or a network, `192.0.2.0/24`")
    })
}

pub(super) fn parsed<T, E: ToString>(
    texts: &[String],
    pointer: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, FlowError> {
    let each = texts.iter().enumerate().map(|(place, text)| {
        parse(text)
            .map_err(|error| FlowError::field(&format!("{pointer}/{place}"), error.to_string()))
    });
    each.collect()
}

fn moment(text: &str) -> Result<Timestamp, FlowError> {
    let parsed = Timestamp::parse_rfc3339(text);
    parsed.ok_or_else(|| FlowError::field("/expires_at", "must be a time, `2027-01-31T00:00:00Z`"))
}
