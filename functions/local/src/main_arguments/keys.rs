//! `lectern keys …`.

use clap::Subcommand;
use ipnet::IpNet;
use lectern_core::{
    auth::Permission,
    ids::{CollectionId, TenantId},
    pricing::MicroDollars,
};

use crate::compose::LOCAL_TENANT;

/// `lectern keys …`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key and print it; it is never shown again
    Create {
        /// What people call it
        name: String,
        /// What it may do: query, upload, admin, backup, monitor
        #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "query", value_parser = permission)]
        permission: Vec<Permission>,
        /// Requests per minute
        #[arg(long, value_name = "N", default_value_t = lectern_app::keys::DEFAULT_RATE_PER_MINUTE, value_parser = clap::value_parser!(u32).range(1..))]
        rate: u32,
        /// Most dollars that may be spent with it in a UTC day
        #[arg(long, value_name = "USD")]
        usd_per_day: Option<MicroDollars>,
        /// Most dollars that may be spent with it in a UTC month
        #[arg(long, value_name = "USD")]
        usd_per_month: Option<MicroDollars>,
        /// Days after which it stops working
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires_in_days: Option<u32>,
        /// Networks it may be used from, 192.0.2.0/24; everywhere without
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        allowed_ips: Vec<IpNet>,
        /// The collections it may touch; all without
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        collections: Vec<CollectionId>,
        /// Whom its holder acts as: what documents' access lists are matched with
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        principals: Vec<String>,
        /// Whose data it opens; a tenant's collections are its own
        #[arg(long, value_name = "ID", default_value = LOCAL_TENANT)]
        tenant: TenantId,
    },
    /// List the keys
    List {
        /// Whose
        #[arg(long, value_name = "ID", default_value = LOCAL_TENANT)]
        tenant: TenantId,
    },
    /// Give a key another secret and print it; the old one works for a while
    Rotate {
        /// Its id
        id: String,
        /// Hours for which the old secret works, too
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=720))]
        overlap_hours: u64,
        /// Whose it is
        #[arg(long, value_name = "ID", default_value = LOCAL_TENANT)]
        tenant: TenantId,
    },
    /// Make a key stop working, at once
    Revoke {
        /// Its id
        id: String,
        /// Whose it is
        #[arg(long, value_name = "ID", default_value = LOCAL_TENANT)]
        tenant: TenantId,
    },
}

fn permission(raw: &str) -> Result<Permission, String> {
    let named = serde_json::from_value(serde_json::Value::from(raw.trim()));
    named.map_err(|_| "must be query, upload, admin, backup or monitor".to_owned())
}
