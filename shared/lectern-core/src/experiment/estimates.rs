//! Estimates with 95 % confidence intervals, from counts and sums.
//!
//! All formulas take questions as independent. Questions of one conversation are not quite, so where
//! conversations are long the intervals are too narrow.

/// 0.975 quantile of the normal distribution: 95 % lie within this many standard deviations.
const Z: f64 = 1.959_963_984_540_054;
/// What lies outside of an interval, both sides together.
const OUTSIDE: f64 = 0.05;

/// Where the true value lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// An estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value measured.
    pub value: f64,
    /// Its interval; none where too little was measured for one.
    pub interval: Option<Interval>,
}

/// Successes among trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// How often it happened.
    pub successes: u64,
    /// How often it could have.
    pub trials: u64,
}

/// Sums over measured numbers, enough for mean and variance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
}

impl Share {
    /// Returns the share with its score interval (Wilson, "Probable inference, the law of succession, and
    /// statistical inference", JASA 1927): (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n). `None` without trials.
    #[must_use]
    pub fn estimate(self) -> Option<Estimate> {
        let (value, interval) = self.wilson()?;
        Some(Estimate { value, interval: Some(interval) })
    }

    /// Returns this share minus `other`, with the interval made of both score intervals (Newcombe, "Interval
    /// estimation for the difference between independent proportions", Statistics in Medicine 1998, method 10):
    /// d − √((p₁−l₁)² + (u₂−p₂)²) to d + √((u₁−p₁)² + (p₂−l₂)²). `None` when one has no trials.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Estimate> {
        let ((one, of_one), (two, of_two)) = (self.wilson()?, other.wilson()?);
        let value = one - two;
        let low = value - (one - of_one.low).hypot(of_two.high - two);
        let high = value + (of_one.high - one).hypot(two - of_two.low);
        Some(Estimate { value, interval: Some(Interval { low, high }) })
    }

    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 questions")]
    fn wilson(self) -> Option<(f64, Interval)> {
        if self.trials == 0 {
            return None;
        }
        let trials = self.trials as f64;
        let share = self.successes.min(self.trials) as f64 / trials;
        let square = Z * Z;
        let centre = share + square / (2.0 * trials);
        let reach = Z * (share * (1.0 - share) / trials + square / (4.0 * trials * trials)).sqrt();
        let scale = 1.0 + square / trials;
        // Rounding must not put an end beyond what a share can be, or beyond the share itself.
        let low = ((centre - reach) / scale).clamp(0.0, share);
        let high = ((centre + reach) / scale).clamp(share, 1.0);
        Some((share, Interval { low, high }))
    }
}

impl Moments {
    /// Returns the mean with its t interval (Student 1908): m ± t(n−1) · s/√n; no interval of one number, `None`
    /// of none.
    #[must_use]
    pub fn estimate(self) -> Option<Estimate> {
        let value = self.mean()?;
        let interval = self
            .variance_of_mean()
            .map(|variance| around(value, student(self.degrees()) * variance.sqrt()));
        Some(Estimate { value, interval })
    }

    /// Returns this mean minus `other`'s, with the interval for unequal variances (Welch, "The generalization of
    /// 'Student's' problem when several different population variances are involved", Biometrika 1947); no interval
    /// when one of them is of one number, `None` when one is of none.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Estimate> {
        let value = self.mean()? - other.mean()?;
        let variances = self.variance_of_mean().zip(other.variance_of_mean());
        let interval = variances.map(|(one, two)| {
            let both = one + two;
            if both == 0.0 {
                return around(value, 0.0);
            }
            // Welch and Satterthwaite's degrees of freedom.
            let spread = one * one / self.degrees() + two * two / other.degrees();
            around(value, student(both * both / spread) * both.sqrt())
        });
        Some(Estimate { value, interval })
    }

    /// Returns the numbers multiplied, for another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let Self { count, sum, squares } = self;
        Self { count, sum: sum * factor, squares: squares * factor * factor }
    }

    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 questions")]
    fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 questions")]
    fn degrees(self) -> f64 {
        self.count.saturating_sub(1) as f64
    }

    /// Returns s²/n; rounding can bring the difference of nearly equal sums below 0.
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 questions")]
    fn variance_of_mean(self) -> Option<f64> {
        if self.count < 2 {
            return None;
        }
        let count = self.count as f64;
        let variance = (self.squares - self.sum * self.sum / count) / self.degrees();
        Some(variance.max(0.0) / count)
    }
}

fn around(value: f64, reach: f64) -> Interval {
    Interval { low: value - reach, high: value + reach }
}

/// Returns the 0.975 quantile of Student's distribution with `degrees` ≥ 1 of freedom (Hill, "Algorithm 396:
/// Student's t-quantiles", CACM 1970), exact for 1 and 2, to 0.1 % between, to six digits above.
fn student(degrees: f64) -> f64 {
    if degrees <= 1.0 {
        return 1.0 / (std::f64::consts::FRAC_PI_2 * OUTSIDE).tan();
    }
    if (degrees - 2.0).abs() < 1e-12 {
        return (2.0 / (OUTSIDE * (2.0 - OUTSIDE)) - 2.0).sqrt();
    }
    let a = 1.0 / (degrees - 0.5);
    let b = 48.0 / (a * a);
    let mut c = ((20_700.0 * a / b - 98.0) * a - 16.0) * a + 96.36;
    let d = ((94.5 / (b + c) - 3.0) / b + 1.0) * (a * std::f64::consts::FRAC_PI_2).sqrt() * degrees;
    let y = (d * OUTSIDE).powf(2.0 / degrees);
    let squared = if y > 0.05 + a {
        // Asymptotic inverse expansion about the normal quantile.
        let x = -Z;
        if degrees < 5.0 {
            c += 0.3 * (degrees - 4.5) * (x + 0.6);
        }
        c += (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b;
        let square = x * x;
        let bend = (((0.4 * square + 6.3) * square + 36.0) * square + 94.5) / c - square - 3.0;
        let y = (bend / b + 1.0) * x;
        (a * y * y).exp_m1()
    } else {
        let tail = (degrees + 6.0) / (degrees * y) - 0.089 * d - 0.822;
        let head = 1.0 / (tail * (degrees + 2.0) * 3.0) + 0.5 / (degrees + 4.0);
        (head * y - 1.0) * (degrees + 1.0) / (degrees + 2.0) + 1.0 / y
    };
    (degrees * squared).sqrt()
}

#[cfg(test)]
mod tests;
