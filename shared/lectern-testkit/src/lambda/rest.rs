//! Events of API Gateway's REST APIs, as its Lambda proxy integration sends them.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{ACCOUNT, REGION};

const API_ID: &str = "a1b2c3d4e5";
const SOURCE_IP: &str = "203.0.113.7";
const USER_AGENT: &str = "lectern-testkit/1.0";
const REQUEST_ID: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";

/// A request on its way through API Gateway.
#[derive(Clone, Debug)]
pub struct RestEvent {
    method: String,
    path: String,
    resource: String,
    stage: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    is_base64: bool,
    source_ip: String,
    request_id: String,
}

impl RestEvent {
    /// Returns a request of stage `prod` without a body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        let headers = [
            ("Accept", "*/*".to_owned()),
            ("Host", format!("{API_ID}.execute-api.{REGION}.amazonaws.com")),
            ("User-Agent", USER_AGENT.to_owned()),
            ("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793".to_owned()),
            ("X-Forwarded-Port", "443".to_owned()),
            ("X-Forwarded-Proto", "https".to_owned()),
        ];
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            resource: path.to_owned(),
            stage: "prod".to_owned(),
            query: Vec::new(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: None,
            is_base64: false,
            source_ip: SOURCE_IP.to_owned(),
            request_id: REQUEST_ID.to_owned(),
        }
    }

    /// Returns a `GET` request.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// Returns a `POST` request.
    #[must_use]
    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// Sets the resource the path belongs to, `/v1/documents/{id}`; without, it is the path itself.
    #[must_use]
    pub fn resource(mut self, resource: &str) -> Self {
        resource.clone_into(&mut self.resource);
        self
    }

    /// Sets the stage.
    #[must_use]
    pub fn stage(mut self, stage: &str) -> Self {
        stage.clone_into(&mut self.stage);
        self
    }

    /// Adds a parameter of the query string, decoded, as API Gateway passes it on.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a header; the first of a name replaces the one every request has.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if ["accept", "host", "user-agent"].contains(&name.to_ascii_lowercase().as_str()) {
            self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        self.header("Authorization", &format!("Bearer {key}"))
    }

    /// Sets the address the client is seen at.
    #[must_use]
    pub fn source_ip(mut self, address: &str) -> Self {
        address.clone_into(&mut self.source_ip);
        self
    }

    /// Sets API Gateway's id of the request.
    #[must_use]
    pub fn request_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.request_id);
        self
    }

    /// Sets the body: text of a media type that API Gateway does not hold for binary.
    #[must_use]
    pub fn text(mut self, content_type: &str, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self.is_base64 = false;
        self.header("Content-Type", content_type)
    }

    /// Sets the body: JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    /// Sets the body: bytes, in base64 as API Gateway sends its binary media types.
    #[must_use]
    pub fn bytes(mut self, content_type: &str, body: &[u8]) -> Self {
        self.body = Some(STANDARD.encode(body));
        self.is_base64 = true;
        self.header("Content-Type", content_type)
    }

    /// Returns the event.
    #[must_use]
    pub fn build(self) -> Value {
        let mut headers = self.headers;
        headers.push(("X-Forwarded-For".to_owned(), self.source_ip.clone()));
        let agent = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
        let identity = json!({
            "cognitoIdentityPoolId": null, "accountId": null, "cognitoIdentityId": null, "caller": null,
            "sourceIp": self.source_ip, "principalOrgId": null, "accessKey": null,
            "cognitoAuthenticationType": null, "cognitoAuthenticationProvider": null, "userArn": null,
            "userAgent": agent.map(|(_, agent)| agent), "user": null,
        });
        let context = json!({
            "resourceId": "x9y8z7",
            "resourcePath": self.resource,
            "httpMethod": self.method,
            "extendedRequestId": "YxTsAGLwFiAEpLQ=",
            "requestTime": "21/Nov/2026:09:30:00 +0000",
            "path": format!("/{}{}", self.stage, self.path),
            "accountId": ACCOUNT,
            "protocol": "HTTP/1.1",
            "stage": self.stage,
            "domainPrefix": API_ID,
            "requestTimeEpoch": 1_795_253_400_000_u64,
            "requestId": self.request_id,
            "identity": identity,
            "domainName": format!("{API_ID}.execute-api.{REGION}.amazonaws.com"),
            "deploymentId": "d4e5f6",
            "apiId": API_ID,
        });
        json!({
            "resource": self.resource,
            "path": self.path,
            "httpMethod": self.method,
            "headers": last_of_each(&headers),
            "multiValueHeaders": all_of_each(&headers),
            "queryStringParameters": last_of_each(&self.query),
            "multiValueQueryStringParameters": all_of_each(&self.query),
            "pathParameters": path_parameters(&self.resource, &self.path),
            "stageVariables": null,
            "requestContext": context,
            "body": self.body,
            "isBase64Encoded": self.is_base64,
        })
    }
}

/// Nothing is `null`, as API Gateway has it.
fn last_of_each(pairs: &[(String, String)]) -> Option<BTreeMap<&str, &str>> {
    let map = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    (!pairs.is_empty()).then(|| map.collect())
}

fn all_of_each(pairs: &[(String, String)]) -> Option<BTreeMap<&str, Vec<&str>>> {
    let mut map: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        map.entry(name).or_default().push(value);
    }
    (!pairs.is_empty()).then_some(map)
}

fn path_parameters(resource: &str, path: &str) -> Option<Map<String, Value>> {
    let mut parameters = Map::new();
    for (template, part) in resource.split('/').zip(path.split('/')) {
        if let Some(name) = template.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            parameters.insert(name.to_owned(), part.into());
        }
    }
    (!parameters.is_empty()).then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_holds_what_the_request_held() {
        let event = RestEvent::new("DELETE", "/v1/documents/7")
            .resource("/v1/documents/{id}")
            .stage("dev")
            .bearer("lk_secret")
            .query("tag", "a b")
            .query("tag", "c")
            .build();
        assert_eq!(event["pathParameters"], json!({"id": "7"}));
        assert_eq!(event["requestContext"]["path"], "/dev/v1/documents/7");
        assert_eq!(event["requestContext"]["resourcePath"], "/v1/documents/{id}");
        assert_eq!(event["queryStringParameters"], json!({"tag": "c"}));
        assert_eq!(event["multiValueQueryStringParameters"], json!({"tag": ["a b", "c"]}));
        assert_eq!(event["headers"]["Authorization"], "Bearer lk_secret");
        assert_eq!(event["multiValueHeaders"]["X-Forwarded-For"], json!([SOURCE_IP]));
        assert_eq!(event["body"], Value::Null);
    }

    #[test]
    fn a_body_is_text_or_base64() {
        let text = RestEvent::post("/v1/query").json(&json!({"question": "?"})).build();
        assert_eq!(text["body"], r#"{"question":"?"}"#);
        assert_eq!(text["isBase64Encoded"], false);
        assert_eq!(text["queryStringParameters"], Value::Null);
        let bytes = RestEvent::post("/v1/documents").bytes("application/pdf", b"%PDF").build();
        assert_eq!(bytes["body"], "JVBERg==");
        assert_eq!(bytes["isBase64Encoded"], true);
    }
}
