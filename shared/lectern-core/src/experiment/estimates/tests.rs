use proptest::prelude::*;

use super::*;

fn share(successes: u64, trials: u64) -> Share {
    Share { successes, trials }
}

fn moments(numbers: &[f64]) -> Moments {
    let squares = numbers.iter().map(|number| number * number).sum();
    Moments { count: numbers.len() as u64, sum: numbers.iter().sum(), squares }
}

fn assert_near(estimate: Option<Estimate>, value: f64, low: f64, high: f64, within: f64) {
    let found = estimate.unwrap();
    let interval = found.interval.unwrap();
    for (one, other) in [(found.value, value), (interval.low, low), (interval.high, high)] {
        assert!((one - other).abs() < within, "{found:?} is not {value} {low} {high}");
    }
}

#[test]
fn score_intervals_are_those_of_newcombe() {
    // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
    assert_near(share(81, 263).estimate(), 0.3080, 0.2553, 0.3662, 5e-5);
    assert_near(share(15, 148).estimate(), 0.1014, 0.0624, 0.1605, 5e-5);
    assert_near(share(0, 20).estimate(), 0.0, 0.0, 0.1611, 5e-5);
    assert_near(share(1, 29).estimate(), 0.0345, 0.0061, 0.1718, 5e-5);
    assert_eq!(share(0, 0).estimate(), None);
}

#[test]
fn differences_of_shares_are_those_of_newcombe() {
    // Newcombe, "Interval estimation for the difference between independent proportions", 1998, table II, method 10.
    assert_near(share(56, 70).minus(share(48, 80)), 0.2, 0.0524, 0.3339, 5e-5);
    assert_near(share(9, 10).minus(share(3, 10)), 0.6, 0.1705, 0.8090, 5e-5);
    assert_near(share(10, 10).minus(share(0, 10)), 1.0, 0.6075, 1.0, 5e-5);
    assert_eq!(share(1, 2).minus(share(0, 0)), None);
}

#[test]
fn quantiles_are_those_of_the_printed_tables() {
    for (degrees, expected) in [
        (1.0, 12.7062),
        (2.0, 4.3027),
        (3.0, 3.1824),
        (4.0, 2.7764),
        (5.0, 2.5706),
        (9.0, 2.2622),
        (10.0, 2.2281),
        (30.0, 2.0423),
        (120.0, 1.9799),
        (1e9, 1.9600),
    ] {
        let found = student(degrees);
        assert!((found - expected).abs() < 1e-4 * expected, "{degrees}: {found}, not {expected}");
    }
}

#[test]
fn means_and_their_difference_have_t_intervals() {
    // Mean 5, s² 10/3 of four; half width 3.1824 · √(10/12).
    assert_near(moments(&[3.0, 4.0, 6.0, 7.0]).estimate(), 5.0, 2.0949, 7.9051, 1e-3);
    let one = moments(&[7.0]);
    assert_eq!(one.estimate(), Some(Estimate { value: 7.0, interval: None }));
    assert_eq!(moments(&[]).estimate(), None);
    let same = moments(&[2.0, 2.0, 2.0]);
    assert_near(same.estimate(), 2.0, 2.0, 2.0, 1e-12);
    assert_near(same.minus(moments(&[1.0, 1.0])), 1.0, 1.0, 1.0, 1e-12);
    assert_eq!(one.minus(same).unwrap().interval, None);
    // Equal counts and variances: Welch's degrees of freedom are 2(n − 1) = 6, t = 2.4469, √(2 · 10/12) = 1.2910.
    let (high, low) = (moments(&[3.0, 4.0, 6.0, 7.0]), moments(&[1.0, 2.0, 4.0, 5.0]));
    assert_near(high.minus(low), 2.0, -1.1589, 5.1589, 1e-3);
    assert_near(high.scaled(10.0).estimate(), 50.0, 20.949, 79.051, 1e-2);
}

proptest! {
    #[test]
    fn intervals_hold_their_value_and_stay_in_range(
        (one, of_one) in (0_u64..500).prop_flat_map(|trials| (0..=trials, Just(trials))),
        (two, of_two) in (0_u64..500).prop_flat_map(|trials| (0..=trials, Just(trials))),
    ) {
        for found in [share(one, of_one).estimate()].into_iter().flatten() {
            let interval = found.interval.unwrap();
            prop_assert!(0.0 <= interval.low && interval.low <= found.value);
            prop_assert!(found.value <= interval.high && interval.high <= 1.0);
        }
        if let Some(found) = share(one, of_one).minus(share(two, of_two)) {
            let interval = found.interval.unwrap();
            prop_assert!(-1.0 - 1e-9 <= interval.low && interval.low <= found.value);
            prop_assert!(found.value <= interval.high && interval.high <= 1.0 + 1e-9);
        }
    }

    #[test]
    fn quantiles_fall_with_every_degree(degrees in 1.0_f64..1e6, more in 0.01_f64..100.0) {
        // Between 1 and 3 the algorithm is good to 0.1 % only.
        prop_assert!(student(degrees + more) <= student(degrees) * 1.001);
        prop_assert!(student(degrees) >= Z);
    }
}
