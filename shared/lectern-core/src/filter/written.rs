//! From JSON to a filter.

use serde::Deserialize;
use serde_json::Value;

use super::{Ends, Filter, Moment};
use crate::ids::DocumentId;

/// A condition as written: which one it is follows from its fields. Read field by field, so that what cannot be
/// read is named by its own pointer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    all: Option<Vec<Filter>>,
    any: Option<Vec<Filter>>,
    not: Option<Box<Filter>>,
    documents: Option<Vec<DocumentId>>,
    field: Option<String>,
    equals: Option<Value>,
    r#in: Option<Vec<Value>>,
    gt: Option<End>,
    gte: Option<End>,
    lt: Option<End>,
    lte: Option<End>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a number, a day like `2026-11-21` or an RFC 3339 instant")]
enum End {
    Number(f64),
    Moment(Moment),
}

impl TryFrom<Written> for Filter {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { all, any, not, documents, field, equals, r#in, gt, gte, lt, lte } = written;
        let ends = Ends { gt, gte, lt, lte };
        let ranges = !ends.is_empty();
        match (all, any, not, documents, field, equals, r#in, ranges) {
            (Some(all), None, None, None, None, None, None, false) => Ok(Self::All { all }),
            (None, Some(any), None, None, None, None, None, false) => Ok(Self::Any { any }),
            (None, None, Some(not), None, None, None, None, false) => Ok(Self::Not { not }),
            (None, None, None, Some(documents), None, None, None, false) => {
                Ok(Self::Documents { documents })
            }
            (None, None, None, None, Some(field), Some(equals), None, false) => {
                Ok(Self::Equals { field, equals })
            }
            (None, None, None, None, Some(field), None, Some(r#in), false) => {
                Ok(Self::In { field, r#in })
            }
            (None, None, None, None, Some(field), None, None, true) => ends.range_of(field),
            _ => Err("must be one of all, any, not, documents, or a field with equals, in or a \
                      range of gt, gte, lt, lte"),
        }
    }
}

impl<T> Ends<T> {
    fn is_empty(&self) -> bool {
        let Self { gt, gte, lt, lte } = self;
        [gt, gte, lt, lte].iter().all(|end| end.is_none())
    }
}

impl Ends<End> {
    /// Returns the range of numbers or of dates that these ends make.
    fn range_of(self, field: String) -> Result<Filter, &'static str> {
        let mut numbers = Ends { gt: None, gte: None, lt: None, lte: None };
        let mut dates = Ends { gt: None, gte: None, lt: None, lte: None };
        for (end, number, date) in [
            (self.gt, &mut numbers.gt, &mut dates.gt),
            (self.gte, &mut numbers.gte, &mut dates.gte),
            (self.lt, &mut numbers.lt, &mut dates.lt),
            (self.lte, &mut numbers.lte, &mut dates.lte),
        ] {
            match end {
                Some(End::Number(value)) => *number = Some(value),
                Some(End::Moment(moment)) => *date = Some(moment),
                None => {}
            }
        }
        match (numbers.is_empty(), dates.is_empty()) {
            (false, true) => Ok(Filter::Range { field, ends: numbers }),
            (true, false) => Ok(Filter::Dates { field, ends: dates }),
            _ => Err("both ends of a range must be numbers, or both dates"),
        }
    }
}
