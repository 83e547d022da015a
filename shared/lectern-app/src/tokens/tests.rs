use std::sync::{
    Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use lectern_core::{errors::ErrorKind, time::Timestamp};
use lectern_testkit::issuer::Signer;
use serde_json::json;

use super::{
    known::{FRESH, PAUSE, STALE},
    *,
};

const ISSUER: &str = "https://login.example.com";
const NOW: u64 = 1_800_000_000;

/// An issuer whose keys, clock and failures are at hand.
struct World {
    published: Arc<Published>,
    hand: Arc<AtomicU64>,
    tokens: Tokens,
}

#[derive(Debug, Default)]
struct Published {
    keys: Mutex<Vec<Value>>,
    is_down: Mutex<bool>,
    asked: AtomicUsize,
}

#[async_trait]
impl IssuerKeys for Published {
    async fn fetch(&self, _issuer: &Issuer) -> Result<Vec<u8>, PortError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if *self.is_down.lock().unwrap() {
            return Err(PortError::bare(ErrorKind::Unavailable, "test"));
        }
        Ok(json!({"keys": *self.keys.lock().unwrap()}).to_string().into_bytes())
    }
}

impl World {
    async fn with(settings: Value) -> Self {
        let published = Arc::new(Published::default());
        let source: Arc<dyn IssuerKeys> = Arc::<Published>::clone(&published);
        Self::of(published, &source, json!([settings])).await
    }

    async fn of(published: Arc<Published>, source: &Arc<dyn IssuerKeys>, issuers: Value) -> Self {
        let tables = Tables::connect("embedded::memory:").await.unwrap();
        tables.ensure().await.unwrap();
        let hand = Arc::new(AtomicU64::new(NOW * 1_000));
        let now = Arc::clone(&hand);
        let clock = Clock::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed)));
        let issuers = issuers.to_string().parse().unwrap();
        Self { published, hand, tokens: Tokens::new(&issuers, source, tables, clock) }
    }

    async fn start(signers: &[&Signer]) -> Self {
        let world = Self::with(settings()).await;
        world.publish(signers.iter().map(|signer| signer.jwk()).collect());
        world
    }

    fn publish(&self, keys: Vec<Value>) {
        *self.published.keys.lock().unwrap() = keys;
    }

    fn set_down(&self, is_down: bool) {
        *self.published.is_down.lock().unwrap() = is_down;
    }

    fn pass(&self, time: std::time::Duration) {
        self.hand.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    fn asked(&self) -> usize {
        self.published.asked.load(Ordering::Relaxed)
    }

    async fn is_admitted(&self, token: &str) -> bool {
        match self.tokens.admit(token).await {
            Ok(_) => true,
            Err(FlowError::Unauthenticated) => false,
            Err(other) => panic!("{other}"),
        }
    }

    fn claims(&self) -> Value {
        let now = self.hand.load(Ordering::Relaxed) / 1_000;
        json!({"iss": ISSUER, "aud": "lectern", "sub": "u-1", "exp": now + 300})
    }
}

fn settings() -> Value {
    json!({"issuer": ISSUER, "audience": "lectern", "tenant": "acme", "permissions": ["query"], "rate_per_minute": 1000})
}

