//! `POST /v1/widget-tokens`.

use std::time::Duration;

use axum::{Json as JsonBody, extract::State, http::StatusCode};
use lectern_app::{
    errors::FlowError,
    widgets::{NewWidgetToken, Widgets, authorize},
};
use lectern_core::widget::DEFAULT_LIFETIME;
use lectern_runtime::{extract::Json, gate::Verified, problem::Problem};
use secrecy::ExposeSecret as _;

use crate::{
    Admin,
    contract::{CreateWidgetTokenBody, WidgetTokenBody},
};

/// Makes a token for a page that asks questions in its visitors' browsers: it asks and does nothing else, works from the pages of
/// one origin, which must be one of `LECTERN_ALLOWED_ORIGINS`, lives for minutes, and ends with the key it is made with. Wants an
/// API key with the permission `query`: ask for it where the key is safe, in the page's own server.
#[utoipa::path(post, path = "/v1/widget-tokens", tag = "admin", request_body = CreateWidgetTokenBody, responses(
    (status = 201, body = WidgetTokenBody),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(state): State<Admin>,
    Verified(caller): Verified,
    Json(body): Json<CreateWidgetTokenBody>,
) -> Result<(StatusCode, JsonBody<WidgetTokenBody>), Problem> {
    authorize(&caller)?;
    if !state.gate.origins.contain(&body.origin) {
        let detail = "must be an origin whose pages may call, see LECTERN_ALLOWED_ORIGINS";
        return Err(FlowError::field("/origin", detail).into());
    }
    let collections = body.collections()?;
    let new = NewWidgetToken {
        origin: body.origin,
        collections,
        visitor: body.visitor,
        lifetime: body.lifetime_seconds.map_or(DEFAULT_LIFETIME, Duration::from_secs),
    };
    let widgets = Widgets { keys: state.gate.keys.clone() };
    let (token, text) = widgets.create(&caller, new).await?;
    let token_text = text.expose_secret().to_owned();
    let expires_at = token.expires_at.to_rfc3339();
    Ok((StatusCode::CREATED, JsonBody(WidgetTokenBody { token: token_text, expires_at })))
}
