//! `lectern backup …`: names, defaults and help texts.

use clap::{Args, Subcommand};
use lectern_core::{
    ids::{BackupId, DocumentId, RestoreId},
    retention::Retention,
};

/// `lectern backup …`.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Back everything up, or go on with a backup that was interrupted
    Create {
        /// Leave files as they were uploaded out: what answers is in the backup all the same
        #[arg(long)]
        no_originals: bool,
    },
    /// List the backups, newest first; also those whose records were lost with the data directory
    List {
        /// Most of them, 1 to 100
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
    },
    /// Show what a backup holds
    Show {
        /// Its id, or `latest`
        #[arg(value_name = "BACKUP", value_parser = Which::parse)]
        backup: Which,
    },
    /// Look whether everything a backup needs is there; exits with 1 when it is not
    Verify {
        /// Its id, or `latest`
        #[arg(value_name = "BACKUP", value_parser = Which::parse)]
        backup: Which,
        /// Read every byte, too
        #[arg(long, conflicts_with = "read_data_subset")]
        read_data: bool,
        /// Read so much of it, others each time: 10%
        #[arg(long, value_name = "PERCENT", value_parser = percent)]
        read_data_subset: Option<u8>,
    },
    /// Restore a backup beside what is there, compare the two, and switch to it
    Restore {
        /// Its id, or `latest`
        #[arg(value_name = "BACKUP", value_parser = Which::parse)]
        backup: Which,
        /// Only say what would change
        #[arg(long, conflicts_with = "beside")]
        dry_run: bool,
        /// Do not switch to it yet: `lectern backup switch` does
        #[arg(long)]
        beside: bool,
    },
    /// List the restorations, newest first
    Restorations,
    /// Make a restoration that is ready answer
    Switch {
        /// Its id
        #[arg(value_name = "RESTORATION")]
        restoration: RestoreId,
    },
    /// Keep a restoration, and remove what it took the place of
    Confirm {
        /// Its id
        #[arg(value_name = "RESTORATION")]
        restoration: RestoreId,
    },
    /// Go back to what was there before a restoration, and remove what was restored
    Undo {
        /// Its id
        #[arg(value_name = "RESTORATION")]
        restoration: RestoreId,
    },
    /// Remove a restoration that never answered
    Discard {
        /// Its id
        #[arg(value_name = "RESTORATION")]
        restoration: RestoreId,
    },
    /// Erase a deleted document from all backups: each stays the backup of the same moment, without it
    Erase {
        /// The document's id
        #[arg(value_name = "DOCUMENT")]
        document: DocumentId,
    },
    /// Remove old backups, and what no other backup needs; without options one of each of 30 days stays
    Prune(PruneArguments),
    /// Restore the newest backup beside what is there, compare it, and remove it again
    Drill,
}

/// `lectern backup prune`.
#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    /// Keep the newest N
    #[arg(long, value_name = "N")]
    pub(crate) keep_last: Option<usize>,
    /// Keep the newest of each of N days
    #[arg(long, value_name = "N")]
    pub(crate) keep_daily: Option<usize>,
    /// Keep the newest of each of N weeks
    #[arg(long, value_name = "N")]
    pub(crate) keep_weekly: Option<usize>,
    /// Keep the newest of each of N months
    #[arg(long, value_name = "N")]
    pub(crate) keep_monthly: Option<usize>,
    /// Keep the newest of each of N years
    #[arg(long, value_name = "N")]
    pub(crate) keep_yearly: Option<usize>,
    /// Keep all that are younger: 36h, 14d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) keep_within: Option<u64>,
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl PruneArguments {
    /// Returns the rule that was asked for.
    pub(crate) fn retention(&self) -> Retention {
        let asked = [
            self.keep_last,
            self.keep_daily,
            self.keep_weekly,
            self.keep_monthly,
            self.keep_yearly,
        ];
        if asked.iter().all(Option::is_none) && self.keep_within.is_none() {
            return Retention::default();
        }
        let [last, daily, weekly, monthly, yearly] = asked.map(Option::unwrap_or_default);
        let within_seconds = self.keep_within.unwrap_or_default();
        Retention { last, daily, weekly, monthly, yearly, within_seconds }
    }
}

/// Which backup is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The newest complete one.
    Latest,
    /// This one.
    Of(BackupId),
}

impl Which {
    fn parse(raw: &str) -> Result<Self, String> {
        match raw {
            "latest" => Ok(Self::Latest),
            id => id.parse().map(Self::Of).map_err(|error| format!("{error}, or `latest`")),
        }
    }
}

fn percent(raw: &str) -> Result<u8, String> {
    match raw.trim_end_matches('%').parse() {
        Ok(percent @ 1..=100) => Ok(percent),
        _ => Err("must be 1% to 100%".into()),
    }
}

fn seconds(raw: &str) -> Result<u64, String> {
    let (number, unit) = raw.split_at(raw.len() - raw.chars().last().map_or(0, char::len_utf8));
    let unit = match unit {
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err("must end with h, d or w".into()),
    };
    let number: u64 = number.parse().map_err(|_| "must be a number of hours, days or weeks")?;
    number.checked_mul(unit).ok_or_else(|| "is too long".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::main_arguments::{Arguments, Command};

    fn parse(line: &str) -> Result<BackupCommand, clap::Error> {
        let arguments = Arguments::try_parse_from(line.split(' '))?;
        let Command::Backup(command) = arguments.command else { panic!("{line}") };
        Ok(command)
    }

    fn retention(line: &str) -> Retention {
        let BackupCommand::Prune(arguments) = parse(line).unwrap() else { panic!("{line}") };
        arguments.retention()
    }

    #[test]
    fn a_rule_replaces_the_default_one() {
        assert_eq!(retention("lectern backup prune"), Retention::default());
        assert_eq!(
            retention("lectern backup prune --keep-last 3 --keep-within 2d"),
            Retention { last: 3, within_seconds: 172_800, ..Retention::none() }
        );
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        for line in [
            "lectern backup verify",
            "lectern backup verify newest",
            "lectern backup verify latest --read-data --read-data-subset 5%",
            "lectern backup verify latest --read-data-subset 0%",
            "lectern backup restore latest --dry-run --beside",
            "lectern backup prune --keep-within 3",
            "lectern backup prune --keep-within 3y",
            "lectern backup list --limit 0",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("lectern backup verify latest --read-data-subset 10%").is_ok());
    }
}
