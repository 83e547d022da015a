//! `GET /status`: the same as `/ready` and `/v1/status`, for people, in English and Urdu. It has no script and loads nothing.

mod words;

use std::sync::LazyLock;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use lectern_app::{
    health::{Check, Readiness, Status},
    status::{Kept, Level, ServiceStatus},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use self::words::{ENGLISH, URDU, Words};
use crate::Health;

const STYLE: &str = include_str!("page/status.css");
/// How often the page is loaded again, in seconds.
const REFRESH_SECONDS: u32 = 30;

/// The style is named by its hash; nothing else is let (Content Security Policy Level 3, section 2.3.1).
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 is ASCII")
});

/// Returns a page that says how the service is and was: `?lang=en` or `?lang=ur`, else what the browser prefers.
#[utoipa::path(get, path = "/status", tag = "health", params(
    ("lang" = Option<String>, Query, description = "`en` or `ur`"),
), responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn page(
    State(state): State<Health>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> (StatusCode, [(HeaderName, HeaderValue); 3], String) {
    // Whatever else is asked, there is a page.
    let asked = query
        .as_deref()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("lang=")));
    let words = words(asked, &headers);
    let (readiness, status) = tokio::join!(state.health.ready(), state.statuses.status());
    let page = render(words, &readiness, status.as_ref().ok());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(words.tag)),
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
    ];
    (StatusCode::OK, headers, page.into_string())
}

fn words(asked: Option<&str>, headers: &HeaderMap) -> &'static Words {
    let preferred = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let wanted = asked.or(preferred).unwrap_or_default();
    if wanted.trim_start().starts_with("ur") { &URDU } else { &ENGLISH }
}

fn render(words: &Words, readiness: &Readiness, status: Option<&ServiceStatus>) -> Markup {
    let worst = status.map_or(readiness.status, |status| status.status.max(readiness.status));
    html! {
        (DOCTYPE)
        html lang=(words.tag) dir=(words.direction) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content=(REFRESH_SECONDS);
                title { (words.title) " – " (words.overall(worst)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (words.title) }
                    nav aria-label=(words.languages) {
                        a href="?lang=en" lang="en" hreflang="en" { "English" }
                        a href="?lang=ur" lang="ur" hreflang="ur" { "اردو" }
                    }
                }
                main {
                    p.verdict.(class(worst)) role="status" { (words.overall(worst)) }
                    (dependencies(words, &readiness.checks))
                    @match status {
                        Some(status) => (promises(words, status)),
                        None => p { (words.unknown) },
                    }
                }
            }
        }
    }
}

fn dependencies(words: &Words, checks: &[Check]) -> Markup {
    html! {
        section aria-labelledby="now" {
            h2 #now { (words.now) }
            table {
                thead { tr { th scope="col" { (words.part) } th scope="col" { (words.state) } th scope="col" { (words.took) } } }
                tbody {
                    @for check in checks {
                        tr {
                            th scope="row" { (words.dependency(check.name)) }
                            td {
                                span.badge.(class(check.status)) { (words.state_of(check.status)) }
                                @if let Some(detail) = check.detail { " – " bdi lang="en" { (detail) } }
                            }
                            td.number { bdi { (format!("{:.1} ms", check.latency_ms)) } }
                        }
                    }
                }
            }
        }
    }
}

fn promises(words: &Words, status: &ServiceStatus) -> Markup {
    html! {
        section aria-labelledby="promises" {
            h2 #promises { (words.promises) }
            @if let Some(since) = &status.since { p { (words.since) " " time datetime=(since) { bdi { (since) } } } }
            div.wide tabindex="0" role="region" aria-labelledby="promises" {
                table {
                    thead {
                        tr {
                            th scope="col" { (words.promise) }
                            th scope="col" { (words.hour) }
                            th scope="col" { (words.day) }
                            th scope="col" { (words.month) }
                            th scope="col" { (words.budget) }
                        }
                    }
                    tbody { @for level in &status.levels { (promise(words, level)) } }
                }
            }
        }
    }
}

fn promise(words: &Words, level: &Level) -> Markup {
    let left = level.windows["month"].budget_left;
    html! {
        tr {
            th scope="row" { (words.promise_of(level)) }
            @for window in ["hour", "day", "month"] { td.number { (share(words, level, &level.windows[window])) } }
            td.number {
                meter min="0" max="1" low="0.25" optimum="1" value=(format!("{:.3}", left.clamp(0.0, 1.0))) aria-label=(words.budget) {}
                " " bdi { (format!("{:.0} %", left * 100.0)) }
            }
        }
    }
}

fn share(words: &Words, level: &Level, kept: &Kept) -> Markup {
    if kept.total == 0.0 {
        return html! { span.quiet { (words.nothing) } };
    }
    let state = if kept.share >= level.objective { Status::Ok } else { Status::Degraded };
    html! {
        span.badge.(class(state)) { bdi { (format!("{:.2} %", kept.share * 100.0)) } }
        " " span.quiet { bdi { (format!("{:.0}", kept.total)) } }
    }
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Degraded => "degraded",
        Status::Down => "down",
    }
}
