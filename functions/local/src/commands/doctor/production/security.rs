//! The audit log, and what stands between callers and the server: `audit.chain`, `tls.used`, `origins.listed`.

use std::time::Duration;

use http::{HeaderValue, header};
use url::{Host, Url};

use super::{
    Finding,
    facts::{asked, refused},
    place::Place,
};
use crate::{api::Api, commands::audit, failure::Failure};

/// How long reading the audit log may take.
const READING_TIME: Duration = Duration::from_secs(120);
/// A page of nobody: `.invalid` is no name (RFC 6761).
const STRANGER: HeaderValue = HeaderValue::from_static("https://page.invalid");

/// Whether the audit log is as it was written.
pub(super) async fn chain(place: &Place, api: &Api) -> Finding {
    let Some(data) = &place.data else {
        let why = "the records are elsewhere: name the data directory with --data, or download them: docs/SECURITY.md#the-audit-log";
        return Finding::skipped(why);
    };
    let reading = audit::flaws(api, crate::compose::audit_directory(data));
    let next = "keep the files and docs/runbooks/security-incident.md; `lectern audit verify` names each flaw";
    match tokio::time::timeout(READING_TIME, reading).await {
        Ok(Ok(found)) if found.flaws.is_empty() => Finding::ok(format!(
            "{} records in {} streams are as they were written",
            found.records, found.streams
        )),
        Ok(Ok(found)) => {
            let first = found.flaws.first().map(ToString::to_string).unwrap_or_default();
            Finding::failed(format!("{} flaws in the audit log: {first}", found.flaws.len()), next)
        }
        Ok(Err(Failure::Api(error))) => refused(&error),
        Ok(Err(failure)) => Finding::failed(failure.message().unwrap_or_default(), next),
        Err(_) => {
            let found = format!("reading it takes more than {} s", READING_TIME.as_secs());
            Finding::attention(found, "`lectern audit verify` takes its time")
        }
    }
}

/// Whether keys travel encrypted.
pub(super) fn tls(place: &Place) -> Finding {
    match &place.remote {
        Some(remote) => judge_address(remote.base_url()),
        None => Finding::skipped("a data directory does not listen; --api asks a server"),
    }
}

fn judge_address(base_url: &str) -> Finding {
    let Ok(url) = base_url.parse::<Url>() else {
        return Finding::failed("the address cannot be read", "correct --api");
    };
    let is_here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "https" {
        Finding::ok("keys and answers travel encrypted")
    } else if is_here {
        Finding::ok(
            "keys and answers stay on this machine; name the public address to see that it is https",
        )
    } else {
        let next = "put a proxy with TLS before it, and use its https:// address";
        Finding::failed("keys and answers travel in the clear: the address is http", next)
    }
}

/// Whether pages of strangers may call from a browser.
pub(super) async fn origins(api: &Api) -> Finding {
    match asked(api.get_with("/v1/collections", header::ORIGIN, STRANGER)).await {
        Ok(reply) => judge_origins(reply.has(&header::ACCESS_CONTROL_ALLOW_ORIGIN)),
        Err(finding) => finding,
    }
}

fn judge_origins(strangers_may: bool) -> Finding {
    if strangers_may {
        let next = "list the origins of your pages in LECTERN_ALLOWED_ORIGINS instead of `*`";
        return Finding::attention("pages of every origin may call it from a browser", next);
    }
    Finding::ok("pages of origins that are not listed may not call it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::production::Verdict;

    #[test]
    fn keys_leave_the_machine_encrypted_or_not_at_all() {
        for (address, verdict) in [
            ("https://api.example.org", Verdict::Ok),
            ("http://127.0.0.1:8080", Verdict::Ok),
            ("http://[::1]:8080", Verdict::Ok),
            ("http://localhost:8080", Verdict::Ok),
            ("http://10.0.0.1:8080", Verdict::Failed),
            ("http://api.example.org", Verdict::Failed),
            ("http://localhost.example.org", Verdict::Failed),
        ] {
            assert_eq!(judge_address(address).verdict, verdict, "{address}");
        }
    }

    #[test]
    fn strangers_want_attention() {
        assert_eq!(judge_origins(true).verdict, Verdict::Attention);
        assert_eq!(judge_origins(false).verdict, Verdict::Ok);
    }
}
