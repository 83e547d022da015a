use serde_json::json;

use super::*;

const NOW: u64 = 1_800_000_000;

fn parse(settings: &Value) -> Result<Issuers, IssuersError> {
    json!([settings]).to_string().parse()
}

fn settings() -> Value {
    json!({
        "issuer": "https://login.example.com", "audience": "lectern", "tenant": "acme",
        "permissions": ["query"], "permissions_claim": "scope",
        "permissions_by_value": {"docs.write": ["upload"], "ops": ["admin", "backup"]},
        "groups_claim": "groups", "usd_per_day": 2.5
    })
}

fn with(settings: &Value, changed: &Value) -> Value {
    let mut settings = settings.clone();
    for (name, value) in changed.as_object().unwrap() {
        settings[name] = value.clone();
    }
    settings
}

fn issuer(changed: &Value) -> Issuer {
    parse(&with(&settings(), changed)).unwrap().0.remove(0)
}

fn claims(changed: &Value) -> Map<String, Value> {
    let mut claims = json!({
        "iss": "https://login.example.com", "aud": "lectern", "sub": "u-1",
        "exp": NOW + 300, "iat": NOW, "scope": "openid docs.write", "groups": ["hr", "it"]
    });
    for (name, value) in changed.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims.as_object().unwrap().clone()
}

fn identify(issuer: &Issuer, changed: &Value) -> Result<Identity, Refusal> {
    issuer.identify(&claims(changed), Timestamp::from_millis(NOW * 1_000))
}

#[test]
fn claims_become_tenant_permissions_and_principals() {
    let Identity { caller, rate_per_minute } = identify(&issuer(&json!({})), &json!({})).unwrap();
    assert_eq!(caller.tenant.as_str(), "acme");
    assert_eq!(caller.permissions, [Permission::Query, Permission::Upload]);
    assert_eq!(caller.principals, ["user:u-1", "group:hr", "group:it"]);
    assert_eq!(caller.limits.per_day, Some(MicroDollars(2_500_000)));
    assert_eq!((caller.collections, rate_per_minute), (None, 100));
    let of = |subject| KeyId::of_subject("https://login.example.com", "acme", subject);
    assert_eq!(caller.key_id, Some(of("u-1")));
    assert_ne!(of("u-1"), of("u-2"));
    assert_ne!(KeyId::of_subject("a", "bc", "d"), KeyId::of_subject("ab", "c", "d"));
}

#[test]
fn what_is_wrong_is_refused() {
    let refused = [
        (json!({"iss": "https://login.example.com/"}), Refusal::Issuer),
        (json!({"iss": null}), Refusal::Issuer),
        (json!({"iss": ["https://login.example.com"]}), Refusal::Issuer),
        (json!({"aud": null}), Refusal::Audience),
        (json!({"aud": "lectern2"}), Refusal::Audience),
        (json!({"aud": []}), Refusal::Audience),
        (json!({"aud": ["other", 1]}), Refusal::Audience),
        (json!({"exp": null}), Refusal::Times),
        (json!({"exp": "1900000000"}), Refusal::Times),
        (json!({"exp": -1}), Refusal::Times),
        (json!({"exp": 1e300}), Refusal::Times),
        (json!({"nbf": "soon"}), Refusal::Times),
        (json!({"iat": [NOW]}), Refusal::Times),
        (json!({"exp": NOW - 60}), Refusal::Expired),
        (json!({"nbf": NOW + 61}), Refusal::NotYet),
        (json!({"iat": NOW + 61}), Refusal::NotYet),
        (json!({"exp": NOW + 86_400 + 61}), Refusal::LivesTooLong),
        (json!({"exp": u64::MAX}), Refusal::LivesTooLong),
        (json!({"exp": NOW + 90_000, "iat": null}), Refusal::LivesTooLong),
        (json!({"sub": null}), Refusal::Subject),
        (json!({"sub": ""}), Refusal::Subject),
        (json!({"sub": 7}), Refusal::Subject),
        (json!({"sub": "x".repeat(MAX_PRINCIPAL_BYTES + 1)}), Refusal::Subject),
        (json!({"groups": [1]}), Refusal::Groups),
        (json!({"groups": [""]}), Refusal::Groups),
        (json!({"groups": vec!["g"; MAX_GROUPS + 1]}), Refusal::Groups),
    ];
    let issuer = issuer(&json!({}));
    for (changed, reason) in refused {
        assert_eq!(identify(&issuer, &changed), Err(reason), "{changed}");
    }
    let taken = [
        json!({"aud": ["other", "lectern"]}),
        json!({"exp": NOW - 59}),
        json!({"exp": 1_800_000_300.75}),
        json!({"nbf": NOW + 60}),
        json!({"iat": null}),
        json!({"exp": NOW + 86_460}),
        json!({"sub": "x".repeat(MAX_PRINCIPAL_BYTES)}),
        json!({"groups": vec!["g"; MAX_GROUPS]}),
        json!({"groups": "one"}),
        json!({"groups": null}),
    ];
    for changed in taken {
        assert!(identify(&issuer, &changed).is_ok(), "{changed}");
    }
}

