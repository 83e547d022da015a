//! An OpenID Connect issuer on the loopback, and signers of tokens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

use crate::loopback::Loopback;

/// A key pair that signs tokens with ES256.
#[derive(Debug)]
pub struct Signer {
    kid: String,
    pair: EcdsaKeyPair,
}

impl Signer {
    /// Returns a new one of this name.
    #[must_use]
    pub fn new(kid: &str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self { kid: kid.to_owned(), pair }
    }

    /// Returns its public half (RFC 7517).
    #[must_use]
    pub fn jwk(&self) -> Value {
        // An uncompressed point: 4, then both coordinates.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": BASE64_URL_SAFE_NO_PAD.encode(x), "y": BASE64_URL_SAFE_NO_PAD.encode(y)
        })
    }

    /// Returns a token of these claims.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({"typ": "JWT", "alg": "ES256", "kid": self.kid}), claims)
    }

    /// Returns a token of this header and these claims, whatever the header says signed with ES256.
    #[must_use]
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

#[derive(Debug, Default)]
struct Published {
    issuer: String,
    jwks_uri: String,
    keys: Vec<Value>,
    is_down: bool,
    asked: usize,
}

/// An issuer that publishes its configuration and its keys.
#[derive(Debug)]
pub struct IssuerServer {
    server: Loopback,
    published: Arc<Mutex<Published>>,
}

impl IssuerServer {
    /// Returns one that publishes no keys yet.
    #[must_use]
    pub fn start() -> Self {
        let published = Arc::new(Mutex::new(Published::default()));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/elsewhere", get(async || axum::response::Redirect::temporary("/keys")))
            .with_state(Arc::clone(&published));
        let server = Loopback::start(router);
        let issuer = Self { server, published };
        issuer.change(|published| {
            published.issuer = issuer.server.base_url();
            published.jwks_uri = format!("{}/keys", published.issuer);
        });
        issuer
    }

    /// Returns its identifier.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.base_url()
    }

    /// Publishes these keys instead of those before.
    pub fn publish(&self, keys: Vec<Value>) {
        self.change(|published| published.keys = keys);
    }

    /// Says in its configuration that it is another.
    pub fn pretend(&self, issuer: &str) {
        self.change(|published| published.issuer = issuer.to_owned());
    }

    /// Says that its keys lie elsewhere.
    pub fn point_to(&self, jwks_uri: &str) {
        self.change(|published| published.jwks_uri = jwks_uri.to_owned());
    }

    /// Fails from now on, or no more.
    pub fn set_down(&self, is_down: bool) {
        self.change(|published| published.is_down = is_down);
    }

    /// Returns how often its keys were asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        lock(&self.published).asked
    }

    fn change(&self, change: impl FnOnce(&mut Published)) {
        change(&mut lock(&self.published));
    }
}

type Shared = State<Arc<Mutex<Published>>>;

async fn configuration(State(published): Shared) -> Result<Json<Value>, StatusCode> {
    let published = lock(&published);
    if published.is_down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(json!({"issuer": published.issuer, "jwks_uri": published.jwks_uri})))
}

async fn keys(State(published): Shared) -> Result<Json<Value>, StatusCode> {
    let mut published = lock(&published);
    published.asked += 1;
    if published.is_down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(json!({"keys": published.keys})))
}

fn lock(published: &Mutex<Published>) -> MutexGuard<'_, Published> {
    published.lock().unwrap_or_else(PoisonError::into_inner)
}
