//! Reading many items of one partition, page by page.

use std::collections::HashMap;

use lectern_core::errors::PortError;

use crate::{
    errors::failed,
    item::{Item, text},
    layout::INDEX,
    table::Table,
    transaction::names_in,
};

/// Which sort keys of a partition.
#[derive(Clone, Debug)]
pub(crate) enum Sort {
    /// Those that begin so.
    Prefix(String),
    /// Those from the first to the second, both included.
    Between(String, String),
}

/// Which items of one partition, in which order.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    /// Partition of the table or, with `index`, of the index.
    pub(crate) partition: String,
    /// Which of its items; `None` for all.
    pub(crate) sort: Option<Sort>,
    /// Whether to read the index. It lags behind writes.
    pub(crate) index: bool,
    /// Whether to begin at the end.
    pub(crate) backwards: bool,
    /// Most items of a page, counted before the filter.
    pub(crate) limit: usize,
    /// Key of the item to begin after.
    pub(crate) after: Option<Item>,
    /// Only items whose `state` is this.
    pub(crate) state: Option<&'static str>,
}

impl Range {
    /// The items of `partition` whose sort key begins with `prefix`.
    pub(crate) fn prefixed(partition: String, prefix: &str, limit: usize) -> Self {
        let sort = Some(Sort::Prefix(prefix.to_owned()));
        let (index, backwards, after, state) = (false, false, None, None);
        Self { partition, sort, index, backwards, limit, after, state }
    }

    /// All items of an index partition.
    pub(crate) fn indexed(partition: &str, limit: usize) -> Self {
        let mut range = Self::prefixed(partition.to_owned(), "", limit);
        (range.sort, range.index) = (None, true);
        range
    }
}

/// Some items of a range, and the key of the last one looked at when there may be more.
pub(crate) type Items = (Vec<Item>, Option<Item>);

impl Table {
    /// Reads one page of a range. With a state to filter by it may hold fewer items than the limit,
    /// even none, and yet have a successor.
    pub(crate) async fn range(
        &self,
        operation: &'static str,
        range: &Range,
    ) -> Result<Items, PortError> {
        let call = Box::pin(async {
            let (pk, sk) = if range.index { ("#GSI1PK", "#GSI1SK") } else { ("#PK", "#SK") };
            let mut values = HashMap::from([(":pk".to_owned(), text(&*range.partition))]);
            let mut keys = format!("{pk} = :pk");
            match &range.sort {
                None => {}
                Some(Sort::Prefix(prefix)) => {
                    keys.push_str(&format!(" AND begins_with({sk}, :prefix)"));
                    values.insert(":prefix".to_owned(), text(&**prefix));
                }
                Some(Sort::Between(from, to)) => {
                    keys.push_str(&format!(" AND {sk} BETWEEN :from AND :to"));
                    values.insert(":from".to_owned(), text(&**from));
                    values.insert(":to".to_owned(), text(&**to));
                }
            }
            let filter = range.state.map(|_| "#state = :state");
            if let Some(state) = range.state {
                values.insert(":state".to_owned(), text(state));
            }
            let output = self
                .client
                .query()
                .table_name(&*self.name)
                .set_index_name(range.index.then(|| INDEX.to_owned()))
                .consistent_read(!range.index)
                .set_expression_attribute_names(names_in(&[&keys, filter.unwrap_or_default()]))
                .set_expression_attribute_values(Some(values))
                .key_condition_expression(keys)
                .set_filter_expression(filter.map(str::to_owned))
                .scan_index_forward(!range.backwards)
                .limit(i32::try_from(range.limit.max(1)).unwrap_or(i32::MAX))
                .set_exclusive_start_key(range.after.clone())
                .send()
                .await
                .map_err(failed(operation))?;
            Ok((output.items.unwrap_or_default(), output.last_evaluated_key))
        });
        self.circuit.call_for("query", operation, call).await
    }

    /// Reads pages of a range until `wanted` items are found (there may be more of them then), its
    /// end is reached, or `max_pages` were read.
    pub(crate) async fn ranges(
        &self,
        operation: &'static str,
        mut range: Range,
        wanted: usize,
        max_pages: usize,
    ) -> Result<Items, PortError> {
        let mut found = Vec::new();
        for _ in 0..max_pages {
            let (items, last) = self.range(operation, &range).await?;
            found.extend(items);
            range.after = last;
            if range.after.is_none() || found.len() >= wanted {
                break;
            }
        }
        Ok((found, range.after))
    }
}