#[test]
fn a_tenant_comes_from_the_claim_the_operator_named() {
    let named = json!({"tenant": null, "tenant_claim": "org"});
    let tenant = |issuer: &Issuer, org: Value| {
        identify(issuer, &json!({"org": org})).map(|found| found.caller.tenant.to_string())
    };
    let by_name = issuer(&named);
    assert_eq!(tenant(&by_name, json!("umbrella")), Ok("umbrella".to_owned()));
    for org in [json!(null), json!(""), json!("Umbrella Inc."), json!("umbrella.2"), json!(["a"])] {
        assert_eq!(tenant(&by_name, org.clone()), Err(Refusal::Tenant), "{org}");
    }
    let tenants = json!({"Umbrella Inc.": "umbrella"});
    let listed = issuer(&json!({"tenant": null, "tenant_claim": "org", "tenants": tenants}));
    assert_eq!(tenant(&listed, json!("Umbrella Inc.")), Ok("umbrella".to_owned()));
    assert_eq!(tenant(&listed, json!("umbrella")), Err(Refusal::Tenant), "it is not listed");
}

#[test]
fn permissions_are_those_the_operator_mapped() {
    let permissions =
        |issuer: &Issuer, changed: Value| identify(issuer, &changed).unwrap().caller.permissions;
    let by_scope = issuer(&json!({}));
    assert_eq!(permissions(&by_scope, json!({"scope": "admin backup"})), [Permission::Query]);
    assert_eq!(permissions(&by_scope, json!({"scope": ["ops"]})).len(), 3);
    assert_eq!(permissions(&by_scope, json!({"scope": 7})), [Permission::Query]);
    let nested = issuer(&json!({"permissions_claim": "/realm_access/roles"}));
    let roles = json!({"realm_access": {"roles": ["docs.write"]}});
    assert_eq!(permissions(&nested, roles), [Permission::Query, Permission::Upload]);
    let by_address = issuer(&json!({"permissions_claim": "https://example.com/roles"}));
    let roles = json!({"https://example.com/roles": ["docs.write"]});
    assert_eq!(permissions(&by_address, roles), [Permission::Query, Permission::Upload]);
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let wrong = [
        json!({"issuer": ""}),
        json!({"audience": ""}),
        json!({"algorithms": []}),
        json!({"algorithms": ["HS256"]}),
        json!({"algorithms": ["none"]}),
        json!({"tenant": null}),
        json!({"tenant_claim": "org"}),
        json!({"tenant": "acme.2"}),
        json!({"tenants": {"a": "acme"}}),
        json!({"permissions": [], "permissions_claim": null, "permissions_by_value": {}}),
        json!({"permissions_claim": null}),
        json!({"rate_per_minute": 0}),
        json!({"rate_per_minute": 60_001}),
        json!({"max_lifetime_seconds": 0}),
        json!({"usd_per_month": -1.0}),
        json!({"secret": "x"}),
        // Keys that are none, and issuers nobody can be asked about.
        json!({"jwks": "https://login.example.com/keys"}),
        json!({"jwks": {}}),
        json!({"jwks": {"keys": []}}),
        json!({"jwks": {"keys": {}}}),
        json!({"jwks": [{"kty": "EC"}]}),
        json!({"issuer": "login.example.com"}),
        json!({"issuer": "https://"}),
        json!({"issuer": "https:///tenant"}),
        json!({"issuer": "http://login.example.com"}),
        json!({"issuer": "http://127.0.0.1.example.com"}),
        json!({"issuer": "http://127.0.0.1@login.example.com"}),
        json!({"issuer": "http://127.0.0.1:80@login.example.com"}),
        json!({"issuer": "http://10.0.0.1"}),
        json!({"issuer": "http://[::2]:80"}),
        json!({"issuer": "ftp://login.example.com"}),
    ];
    for changed in wrong {
        assert!(parse(&with(&settings(), &changed)).is_err(), "{changed}");
    }
    let many = vec![settings(); MAX_ISSUERS + 1];
    assert!(matches!(json!(many).to_string().parse::<Issuers>(), Err(IssuersError::TooMany)));
    let twice = json!([settings(), settings()]).to_string();
    assert!(matches!(twice.parse::<Issuers>(), Err(IssuersError::Twice(_))));
    assert!("".parse::<Issuers>().unwrap().is_empty());
}

