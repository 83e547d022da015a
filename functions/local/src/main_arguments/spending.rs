//! `lectern usage` and `lectern budget`.

use std::str::FromStr;

use clap::Args;
use lectern_core::pricing::MicroDollars;

/// `lectern usage`.
#[derive(Debug, Args)]
pub(crate) struct UsageArguments {
    /// First UTC day, 2026-11-01; 30 days before the last without
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// Last UTC day; today without
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
}

/// `lectern budget`.
#[derive(Debug, Args)]
pub(crate) struct BudgetArguments {
    /// Most dollars in a UTC day; `none` takes the limit away
    #[arg(long, value_name = "USD")]
    pub(crate) usd_per_day: Option<Limit>,
    /// Most dollars in a UTC month; `none` takes the limit away
    #[arg(long, value_name = "USD")]
    pub(crate) usd_per_month: Option<Limit>,
    /// Stop all spending at once
    #[arg(long)]
    pub(crate) stop: bool,
    /// Let spending go on
    #[arg(long, conflicts_with = "stop")]
    pub(crate) resume: bool,
}

/// A limit, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Option<MicroDollars>);

impl FromStr for Limit {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        match raw {
            "none" => Ok(Self(None)),
            raw => match raw.parse() {
                Ok(limit) => Ok(Self(Some(limit))),
                Err(error) => Err(format!("{error}, or `none`")),
            },
        }
    }
}
