//! How often somebody may present what is no key: who guesses keys is slowed down, and costs the table nothing.
//!
//! Counted in memory, by process. Requests with a valid key are limited by the key's own rate and count nothing here.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use lectern_core::{
    limits::{Rate, Verdict},
    time::Timestamp,
};
use quick_cache::sync::Cache;

use crate::{clock::Clock, errors::FlowError};

/// Wrong credentials per minute and address, unless set otherwise.
pub const GUESSES_PER_MINUTE: u32 = 100;
/// Addresses that are remembered; of more, those seen least are forgotten.
const MAX_ADDRESSES: usize = 10_000;
/// Bits of an IPv6 address that tell networks of clients apart: a client has all addresses of a /64 (RFC 6177).
const NETWORK_BITS: u32 = 64;

/// Counts wrong credentials by address.
#[derive(Clone, Debug)]
pub struct Guesses {
    rate: Rate,
    seen: Arc<Cache<IpAddr, Timestamp>>,
    clock: Clock,
}

impl Guesses {
    /// Returns a count of none, which allows so many in a minute.
    #[must_use]
    pub fn new(per_minute: u32, clock: Clock) -> Self {
        let seen = Arc::new(Cache::new(MAX_ADDRESSES));
        Self { rate: Rate::per_minute(per_minute), seen, clock }
    }

    /// Refuses somebody who guessed too often. Without an address nobody is told from another.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn check(&self, address: Option<IpAddr>) -> Result<(), FlowError> {
        match self.decide(address) {
            Some((_, Verdict::Refused { retry_after })) => {
                Err(FlowError::RateLimited { retry_after })
            }
            _ => Ok(()),
        }
    }

    /// Counts a wrong credential. Two that come at the same moment may count as one.
    pub fn count(&self, address: Option<IpAddr>) {
        if let Some((network, Verdict::Allowed { tat, .. })) = self.decide(address) {
            self.seen.insert(network, tat);
        }
    }

    fn decide(&self, address: Option<IpAddr>) -> Option<(IpAddr, Verdict)> {
        let network = network(address?);
        Some((network, self.rate.decide(self.seen.get(&network), self.clock.now())))
    }
}

/// Returns what a client cannot change by itself of its address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> NETWORK_BITS << NETWORK_BITS;
            Ipv6Addr::from_bits(prefix).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_network_that_guesses_too_often_waits_and_others_do_not() {
        let hand = Arc::new(AtomicU64::new(1_000_000));
        let now = Arc::clone(&hand);
        let clock = Clock::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed)));
        let guesses = Guesses::new(GUESSES_PER_MINUTE, clock);
        for host in 0..GUESSES_PER_MINUTE {
            let address = address(&format!("2001:db8::{host:x}"));
            guesses.check(address).unwrap();
            guesses.count(address);
        }
        let refused = guesses.check(address("2001:db8::ffff")).unwrap_err();
        assert!(matches!(refused, FlowError::RateLimited { .. }), "{refused:?}");
        guesses.check(address("2001:db8:0:1::1")).unwrap();
        guesses.check(address("192.0.2.1")).unwrap();
        guesses.check(None).unwrap();
        hand.fetch_add(1_000, Ordering::Relaxed);
        guesses.check(address("2001:db8::1")).unwrap();
    }

    #[test]
    fn an_address_written_as_ipv6_is_the_same() {
        assert_eq!(
            network("::ffff:192.0.2.1".parse().unwrap()),
            "192.0.2.1".parse::<IpAddr>().unwrap()
        );
    }
}
