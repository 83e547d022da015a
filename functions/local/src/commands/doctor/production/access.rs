//! Who may call: `keys.…`.

use http::StatusCode;
use lectern_core::time::Timestamp;

use serde_json::Value;

use super::{Finding, Verdict, bodies::Key, facts::asked, place::Place};
use crate::{api::Api, output::harmless};

/// A call that every key may make and nobody else.
const GUARDED: &str = "/v1/collections";
/// Names of keys that are told at most.
const MAX_NAMED: usize = 3;

/// Whether the server takes the operator's key.
pub(super) async fn accepted(place: &Place, api: &Api) -> Finding {
    if place.remote.is_none() {
        return Finding::skipped("a data directory is opened without a key; --api asks a server");
    }
    let answer = asked(api.get_json::<Value>(GUARDED, &[]));
    match answer.await {
        Ok(_) => Finding::ok("the key is accepted"),
        // Of all lines this one is about being let in.
        Err(finding) if finding.verdict == Verdict::Skipped => {
            let next = "pass one with LECTERN_API_KEY; `lectern keys create` makes one";
            Finding::failed(finding.found, next)
        }
        Err(finding) => finding,
    }
}

/// Whether a server lets somebody in who has no key.
pub(super) async fn required(place: &Place) -> Finding {
    let Some(remote) = &place.remote else {
        return Finding::skipped("a data directory does not listen; --api asks a server");
    };
    match asked(Api::Remote(remote.without_key()).get(GUARDED)).await {
        Ok(reply) => judge_stranger(reply.status),
        Err(finding) => finding,
    }
}

fn judge_stranger(status: StatusCode) -> Finding {
    if status == StatusCode::UNAUTHORIZED {
        return Finding::ok("who has no key is refused");
    }
    if status.is_success() {
        let found = "everybody who reaches it is the operator: it was started with --open";
        return Finding::failed(
            found,
            "start `lectern serve` without --open, and give people keys",
        );
    }
    let found = format!("who has no key gets {status}, not 401");
    Finding::failed(found, "see what stands before the server, and its log")
}

/// Whether a key that administers ends by itself.
pub(super) fn admin_expiry(keys: &[Key], now: Timestamp) -> Finding {
    let admins: Vec<&Key> = keys.iter().filter(|key| key.may("admin", now)).collect();
    let endless: Vec<&&Key> = admins.iter().filter(|key| key.is_endless()).collect();
    if endless.is_empty() {
        return Finding::ok(format!("each of {} keys with `admin` ends by itself", admins.len()));
    }
    let names: Vec<String> =
        endless.iter().take(MAX_NAMED).map(|key| format!("`{}`", key.name)).collect();
    let found = format!(
        "{} of {} keys with `admin` never end: {}",
        endless.len(),
        admins.len(),
        harmless(&names.join(", "))
    );
    let next = "PATCH /v1/keys/{id} with `expires_at`, or `lectern keys create NAME --permission admin --expires-in-days 90` and `keys revoke` the old one";
    Finding::attention(found, next)
}

/// Whether the secret under which keys are hashed is its owner's alone.
pub(super) fn pepper(place: &Place) -> Finding {
    let Some(data) = &place.data else {
        return Finding::skipped("the file `pepper` is where the data is: name it with --data");
    };
    let path = data.join("pepper");
    match std::fs::metadata(&path) {
        Ok(metadata) => judge_mode(mode(&metadata)),
        Err(error) => {
            let found = format!("{} cannot be read: {error}", path.display());
            Finding::failed(found, "put the copy back that is kept apart: docs/BACKUPS.md")
        }
    }
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> Option<u32> {
    None
}

fn judge_mode(mode: Option<u32>) -> Finding {
    match mode {
        Some(mode) if mode & 0o077 == 0 => {
            Finding::ok("the secret of the keys is readable by its owner alone")
        }
        Some(mode) => {
            let found =
                format!("others than its owner may read the secret of the keys ({mode:03o})");
            Finding::failed(found, "`chmod 600` the file `pepper` of the data directory")
        }
        None => Finding::skipped("who may read a file is not told here; look at its permissions"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(name: &str, permission: &str, expires_at: Option<&str>, revoked: bool) -> Key {
        let revoked_at = revoked.then_some("2026-01-01T00:00:00Z");
        serde_json::from_value(json!({ "name": name, "permissions": [permission], "expires_at": expires_at, "revoked_at": revoked_at }))
            .unwrap()
    }

    #[test]
    fn a_key_counts_while_it_works() {
        let now = Timestamp::parse_rfc3339("2026-11-23T00:00:00Z").unwrap();
        let (past, ahead) = (Some("2026-11-22T00:00:00Z"), Some("2026-11-24T00:00:00Z"));
        let fine = [
            key("a", "admin", ahead, false),
            key("b", "admin", past, false),
            key("c", "admin", None, true),
            key("d", "query", None, false),
        ];
        let found = admin_expiry(&fine, now);
        assert_eq!(found, Finding::ok("each of 1 keys with `admin` ends by itself"));
        let endless = admin_expiry(&[key("e", "admin", None, false)], now);
        assert_eq!(endless.verdict, Verdict::Attention);
        assert!(endless.found.contains("1 of 1 keys with `admin` never end: `e`"), "{endless:?}");
    }

    #[test]
    fn a_stranger_is_refused_and_nothing_else() {
        assert_eq!(judge_stranger(StatusCode::UNAUTHORIZED).verdict, Verdict::Ok);
        for status in [StatusCode::OK, StatusCode::FORBIDDEN, StatusCode::BAD_GATEWAY] {
            assert_eq!(judge_stranger(status).verdict, Verdict::Failed, "{status}");
        }
    }

    #[test]
    fn the_secret_is_its_owner_s() {
        for (mode, verdict) in [
            (Some(0o600), Verdict::Ok),
            (Some(0o400), Verdict::Ok),
            (Some(0o640), Verdict::Failed),
            (Some(0o604), Verdict::Failed),
            (None, Verdict::Skipped),
        ] {
            assert_eq!(judge_mode(mode).verdict, verdict, "{mode:?}");
        }
    }
}
