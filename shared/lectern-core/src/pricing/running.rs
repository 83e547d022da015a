//! What answering costs besides models, by estimate: the function that runs, and a part of the index.
//!
//! An estimate is shown and held against no budget: it is what the operator pays, flat or by tiers and without the free
//! ones, not what an account caused to the cent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::PriceTable;

/// Megabytes of a gigabyte, as Lambda counts them (AWS Lambda Developer Guide, "Configure Lambda function memory").
const MEGABYTES_PER_GIGABYTE: f64 = 1_024.0;

/// Lambda bills each begun millisecond (AWS Lambda pricing, "Duration").
const NANOS_PER_MILLI: u128 = 1_000_000;

/// Thousandths of a [`super::MicroDollars`]: a request of a small function costs less than one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoDollars(pub u64);

impl NanoDollars {
    /// Returns dollars, for people and JSON.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact below 9 million dollars")]
    pub fn as_dollars(self) -> f64 {
        self.0 as f64 / 1_000_000_000.0
    }

    /// Returns an amount of dollars that is no less than 0, rounded.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    fn of(dollars: f64) -> Self {
        Self((dollars * 1_000_000_000.0).round() as u64)
    }
}

/// The function that a request runs in, as AWS Lambda bills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its memory setting.
    pub memory_mb: u32,
}

/// What AWS Lambda bills, in dollars, on one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LambdaPrice {
    /// Per second and gigabyte of memory.
    pub gb_second: f64,
    /// Per request.
    pub request: f64,
}

/// AWS Lambda's list prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LambdaPrices {
    /// The page they are from, and of which region and tier they are.
    pub source: String,
    /// Of functions built for ARM.
    pub arm64: LambdaPrice,
    /// Of others.
    pub x86_64: LambdaPrice,
}

impl LambdaPrices {
    /// Returns the price of the architecture this program was built for.
    fn own(&self) -> LambdaPrice {
        if cfg!(target_arch = "aarch64") { self.arm64 } else { self.x86_64 }
    }
}

/// What the index costs, as its operator divides it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexPrice {
    /// Dollars per question. An index has a flat price, so that it is 0 unless the operator says otherwise.
    pub question: f64,
}

/// What answering a question cost besides models, by estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimates {
    /// The function; 0 where nobody bills by the request.
    pub compute: NanoDollars,
    /// The question's part of the index.
    pub index: NanoDollars,
}

impl PriceTable {
    /// Returns what a question costs besides models that was answered in `took` by `function`, if by one: its memory for
    /// each begun millisecond, a request, and the question's part of the index. Not in it: the start of an instance,
    /// provisioned ones, the gateway, the table, storage and traffic.
    #[must_use]
    pub fn estimates(&self, function: Option<Function>, took: Duration) -> Estimates {
        let price = self.lambda.own();
        let compute = function.map(|Function { memory_mb }| {
            let millis = took.as_nanos().div_ceil(NANOS_PER_MILLI);
            let seconds = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
            let gigabytes = f64::from(memory_mb) / MEGABYTES_PER_GIGABYTE;
            NanoDollars::of(gigabytes * seconds.as_secs_f64() * price.gb_second + price.request)
        });
        let index = NanoDollars::of(self.index.question);
        Estimates { compute: compute.unwrap_or_default(), index }
    }

    /// Returns the prices here that are no model's, for a check.
    pub(super) fn of_running(&self) -> [(&'static str, f64); 5] {
        let LambdaPrices { arm64, x86_64, .. } = &self.lambda;
        [
            ("lambda", arm64.gb_second),
            ("lambda", arm64.request),
            ("lambda", x86_64.gb_second),
            ("lambda", x86_64.request),
            ("index", self.index.question),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(json: &str) -> PriceTable {
        PriceTable::overridden(json).unwrap()
    }

    #[test]
    fn a_function_is_billed_by_memory_and_begun_milliseconds_and_once() {
        let table = table(r#"{"lambda":{"gb_second":0.00001,"request":0.0000002}}"#);
        let nanos = |memory_mb, micros| {
            let function = Some(Function { memory_mb });
            table.estimates(function, Duration::from_micros(micros)).compute.0
        };
        assert_eq!(nanos(1_024, 0), 200);
        assert_eq!(nanos(1_024, 1_000_000), 10_200);
        assert_eq!(nanos(512, 1_000_000), 5_200);
        assert_eq!(nanos(1_024, 1), nanos(1_024, 1_000), "a millisecond that is begun is paid");
        assert!(nanos(1_024, 1_001) > nanos(1_024, 1_000));
        let elsewhere = table.estimates(None, Duration::from_secs(9));
        assert_eq!(elsewhere, Estimates::default(), "and nothing where nobody bills");
    }

    #[test]
    fn list_prices_say_where_they_are_from_and_arm_is_cheaper() {
        let LambdaPrices { source, arm64, x86_64 } = PriceTable::built_in().lambda;
        assert!(source.starts_with("https://aws.amazon.com/lambda/pricing/"), "{source}");
        assert!(arm64.gb_second < x86_64.gb_second);
    }

    #[test]
    fn the_index_costs_what_its_operator_says() {
        let took = Duration::from_secs(1);
        assert_eq!(PriceTable::built_in().estimates(None, took).index, NanoDollars(0));
        let table = table(r#"{"index":{"question":0.00025}}"#);
        assert_eq!(table.estimates(None, took).index, NanoDollars(250_000));
        assert!((NanoDollars(250_000).as_dollars() - 0.000_25).abs() < f64::EPSILON);
    }

    #[test]
    fn a_price_under_another_name_or_of_another_form_is_refused() {
        for bad in [
            r#"{"gpt-4o":{"gb_second":1,"request":1}}"#,
            r#"{"gpt-4o":{"question":1}}"#,
            r#"{"lambda":{"question":1}}"#,
            r#"{"index":{"gb_second":1,"request":1}}"#,
            r#"{"lambda":{"prompt":1,"completion":1}}"#,
            r#"{"index":{"embedding":1}}"#,
            r#"{"lambda":{"gb_second":1}}"#,
            r#"{"lambda":{"gb_second":-1,"request":1}}"#,
            r#"{"index":{"question":-1}}"#,
        ] {
            assert!(PriceTable::overridden(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Two requests cost what one of both durations does, and a request more, to the rounding of each.
        #[test]
        fn requests_add_up(memory_mb in 128_u32..=10_240, one in 0_u64..60_000, other in 0_u64..60_000) {
            let table = PriceTable::built_in();
            let of = |millis| {
                let took = Duration::from_millis(millis);
                table.estimates(Some(Function { memory_mb }), took).compute.0
            };
            let apart = of(one) + of(other);
            let together = of(one + other) + of(0);
            prop_assert!(apart.abs_diff(together) <= 20, "{apart} {together}");
        }
    }
}
