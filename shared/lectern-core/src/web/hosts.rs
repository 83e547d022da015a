//! Which hosts documents are read from.

use std::str::FromStr;

use thiserror::Error;

/// Most hosts that are listed.
pub const MAX_HOSTS: usize = 100;

/// A text lists no hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "must be `*`, or at most {MAX_HOSTS} hosts like `example.com` or `*.example.com` with commas between them"
)]
pub struct NotHosts;

/// The hosts documents may be read from; none, unless the operator says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Host(String),
    /// Whatever ends in this, which begins with a dot.
    Below(String),
}

impl FromStr for Hosts {
    type Err = NotHosts;

    fn from_str(raw: &str) -> Result<Self, NotHosts> {
        let named = raw.split(',').map(str::trim).filter(|host| !host.is_empty());
        let patterns: Vec<Pattern> = named.map(pattern).collect::<Result<_, _>>()?;
        if patterns.len() > MAX_HOSTS { Err(NotHosts) } else { Ok(Self { patterns }) }
    }
}

fn pattern(raw: &str) -> Result<Pattern, NotHosts> {
    if raw == "*" {
        return Ok(Pattern::Any);
    }
    let (is_below, host) = raw.strip_prefix("*.").map_or((false, raw), |host| (true, host));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if host.is_empty() || !host.bytes().all(allowed) {
        return Err(NotHosts);
    }
    let host = host.to_ascii_lowercase();
    Ok(if is_below { Pattern::Below(format!(".{host}")) } else { Pattern::Host(host) })
}

impl Hosts {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a host, as a parsed address has it, is one of them.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.patterns.iter().any(|pattern| match pattern {
            Pattern::Any => true,
            Pattern::Host(known) => known == host,
            Pattern::Below(end) => host.ends_with(end),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_listed_or_all() {
        let hosts: Hosts = "example.com, *.Example.org".parse().unwrap();
        for (host, fine) in [
            ("example.com", true),
            ("example.com.", true),
            ("a.example.com", false),
            ("example.org", false),
            ("a.example.org", true),
            ("evilexample.org", false),
            ("example.org.evil.com", false),
        ] {
            assert_eq!(hosts.allow(host), fine, "{host}");
        }
        assert!("*".parse::<Hosts>().unwrap().allow("anything.example"));
        assert!("".parse::<Hosts>().unwrap().is_empty());
        assert!(!Hosts::default().allow("example.com"));
        for wrong in ["https://example.com", "a b", "*.", "exa*mple.com", "[::1]"] {
            assert_eq!(wrong.parse::<Hosts>(), Err(NotHosts), "{wrong}");
        }
        assert!(vec!["a.example"; MAX_HOSTS + 1].join(",").parse::<Hosts>().is_err());
    }
}
