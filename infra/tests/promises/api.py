"""The API: routes, streaming, validation, throttles, the gateway's own answers, usage plan."""

import json
import re

from contract import JSON_ROUTES, NAMES, ROUTES, THROTTLED_ROUTES, alias

INTEGRATION = "x-amazon-apigateway-integration"
# Every kind of response that the gateway may give by itself here, and the status it must have.
GATEWAY_RESPONSES = {
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "INVALID_API_KEY": 403,
    "MISSING_AUTHENTICATION_TOKEN": 404,
    "RESOURCE_NOT_FOUND": 404,
    "REQUEST_TOO_LARGE": 413,
    "QUOTA_EXCEEDED": 429,
    "THROTTLED": 429,
    "WAF_FILTERED": 403,
    "INTEGRATION_TIMEOUT": 504,
    "INTEGRATION_FAILURE": 503,
    "DEFAULT_4XX": 403,
    "DEFAULT_5XX": 503,
}


def _body(stack):
    return stack.one("AWS::ApiGateway::RestApi")["Body"]


def _methods(stack):
    """Yields `(path, method, definition)`, without preflights."""
    for path, item in _body(stack)["paths"].items():
        for method, definition in item.items():
            if method != "options":
                yield path, method.upper(), definition


def routes_go_to_their_functions(stack):
    found = {name: set() for name in NAMES}
    for path, method, definition in _methods(stack):
        integration = definition[INTEGRATION]
        assert integration["type"] == "aws_proxy", (path, method)
        [function] = [name for name in NAMES if f"/functions/{alias(name)}/" in integration["uri"]]
        found[function].add((path, method))
    assert found == ROUTES


def streams_all_of_query_and_nothing_else(stack):
    for path, method, definition in _methods(stack):
        integration = definition[INTEGRATION]
        if (path, method) in ROUTES["query"]:
            assert integration.get("responseTransferMode") == "STREAM", (path, method)
            assert "/2021-11-15/" in integration["uri"], (path, method)
            assert integration["uri"].endswith("/response-streaming-invocations"), (path, method)
            assert integration["timeoutInMillis"] == 60_000, (path, method)
        else:
            assert "responseTransferMode" not in integration, (path, method)
            assert integration["uri"].endswith("/invocations"), (path, method)
            assert "timeoutInMillis" not in integration, (path, method)


def wants_json_where_it_is_due_and_judges_it_no_further(stack):
    body = _body(stack)
    # What must be in it Lectern says, with a 422 and a pointer.
    assert body["definitions"] == {"json": {"type": "object"}}
    validators = body["x-amazon-apigateway-request-validators"]
    assert validators["body-and-params"] == {"validateRequestBody": True, "validateRequestParameters": True}
    for path, method, definition in _methods(stack):
        bodies = [given for given in definition.get("parameters", []) if given["in"] == "body"]
        if (path, method) in JSON_ROUTES:
            assert definition["x-amazon-apigateway-request-validator"] == "body-and-params", (path, method)
            assert bodies and all(given["required"] for given in bodies), (path, method)
            assert bodies[0]["schema"] == {"$ref": "#/definitions/json"}, (path, method)
        else:
            assert "x-amazon-apigateway-request-validator" not in definition and not bodies, (path, method)


def answers_preflights(stack):
    origin = stack.parameters["AllowedOrigins"]
    for path, item in _body(stack)["paths"].items():
        preflight = item["options"][INTEGRATION]
        assert preflight["type"] == "mock", path
        headers = preflight["responses"]["default"]["responseParameters"]
        headers = {name.removeprefix("method.response.header."): value for name, value in headers.items()}
        assert headers["Access-Control-Allow-Origin"] == f"'{origin}'", path
        allowed = headers["Access-Control-Allow-Headers"].strip("'").split(",")
        assert allowed == ["content-type", "authorization", "x-api-key", "idempotency-key", "if-match"], path
        methods = set(headers["Access-Control-Allow-Methods"].strip("'").split(","))
        assert methods == {method.upper() for method in item}, path
        # A gateway's key cannot come with a preflight.
        assert "security" not in item["options"], path


def takes_uploads_byte_by_byte(stack):
    types = set(_body(stack)["x-amazon-apigateway-binary-media-types"])
    assert {"multipart/form-data", "application/pdf", "application/octet-stream", "text/plain"} <= types
    # JSON would not be validated, and preflights would fail.
    assert not types & {"*/*", "application/*", "application/json", "application/merge-patch+json"}