#[tokio::test]
async fn a_token_its_issuer_signed_is_admitted_and_counted() {
    let signer = Signer::new("one");
    let world = World::start(&[&signer]).await;
    let token = signer.sign(&world.claims());
    let first = world.tokens.admit(&token).await.unwrap();
    assert_eq!((first.caller.tenant.as_str(), first.limit, first.remaining), ("acme", 1000, 999));
    let second = world.tokens.admit(&token).await.unwrap();
    assert_eq!((second.remaining, second.caller.key_id), (998, first.caller.key_id));
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn each_subject_has_its_own_rate() {
    let signer = Signer::new("one");
    let mut slow = settings();
    slow["rate_per_minute"] = json!(2);
    let world = World::with(slow).await;
    world.publish(vec![signer.jwk()]);
    let of = |subject: &str| {
        let mut claims = world.claims();
        claims["sub"] = json!(subject);
        signer.sign(&claims)
    };
    let (one, other) = (of("u-1"), of("u-2"));
    for _ in 0..2 {
        assert!(world.is_admitted(&one).await);
    }
    let refused = world.tokens.admit(&one).await.unwrap_err();
    assert!(matches!(refused, FlowError::RateLimited { .. }), "{refused:?}");
    assert!(world.is_admitted(&other).await);
    world.pass(std::time::Duration::from_secs(30));
    assert!(world.is_admitted(&one).await);
}

#[tokio::test]
async fn forged_and_foreign_tokens_are_refused() {
    let (signer, stranger) = (Signer::new("one"), Signer::new("one"));
    let world = World::start(&[&signer]).await;
    let claims = world.claims();
    let header = |changed: Value| {
        let mut header = json!({"typ": "JWT", "alg": "ES256", "kid": "one"});
        for (name, value) in changed.as_object().unwrap() {
            header[name] = value.clone();
        }
        header
    };
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let good = signer.sign(&claims);
    let parts: Vec<&str> = good.split('.').collect();
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let hmac = {
        use hmac::{Hmac, Mac as _};
        // The oldest trick: the public key, which everybody has, as the secret of a symmetric algorithm.
        let message = format!("{}.{}", encode(&header(json!({"alg": "HS256"}))), parts[1]);
        let secret = signer.jwk()["x"].as_str().unwrap().to_owned();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(message.as_bytes());
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let brought = header(json!({"jwk": stranger.jwk()}));
    let tokens = [
        ("signed by somebody else", stranger.sign(&claims)),
        ("by a key it brings along", stranger.sign_with(&brought, &claims)),
        (
            "by a key it points to",
            stranger.sign_with(&header(json!({"jku": "https://evil.example"})), &claims),
        ),
        (
            "with other claims",
            format!("{}.{}.{}", parts[0], encode(&with("sub", json!("u-2"))), parts[2]),
        ),
        ("without a signature", format!("{}.{}.", parts[0], parts[1])),
        ("`none`", format!("{}.{}.", encode(&header(json!({"alg": "none"}))), parts[1])),
        ("symmetric", hmac),
        ("another algorithm", signer.sign_with(&header(json!({"alg": "ES384"})), &claims)),
        ("an algorithm not allowed", signer.sign_with(&header(json!({"alg": "EdDSA"})), &claims)),
        ("an unknown key", signer.sign_with(&header(json!({"kid": "two"})), &claims)),
        ("what must be understood", signer.sign_with(&header(json!({"crit": ["exp"]})), &claims)),
        ("compressed", signer.sign_with(&header(json!({"zip": "DEF"})), &claims)),
        ("a logout token", signer.sign_with(&header(json!({"typ": "logout+jwt"})), &claims)),
        ("another issuer", signer.sign(&with("iss", json!("https://evil.example")))),
        ("another audience", signer.sign(&with("aud", json!("billing")))),
        ("over", signer.sign(&with("exp", json!(NOW - 61)))),
        ("no claims", signer.sign(&json!([]))),
        ("four parts", format!("{good}.x")),
        ("no token", "lectern".to_owned()),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("too long", signer.sign(&with("more", json!("x".repeat(MAX_TOKEN_BYTES))))),
    ];
    for (what, token) in tokens {
        assert!(!world.is_admitted(&token).await, "{what}");
    }
    for part in 0..3 {
        let mut changed: Vec<String> = parts.iter().map(ToString::to_string).collect();
        let middle = changed[part].len() / 2;
        let other = if &changed[part][middle..=middle] == "A" { "B" } else { "A" };
        changed[part].replace_range(middle..=middle, other);
        assert!(!world.is_admitted(&changed.join(".")).await, "a changed character of part {part}");
    }
    for typ in [json!("at+jwt"), json!("application/at+jwt"), json!("jwt")] {
        let token = signer.sign_with(&header(json!({"typ": typ})), &claims);
        assert!(world.is_admitted(&token).await, "{typ}");
    }
}

#[tokio::test]
async fn keys_are_taken_by_name_or_where_there_is_one() {
    let (one, two) = (Signer::new("one"), Signer::new("two"));
    let world = World::start(&[&one, &two]).await;
    let nameless = json!({"alg": "ES256"});
    assert!(world.is_admitted(&two.sign(&world.claims())).await);
    assert!(!world.is_admitted(&one.sign_with(&nameless, &world.claims())).await, "which one?");

    let world = World::start(&[&one]).await;
    assert!(world.is_admitted(&one.sign_with(&nameless, &world.claims())).await);

    let mut for_encryption = one.jwk();
    for_encryption["use"] = json!("enc");
    let mut for_another = one.jwk();
    for_another["alg"] = json!("ES384");
    let mut for_signing = one.jwk();
    for_signing["key_ops"] = json!(["sign"]);
    for jwk in [for_encryption, for_another, for_signing] {
        let world = World::with(settings()).await;
        world.publish(vec![jwk.clone()]);
        assert!(!world.is_admitted(&one.sign(&world.claims())).await, "{jwk}");
    }

    let unreadable = [json!({"kty": "new"}), json!(7), json!({"kty": "RSA", "n": 1, "e": 2})];
    let world = World::with(settings()).await;
    world.publish(unreadable.into_iter().chain([one.jwk()]).collect());
    assert!(world.is_admitted(&one.sign(&world.claims())).await, "others do no harm");
}

#[tokio::test]
async fn a_rotated_key_is_asked_for_and_made_up_ones_are_not() {
    let (one, two) = (Signer::new("one"), Signer::new("two"));
    let world = World::start(&[&one]).await;
    assert!(world.is_admitted(&one.sign(&world.claims())).await);
    world.publish(vec![two.jwk()]);
    assert!(!world.is_admitted(&two.sign(&world.claims())).await, "it was asked just now");
    world.pass(PAUSE);
    assert!(world.is_admitted(&two.sign(&world.claims())).await);
    assert!(!world.is_admitted(&one.sign(&world.claims())).await, "taken back");
    assert_eq!(world.asked(), 2);
    for number in 0..50 {
        let made_up = Signer::new(&format!("made up {number}"));
        assert!(!world.is_admitted(&made_up.sign(&world.claims())).await);
    }
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn keys_outlive_an_issuer_that_is_down_for_a_day() {
    let signer = Signer::new("one");
    let world = World::start(&[&signer]).await;
    assert!(world.is_admitted(&signer.sign(&world.claims())).await);
    world.set_down(true);
    world.pass(FRESH);
    assert!(world.is_admitted(&signer.sign(&world.claims())).await);
    world.pass(STALE - FRESH);
    let refused = world.tokens.admit(&signer.sign(&world.claims())).await.unwrap_err();
    assert!(
        matches!(&refused, FlowError::Port(error) if error.kind == ErrorKind::Unavailable),
        "{refused:?}"
    );
    let again = world.tokens.admit(&signer.sign(&world.claims())).await.unwrap_err();
    assert!(matches!(again, FlowError::Port(_)), "{again:?}");
    world.set_down(false);
    world.pass(PAUSE);
    assert!(world.is_admitted(&signer.sign(&world.claims())).await);
}

#[tokio::test]
async fn many_first_tokens_ask_once() {
    let signer = Signer::new("one");
    let world = World::start(&[&signer]).await;
    let token = signer.sign(&world.claims());
    let admitted = (0..32).map(|_| world.is_admitted(&token));
    assert!(futures::future::join_all(admitted).await.into_iter().all(|is| is));
    assert_eq!(world.asked(), 1);
}

/// The first issuer takes a moment; every other one refuses at once.
#[derive(Debug)]
struct OthersRefuse(Arc<Published>);

#[async_trait]
impl IssuerKeys for OthersRefuse {
    async fn fetch(&self, issuer: &Issuer) -> Result<Vec<u8>, PortError> {
        if issuer.issuer != ISSUER {
            return Err(PortError::bare(ErrorKind::Unavailable, "test"));
        }
        tokio::task::yield_now().await;
        self.0.fetch(issuer).await
    }
}

#[tokio::test]
async fn an_issuer_that_refuses_keeps_no_other_from_warming_up() {
    let signer = Signer::new("one");
    let mut other = settings();
    other["issuer"] = json!("https://other.example.com");
    other["tenant"] = json!("umbrella");
    let published = Arc::new(Published::default());
    let source: Arc<dyn IssuerKeys> = Arc::new(OthersRefuse(Arc::clone(&published)));
    let world = World::of(published, &source, json!([settings(), other])).await;
    world.publish(vec![signer.jwk()]);
    assert!(world.tokens.warm_up().await.is_err());
    assert_eq!(world.asked(), 1, "it was asked to the end");
    assert!(world.is_admitted(&signer.sign(&world.claims())).await);
    assert_eq!(world.asked(), 1, "and need not be again");
}

/// The token of RFC 7515, appendix A.2: what others sign with RSA is read as they mean it.
#[tokio::test]
async fn the_rsa_token_of_the_rfc_is_verified() {
    let token = concat!(
        "eyJhbGciOiJSUzI1NiJ9.",
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7",
        "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4",
        "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K",
        "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv",
        "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB",
        "p0igcN_IoypGlUPQGe77Rw",
    );
    let n = concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp",
        "-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW",
        "vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs",
        "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k",
        "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2",
        "PAcDTW9gb54h4FRWyuXpoQ",
    );
    signature::install();
    let jwk = json!({"kty": "RSA", "n": n, "e": "AQAB"});
    let key = DecodingKey::from_jwk(&serde_json::from_value(jwk).unwrap()).unwrap();
    let header = decode_header(token).unwrap();
    let claims = verified(token, &header, &key).unwrap();
    assert_eq!(claims["iss"], "joe");
    let forged = token.replace("cC4hiU", "cC4hiV");
    assert!(verified(&forged, &header, &key).is_err());
}
