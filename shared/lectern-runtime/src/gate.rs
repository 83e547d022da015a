//! Who is calling. Every route but the static ones and the probes stands behind this gate: it denies
//! by default, and the verified [`Caller`] it leaves in the request is the only source of tenant,
//! permissions and principals.

use std::net::{IpAddr, SocketAddr};

use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use lectern_app::{
    errors::FlowError,
    keys::{Admitted, Keys},
    tokens::Tokens,
    widgets::Widgets,
};
use lectern_core::{
    auth::{Caller, Credential, KEY_PREFIX},
    errors::chain,
    ids::TenantId,
    widget::WIDGET_PREFIX,
};
use lectern_telemetry::stage::Staged as _;
use tracing::warn;

use crate::{
    audit::{Audit, Audited},
    concurrency::Concurrency,
    origins::{Origins, is_local},
    problem::Problem,
};

/// Header that carries a key where `Authorization` cannot.
pub const API_KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");

/// How callers are verified.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Checks API keys.
    pub keys: Keys,
    /// Checks tokens of trusted issuers.
    pub tokens: Tokens,
    /// The tenant whose operator anybody without a credential is. Only for a server on loopback
    /// that was started with `--open`.
    pub open_to: Option<TenantId>,
    /// Whose pages may call.
    pub origins: Origins,
    /// How many requests of one key are worked on at once.
    pub concurrency: Concurrency,
    /// Keeps what was decided.
    pub audit: Audit,
}

/// Lets a request with a valid credential through, with rate headers on the response. What was decided is kept.
async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let address = client_address(&request);
    let audited = gate.audit.begin(&request, address);
    let response = match gate.check_page(&request) {
        Ok(()) => gate.let_through(&audited, address, request, next).await,
        Err(problem) => problem.into_response(),
    };
    audited.answered(&response);
    response
}

impl Gate {
    /// Returns routes that let nobody in who is not verified, and tell browsers whose pages may call them.
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        let admit = middleware::from_fn_with_state(self.clone(), admit);
        // A preflight is a method that no route has, and carries no credential: it is answered before one is asked for.
        routes
            .layer(admit)
            .method_not_allowed_fallback(async || Problem::no_method())
            .layer(self.origins.layer())
    }

    async fn let_through(
        &self,
        audited: &Audited,
        address: Option<IpAddr>,
        mut request: Request,
        next: Next,
    ) -> Response {
        let verifying = self.verify(request.headers(), address).staged("authenticate");
        let admitted = match verifying.await {
            Ok(admitted) => admitted,
            Err(error) => return Problem::from(error).into_response(),
        };
        audited.by(&admitted.caller);
        let held = match self.concurrency.hold(&admitted.caller) {
            Ok(held) => held,
            Err(error) => return Problem::from(error).into_response(),
        };
        request.extensions_mut().insert(audited.clone());
        request.extensions_mut().insert(admitted.caller.clone());
        // Beside the request: nothing runs after the response.
        let (mut response, ()) = tokio::join!(next.run(request), self.witness());
        if admitted.caller.key_id.is_some() {
            rate_headers(response.headers_mut(), &admitted);
        }
        held.until_sent(response)
    }

    /// Tells the table where the audit log ends, now and then.
    async fn witness(&self) {
        let Some(head) = self.audit.to_witness() else { return };
        let heads = self.keys.tables.audit_heads();
        if let Err(error) = heads.keep(&head).await {
            warn!(error = %chain(&error), "failed to keep where the audit log ends");
        }
    }

    /// Refuses what a page may not send.
    fn check_page(&self, request: &Request) -> Result<(), Problem> {
        let refused = |detail| {
            Err(Problem::new(StatusCode::FORBIDDEN, "origin", "Origin not allowed", detail))
        };
        if !self.origins.allow(request) {
            return refused(
                "pages of this origin may not call this API; the operator can allow them, see LECTERN_ALLOWED_ORIGINS",
            );
        }
        let needs_no_key = self.open_to.is_some() && presented(request.headers()).is_none();
        if needs_no_key && !is_local(request) {
            return refused("without a key this server answers to `localhost` only");
        }
        Ok(())
    }

    async fn verify(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<Admitted, FlowError> {
        match (presented(headers), &self.open_to) {
            (Some(text), _) => {
                self.keys.guesses.check(address)?;
                let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
                let admitted = self.admitted(text, address, origin).await;
                if matches!(admitted, Err(FlowError::Unauthenticated)) {
                    self.keys.guesses.count(address);
                }
                admitted
            }
            (None, Some(tenant)) => {
                // A restoration may have made another incarnation live.
                let live = self.keys.tables.tenants().live(tenant).await?;
                Ok(Admitted { caller: Caller::operator(live), limit: 0, remaining: 0 })
            }
            (None, None) => Err(FlowError::Unauthenticated),
        }
    }

    async fn admitted(
        &self,
        text: &str,
        address: Option<IpAddr>,
        origin: Option<&str>,
    ) -> Result<Admitted, FlowError> {
        if text.starts_with(WIDGET_PREFIX) {
            return Widgets { keys: self.keys.clone() }.admit(text, origin).await;
        }
        if !text.starts_with(KEY_PREFIX) && !self.tokens.is_empty() {
            return self.tokens.admit(text).await;
        }
        let credential = Credential::parse(text).map_err(|_| FlowError::Unauthenticated)?;
        self.keys.admit(&credential, address).await
    }
}

/// The address of the client, as a gateway saw it. Headers say nothing of it: a client writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Returns the address of the client: what the gateway saw, or who is at the other end of the connection.
fn client_address(request: &Request) -> Option<IpAddr> {
    let extensions = request.extensions();
    let gateway = extensions.get::<ClientAddress>().map(|client| client.0);
    let peer = || extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    gateway.or_else(peer)
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        // An unreadable header counts as a wrong credential, not as none.
        let text = value.to_str().unwrap_or("");
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        return Some(if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" });
    }
    headers.get(API_KEY_HEADER).map(|value| value.to_str().unwrap_or(""))
}

/// Header fields of draft-ietf-httpapi-ratelimit-headers-07.
fn rate_headers(headers: &mut HeaderMap, admitted: &Admitted) {
    let values = [
        ("ratelimit-limit", admitted.limit),
        ("ratelimit-remaining", admitted.remaining),
        ("ratelimit-reset", 60),
    ];
    for (name, value) in values {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}

/// The verified caller of a request that came through [`admit`].
#[derive(Clone, Debug)]
pub struct Verified(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Verified {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.map(Self).ok_or_else(|| FlowError::Unauthenticated.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_wrong_scheme_is_a_wrong_credential_not_none() {
        assert_eq!(presented(&headers(header::AUTHORIZATION, "Bearer lk_x")), Some("lk_x"));
        assert_eq!(presented(&headers(header::AUTHORIZATION, "bearer  lk_x ")), Some("lk_x"));
        assert_eq!(presented(&headers(header::AUTHORIZATION, "Basic abc")), Some(""));
        assert_eq!(presented(&headers(API_KEY_HEADER, "lk_x")), Some("lk_x"));
        assert_eq!(presented(&HeaderMap::new()), None);
    }
}