def throttles_every_method_and_costly_ones_more(stack):
    settings = stack.one("AWS::ApiGateway::Stage")["MethodSettings"]
    settings = {(setting["ResourcePath"], setting["HttpMethod"]): setting for setting in settings}
    assert set(settings) == THROTTLED_ROUTES | {("/*", "*")}
    everything = settings.pop(("/*", "*"))
    for route, setting in [("all", everything), *settings.items()]:
        assert 0 < float(setting["ThrottlingRateLimit"]) <= 10_000, route
        assert 0 < int(setting["ThrottlingBurstLimit"]) <= 5_000, route
        # Bodies are not for the log.
        assert setting["DataTraceEnabled"] is False, route
    for route, setting in settings.items():
        assert float(setting["ThrottlingRateLimit"]) < float(everything["ThrottlingRateLimit"]), route


def answers_as_lectern_does_when_the_gateway_refuses(stack):
    responses = _body(stack)["x-amazon-apigateway-gateway-responses"]
    assert {kind: int(response["statusCode"]) for kind, response in responses.items()} == GATEWAY_RESPONSES
    for kind, response in responses.items():
        headers = response["responseParameters"]
        headers = {name.removeprefix("gatewayresponse.header."): value for name, value in headers.items()}
        assert headers["Content-Type"] == "'application/problem+json'", kind
        assert headers["Cache-Control"] == "'no-store'", kind
        assert headers["Access-Control-Allow-Origin"] == f"'{stack.parameters['AllowedOrigins']}'", kind
        assert ("Retry-After" in headers) == (GATEWAY_RESPONSES[kind] in (429, 503)), kind
        problem = json.loads(response["responseTemplates"]["application/json"])
        assert set(problem) == {"type", "title", "status", "detail", "instance"}, kind
        assert re.fullmatch("urn:lectern:problem:[a-z-]+", problem["type"]), kind
        assert problem["status"] == GATEWAY_RESPONSES[kind], kind
        assert problem["instance"] == "$context.requestId", kind


def logs_and_traces_requests_without_their_content(stack):
    stage = stack.one("AWS::ApiGateway::Stage")
    assert stage["StageName"] == "live" and stage["TracingEnabled"] is True
    logging = stage["AccessLogSetting"]
    assert logging["DestinationArn"] == "<Logs.AccessLogs.Arn>"
    line = json.loads(logging["Format"])
    assert {"requestId", "ip", "method", "route", "status", "latencyMs"} <= set(line)
    # The route has placeholders where the path has ids; headers and query strings are not available by other names.
    assert not re.search(r"\$context\.(path|authorizer|requestOverride)|\$(input|method)", logging["Format"])


def is_regional(stack):
    api = stack.one("AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["Name"] == "lectern"


def asks_for_gateway_keys_only_with_a_usage_plan(stack):
    wanted = stack.parameters["RequireGatewayKey"] == "true"
    for path, method, definition in _methods(stack):
        assert definition.get("security", []) == ([{"api_key": []}] if wanted else []), (path, method)
    plans = stack.all("AWS::ApiGateway::UsagePlan")
    assert bool(plans) == wanted
    if wanted:
        plan = plans["Usage.Plan"]["Properties"]
        assert plan["ApiStages"] == [{"ApiId": "<Api>", "Stage": "<ApiliveStage>"}]
        assert plan["Quota"] == {"Limit": stack.parameters["UsagePlanRequestsPerMonth"], "Period": "MONTH"}
        assert set(plan["Throttle"]) == {"RateLimit", "BurstLimit"}
        key = stack.one("AWS::ApiGateway::UsagePlanKey")
        assert key == {"UsagePlanId": "<Usage.Plan>", "KeyId": "<Usage.Key>", "KeyType": "API_KEY"}


def has_a_domain_only_when_named_and_only_with_tls_1_2(stack):
    domains = stack.all("AWS::ApiGateway::DomainName")
    name = stack.parameters["DomainName"]
    assert bool(domains) == bool(name)
    if name:
        domain = domains["Domain.Domain"]["Properties"]
        assert domain["SecurityPolicy"] == "TLS_1_2" and domain["DomainName"] == name
        assert domain["RegionalCertificateArn"] == stack.parameters["CertificateArn"]
        mapping = stack.one("AWS::ApiGateway::BasePathMapping")
        assert mapping == {"DomainName": "<Domain.Domain>", "RestApiId": "<Api>", "Stage": "<ApiliveStage>"}
        assert bool(stack.all("AWS::Route53::RecordSet")) == bool(stack.parameters["HostedZoneId"])
    start = f"https://{name}" if name else "https://<Api>.execute-api.eu-central-1.amazonaws.com/<ApiliveStage>"
    assert (stack.output("ApiUrl"), stack.output("ChatUrl")) == (start, f"{start}/")
