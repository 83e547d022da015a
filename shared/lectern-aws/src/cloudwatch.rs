//! Amazon CloudWatch: what all functions of a stack measured, read back.
//!
//! A metric stands there once for each combination of its dimensions, so sums go over a search for all of them (Amazon
//! CloudWatch User Guide, "Using search expressions in graphs"). Each series a query touches is paid for; what was read is
//! told again for [`HOLDS`].

mod queries;
mod text;

use std::{
    collections::HashMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use aws_sdk_cloudwatch::{
    Client,
    primitives::DateTime,
    types::{MetricDataQuery, MetricDataResult, ScanBy},
};
use lectern_core::{
    errors::{ErrorKind, PortError},
    time::Timestamp,
};
use lectern_telemetry::{
    levels::{self, Tally},
    report::{Measured, Report},
    windows::Window,
};
use tokio::sync::Mutex;

use self::queries::{FINE_SECONDS, Sums};
use crate::{client, errors::failed};

/// How long what was read is told again.
pub const HOLDS: Duration = Duration::from_secs(5 * 60);
/// How long metrics are on their way: lines reach CloudWatch Logs, and are read there.
const LAG: Duration = Duration::from_secs(60);
/// Most queries of one call (API reference of `GetMetricData`).
const MAX_QUERIES: usize = 500;
/// Most pages of one answer.
const MAX_PAGES: usize = 20;
const READ: &str = "cloudwatch read";

/// Numbers by the query they answer and what the series is called, oldest first.
type Series = HashMap<String, Vec<(String, Vec<f64>)>>;

/// The metrics of one stack. Clones share what was read.
#[derive(Clone)]
pub struct CloudWatch {
    client: Client,
    stack: Arc<str>,
    report: Arc<Mutex<Option<(Instant, Report)>>>,
    text: Arc<Mutex<Option<(Instant, String)>>>,
}

impl fmt::Debug for CloudWatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CloudWatch").field("stack", &self.stack).finish_non_exhaustive()
    }
}

impl CloudWatch {
    /// Returns the metrics of the stack `stack`. Opens no connection.
    pub async fn connect(stack: &str) -> Self {
        Self::with(Client::new(&client::config().await), stack)
    }

    fn with(client: Client, stack: &str) -> Self {
        Self { client, stack: stack.into(), report: Arc::default(), text: Arc::default() }
    }

    /// Reads series of the time from `begin` to `end`.
    async fn read(
        &self,
        queries: Vec<MetricDataQuery>,
        begin: Timestamp,
        end: Timestamp,
    ) -> Result<Series, PortError> {
        if queries.len() > MAX_QUERIES {
            return Err(PortError::bare(ErrorKind::TooLarge, READ));
        }
        let mut series = Series::new();
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let asked = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(seconds(begin))
                .end_time(seconds(end))
                .scan_by(ScanBy::TimestampAscending)
                .set_next_token(next);
            let page = asked.send().await.map_err(failed(READ))?;
            for result in page.metric_data_results.unwrap_or_default() {
                let MetricDataResult { id, label, values, .. } = result;
                let (id, label) = (id.unwrap_or_default(), label.unwrap_or_default());
                series.entry(id).or_default().push((label, values.unwrap_or_default()));
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(series);
            }
        }
        Err(PortError::new(ErrorKind::TooLarge, READ, "there are more series than are read"))
    }

    async fn read_report(&self, now: Timestamp) -> Result<Report, PortError> {
        let end = before(now, LAG);
        let day = before(end, Duration::from_secs(Window::Day.minutes() * 60));
        let month = before(end, Duration::from_secs(Window::Month.minutes() * 60));
        let (fine, coarse) = tokio::try_join!(
            self.read(queries::of_levels(&self.stack, Sums::Fine), day, end),
            self.read(queries::of_levels(&self.stack, Sums::Coarse), month, end),
        )?;
        let last_hour = usize::try_from(Window::Hour.minutes() * 60 / FINE_SECONDS).unwrap_or(1);
        let tallies = |series: &Series, last: usize| {
            std::array::from_fn(|at| {
                let level = levels::ALL[at];
                let sum = |role| summed(series, &queries::id(role, level), last);
                let (total, part) = (sum(queries::TOTAL), sum(queries::PART));
                let good = if queries::part_is_good(level) { part } else { total - part };
                Tally { total, good: good.clamp(0.0, total) }
            })
        };
        let windows =
            [tallies(&fine, last_hour), tallies(&fine, usize::MAX), tallies(&coarse, usize::MAX)];
        Ok(Report { since: None, windows })
    }
}

#[async_trait]
impl Measured for CloudWatch {
    async fn report(&self, now: Timestamp) -> Result<Report, PortError> {
        let mut known = self.report.lock().await;
        if let Some((at, report)) = &*known
            && at.elapsed() < HOLDS
        {
            return Ok(*report);
        }
        let report = self.read_report(now).await?;
        *known = Some((Instant::now(), report));
        Ok(report)
    }

    async fn exposition(&self, now: Timestamp) -> Result<String, PortError> {
        let mut known = self.text.lock().await;
        if let Some((at, text)) = &*known
            && at.elapsed() < HOLDS
        {
            return Ok(text.clone());
        }
        let end = before(now, LAG);
        let queries = queries::of_instruments(&self.stack);
        let series =
            self.read(queries, before(end, Duration::from_secs(FINE_SECONDS)), end).await?;
        let text = text::exposition(&series);
        *known = Some((Instant::now(), text.clone()));
        Ok(text)
    }
}

/// Adds the last `last` numbers of each series up.
fn summed(series: &Series, id: &str, last: usize) -> f64 {
    let found = series.get(id).into_iter().flatten();
    found.map(|(_, values)| values.iter().rev().take(last).sum::<f64>()).sum()
}

fn before(time: Timestamp, by: Duration) -> Timestamp {
    let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(time.as_millis().saturating_sub(millis))
}

fn seconds(time: Timestamp) -> DateTime {
    DateTime::from_secs(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
