"""The code in `infra/smoke.yaml`, run with a Lambda and a CodeDeploy that answer as written here."""

import io
import json
import sys
import types

import pytest

from scenarios import sources

NAMES = ("QUERY", "UPLOAD", "INGEST", "HEALTH", "BACKUP", "ADMIN", "SITE")
PROBLEM = {"content-type": "application/problem+json"}


def answer(status, headers, body="{}"):
    return json.dumps({"statusCode": status, "headers": headers, "multiValueHeaders": {}, "body": body}).encode()


def streamed(status, headers, body=b"{}"):
    head = json.dumps({"statusCode": status, "headers": headers, "cookies": []}).encode()
    return head + bytes(8) + body


GOOD = {
    "QUERY": streamed(401, PROBLEM),
    "UPLOAD": answer(401, PROBLEM),
    "INGEST": b'{"batchItemFailures":[]}',
    # As `lambda_http` writes them: only in the other member.
    "HEALTH": json.dumps({"statusCode": 200, "multiValueHeaders": {"Content-Type": ["application/json"]}}).encode(),
    "BACKUP": answer(401, PROBLEM),
    "ADMIN": answer(401, PROBLEM),
    "SITE": answer(200, {"content-type": "text/html; charset=utf-8"}),
}


class Lambda:
    def __init__(self, answers):
        self.answers = answers
        self.events = {}

    def invoke(self, FunctionName, Payload):
        self.events[FunctionName] = json.loads(Payload)
        given = self.answers[FunctionName.removeprefix("arn:").removesuffix(":7")]
        if isinstance(given, Exception):
            raise given
        failed = {"FunctionError": "Unhandled"} if b"errorType" in given else {}
        return {"Payload": io.BytesIO(given), **failed}


class CodeDeploy:
    reported = None

    def put_lifecycle_event_hook_execution_status(self, **report):
        assert self.reported is None
        self.reported = report


def run(monkeypatch, answers):
    clients = {"lambda": Lambda(answers), "codedeploy": CodeDeploy()}
    boto3 = types.ModuleType("boto3")
    boto3.client = lambda name, config: clients[name]
    monkeypatch.setitem(sys.modules, "boto3", boto3)
    for name in NAMES:
        monkeypatch.setenv(name, f"arn:{name}:7")
    module = {}
    code = sources()["infra/smoke.yaml"]["Resources"]["Hook"]["Properties"]["Code"]["ZipFile"]
    exec(compile(code, "infra/smoke.yaml", "exec"), module)
    module["handler"]({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}, None)
    report = clients["codedeploy"].reported
    assert report.pop("deploymentId") == "d-1" and report.pop("lifecycleEventHookExecutionId") == "e-1"
    return report["status"], clients["lambda"].events


def test_good_versions_are_let_through(monkeypatch):
    status, events = run(monkeypatch, GOOD)
    assert status == "Succeeded"
    assert set(events) == {f"arn:{name}:7" for name in NAMES}


def test_only_harmless_things_are_asked(monkeypatch):
    _, events = run(monkeypatch, GOOD)
    for name, event in events.items():
        if name == "arn:INGEST:7":
            assert event == {"Records": []}
            continue
        # Without a key there is nothing to read, spend or change; and what is asked has the form of a REST event.
        assert not {header.lower() for header in event["headers"]} & {"authorization", "x-api-key", "cookie"}
        assert event["requestContext"]["path"] == f"/live{event['path']}"
        assert {"resource", "httpMethod", "multiValueHeaders", "isBase64Encoded", "body"} <= set(event)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("QUERY", streamed(200, {"content-type": "application/json"})),
        ("QUERY", streamed(401, {"content-type": "application/json"})),
        ("QUERY", b""),
        ("UPLOAD", answer(500, PROBLEM)),
        ("UPLOAD", b'{"errorMessage":"exited","errorType":"Runtime.ExitError"}'),
        ("INGEST", b'{"batchItemFailures":[{"itemIdentifier":"x"}]}'),
        ("INGEST", b'{"errorMessage":"missing field","errorType":"Error"}'),
        ("HEALTH", answer(503, {"content-type": "application/json"})),
        ("ADMIN", TimeoutError("read timed out")),
        ("SITE", answer(200, {})),
        ("SITE", b"null"),
    ],
)
def test_a_bad_version_is_sent_back(monkeypatch, name, given):
    status, _ = run(monkeypatch, {**GOOD, name: given})
    assert status == "Failed"
