//! Bearer tokens: nobody is let in whose token no key of the issuer signed, and nobody's claims give more than was mapped.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use lectern_app::{clock::Clock, errors::FlowError, tokens::Tokens};
use lectern_core::{
    auth::{Credential, Permission},
    errors::{ErrorKind, PortError},
    issuers::{Issuer, Issuers, MAX_GROUPS},
    ports::IssuerKeys,
    time::Timestamp,
};
use lectern_tables::Tables;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

/// When the tokens of the corpus are valid.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// The key of RFC 7515, appendix A.3, whose private half everybody knows and this crate has not.
const ISSUERS: &str = r#"[{
    "issuer": "joe", "audience": "lectern", "tenant_claim": "org", "tenants": {"ours": "acme"},
    "permissions_claim": "scope", "permissions_by_value": {"ask": ["query"]}, "groups_claim": "groups",
    "jwks": {"keys": [{"kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
}]"#;

struct Door {
    runtime: Runtime,
    tokens: Tokens,
    issuer: Issuer,
}

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl IssuerKeys for Nowhere {
    async fn fetch(&self, _issuer: &Issuer) -> Result<Vec<u8>, PortError> {
        Err(PortError::bare(ErrorKind::Unavailable, "fuzz"))
    }
}

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let tables = runtime.block_on(Tables::connect("embedded::memory:")).unwrap();
    let issuers: Issuers = ISSUERS.parse().unwrap();
    let published: Arc<dyn IssuerKeys> = Arc::new(Nowhere);
    let tokens = Tokens::new(&issuers, &published, tables, Clock::new(|| NOW));
    let issuer = issuers.iter().next().unwrap().clone();
    Door { runtime, tokens, issuer }
});

/// What stands after `Bearer`.
pub(crate) fn tokens(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Credential::parse(&text);
    let refused = DOOR.runtime.block_on(DOOR.tokens.admit(&text)).unwrap_err();
    assert!(matches!(refused, FlowError::Unauthenticated), "{refused:?}");
}

/// The claims of a token, as if they had been signed.
pub(crate) fn claims(bytes: &[u8]) {
    let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return };
    let Ok(found) = DOOR.issuer.identify(&claims, NOW) else { return };
    let caller = found.caller;
    assert_eq!(caller.tenant.as_str(), "acme");
    assert!(caller.permissions.iter().all(|permission| *permission == Permission::Query));
    assert!(caller.principals.len() <= MAX_GROUPS + 1);
    assert!(caller.principals[0].starts_with("user:"));
    assert!(caller.principals[1..].iter().all(|group| group.starts_with("group:")));
}