/// Whoever chooses a `sub` at one issuer is nobody whom another issuer knows.
#[test]
fn principals_say_which_issuer_they_are_of() {
    let of_customers = issuer(&json!({"principal_prefix": "customer/"}));
    let found = identify(&of_customers, &json!({"sub": "director"})).unwrap();
    assert_eq!(
        found.caller.principals,
        ["user:customer/director", "group:customer/hr", "group:customer/it"]
    );
    let longest = "x".repeat(MAX_PREFIX_BYTES);
    assert!(parse(&with(&settings(), &json!({"principal_prefix": longest}))).is_ok());
    for wrong in [String::new(), "x".repeat(MAX_PREFIX_BYTES + 1)] {
        let refused = parse(&with(&settings(), &json!({"principal_prefix": wrong})));
        assert!(matches!(refused, Err(IssuersError::Issuer { .. })), "{wrong}: {refused:?}");
    }
}

#[test]
fn issuers_that_reach_one_account_tell_their_principals_apart() {
    let any = json!({"tenant": null, "tenant_claim": "org"});
    let several =
        json!({"tenant": null, "tenant_claim": "org", "tenants": {"a": "acme", "u": "umbrella"}});
    let others = json!({"tenant": null, "tenant_claim": "org", "tenants": {"u": "umbrella"}});
    let acme = json!({"tenant": "acme"});
    let together = |one: &Value, other: &Value, prefixes: [Option<&str>; 2]| {
        let mut both = [with(&settings(), one), with(&settings(), other)];
        both[1]["issuer"] = json!("https://customers.example.com");
        for (settings, prefix) in both.iter_mut().zip(prefixes) {
            settings["principal_prefix"] = json!(prefix);
        }
        json!(both).to_string().parse::<Issuers>()
    };
    for (one, other) in [
        (&acme, &acme),
        (&acme, &any),
        (&any, &any),
        (&several, &acme),
        (&several, &others),
        (&others, &any),
    ] {
        let told_apart = together(one, other, [Some("staff/"), Some("customer/")]);
        assert!(told_apart.is_ok(), "{one} {other}: {told_apart:?}");
        for prefixes in [
            [None, None],
            [Some("staff/"), None],
            [None, Some("customer/")],
            [Some("x"), Some("x")],
            // `bc` of the one would be `c` of the other.
            [Some("a"), Some("ab")],
            [Some("ab"), Some("a")],
        ] {
            let refused = together(one, other, prefixes);
            assert!(
                matches!(refused, Err(IssuersError::Alike { .. })),
                "{one} {other} {prefixes:?}: {refused:?}"
            );
        }
    }
    assert!(together(&acme, &others, [None, None]).is_ok(), "no account of both");
}
