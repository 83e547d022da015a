//! What a provider says is left of its quota, beside each answer (OpenAI API reference, "Rate limits", section "Rate limits in
//! headers"; Azure, Groq, Mistral and gateways before other providers send the same).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use lectern_core::ports::Quota;
use reqwest::header::HeaderMap;

/// How long what was said counts: quotas are of minutes.
pub(crate) const HOLDS: Duration = Duration::from_secs(60);

/// What was said last, of one model. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastQuota(Arc<Mutex<Option<(Instant, Quota)>>>);

impl LastQuota {
    /// Keeps what an answer says, if it says something.
    pub(crate) fn note(&self, headers: &HeaderMap, now: Instant) {
        if let Some(quota) = scarcest(headers) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, quota));
        }
    }

    /// Returns what was said within [`HOLDS`].
    pub(crate) fn known(&self, now: Instant) -> Option<Quota> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| now.saturating_duration_since(*at) < HOLDS).map(|(_, quota)| quota)
    }
}

/// Of requests and tokens, whichever is nearer to its end.
fn scarcest(headers: &HeaderMap) -> Option<Quota> {
    let number = |name: &str, of: &str| -> Option<u64> {
        headers.get(format!("x-ratelimit-{name}-{of}"))?.to_str().ok()?.trim().parse().ok()
    };
    let quota = |of: &str| {
        let quota = Quota { left: number("remaining", of)?, limit: number("limit", of)? };
        Some(quota).filter(|quota| quota.limit > 0)
    };
    let known = ["requests", "tokens"].into_iter().filter_map(quota);
    known.min_by(|one, other| one.share().total_cmp(&other.share()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_scarcer_of_requests_and_tokens_counts_for_a_minute() {
        let (last, now) = (LastQuota::default(), Instant::now());
        assert_eq!(last.known(now), None);
        let said = [
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "499"),
            ("x-ratelimit-limit-tokens", "30000"),
            ("x-ratelimit-remaining-tokens", "3000"),
        ];
        last.note(&headers(&said), now);
        // An answer that says nothing takes nothing back.
        last.note(&headers(&[]), now);
        assert_eq!(last.known(now), Some(Quota { left: 3_000, limit: 30_000 }));
        assert_eq!(last.known(now + HOLDS), None);
        last.note(&headers(&said[..2]), now);
        assert_eq!(last.known(now), Some(Quota { left: 499, limit: 500 }));
    }

    #[test]
    fn what_is_no_quota_is_passed_over() {
        let limit = "x-ratelimit-limit-tokens";
        let left = "x-ratelimit-remaining-tokens";
        for said in [
            &[(limit, "10")][..],
            &[(left, "10")],
            &[(limit, "0"), (left, "0")],
            &[(limit, "-1"), (left, "many")],
        ] {
            assert_eq!(scarcest(&headers(said)), None, "{said:?}");
        }
    }
}
