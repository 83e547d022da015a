"""The canary's script, run as it stands in the template, against a server on this machine and moto's Secrets Manager."""

import importlib.util
import json
import sys
import threading
import time
import traceback
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from moto import mock_aws

from scenarios import sources
from translate import ROOT

KEY, GATEWAY_KEY = "KEY-OF-THE-CANARY", "KEY-OF-THE-GATEWAY"
SECRET = {"api_key": KEY, "gateway_key": GATEWAY_KEY}
HEALTHY = (200, {"status": "ok", "version": "0.1.0"})
RESOURCE = sources()["infra/canary.yaml"]["Resources"]["Canary"]["Properties"]


def deep(status="ok", code=200, **checks):
    listed = [{"name": name, "status": state, "took_ms": 3} for name, state in checks.items()]
    return code, {"status": status, "checks": listed}


WELL = deep(table="ok", index="ok", canary="ok")


class Service:
    """Answers as it is told: a status and a body, or a function that writes an answer by itself."""

    def __init__(self):
        self.answers, self.asked = {}, []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                service.asked.append((self.path, dict(self.headers)))
                answer = service.answers[self.path]
                if callable(answer):
                    return answer(self)
                code, body = answer
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/live"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def service():
    service = Service()
    yield service
    service.server.shutdown()
    service.server.server_close()


@pytest.fixture
def script(monkeypatch):
    """The script as a module, with the one of Synthetics that it needs; what it logs stands in `said`."""
    common, said = types.ModuleType("aws_synthetics.common"), []
    common.synthetics_logger = types.SimpleNamespace(info=said.append)
    monkeypatch.setitem(sys.modules, "aws_synthetics", types.ModuleType("aws_synthetics"))
    monkeypatch.setitem(sys.modules, "aws_synthetics.common", common)
    module = types.ModuleType("canary")
    exec(compile(RESOURCE["Code"]["Script"], "canary.py", "exec"), vars(module))
    module.said = said
    return module


@pytest.fixture
def run(script, service, monkeypatch, capfd):
    """Returns a way to run it: whether it succeeded, and all that anybody can read of the run."""

    def run(health=HEALTHY, ready=WELL, secret=SECRET, url=None):
        service.answers = {"/live/health": health, "/live/ready?deep=1": ready}
        monkeypatch.setenv("API_URL", url or service.url)
        with mock_aws():
            text = secret if isinstance(secret, str) else json.dumps(secret)
            secrets = boto3.client("secretsmanager")
            monkeypatch.setenv("KEY_SECRET", secrets.create_secret(Name="canary", SecretString=text)["ARN"])
            try:
                read, succeeded = [script.handler({}, None)], True
            except script.Failure:
                read, succeeded = [traceback.format_exc()], False
        read = "\n".join([*read, *script.said, *capfd.readouterr()])
        for key in (KEY, GATEWAY_KEY):
            assert key not in read, "what a run says has no key"
        return succeeded, read

    return run


def test_the_template_has_the_script_as_it_is():
    path = ROOT / "infra" / "canary" / "inline.py"
    spec = importlib.util.spec_from_file_location("inline", path)
    inline = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inline)
    script = (ROOT / "infra" / "canary" / "canary.py").read_text()
    template = (ROOT / "infra" / "canary.yaml").read_text()
    assert RESOURCE["Code"]["Script"] == script, "run `python infra/canary/inline.py`"
    assert inline.inlined(template, script) == template
    assert inline.inlined(template, "pass\n") != template


def test_it_asks_both_with_the_keys_and_succeeds(run, service, script):
    succeeded, read = run()
    assert succeeded, read
    assert [path for path, _ in service.asked] == ["/live/health", "/live/ready?deep=1"]
    for _, headers in service.asked:
        assert headers["Authorization"] == f"Bearer {KEY}"
        assert headers["x-api-key"] == GATEWAY_KEY
        # The firewall refuses requests without one.
        assert headers["User-Agent"] == "lectern-canary"
    assert script.said == ["GET /health: ok", "GET /ready?deep=1: ok"]


def test_a_gateway_without_keys_gets_none(run, service):
    succeeded, _ = run(secret={"api_key": KEY})
    assert succeeded and all("x-api-key" not in headers for _, headers in service.asked)


def test_what_is_degraded_besides_the_canary_has_other_alarms(run):
    assert run(ready=deep("degraded", table="ok", chat="degraded", canary="ok"))[0]


@pytest.mark.parametrize(
    ("ready", "words"),
    [
        (deep("down", 503, table="down", canary="down"), "status 503, table down, canary down"),
        # Whatever it says of itself: a service that is down answers 503.
        (deep("down", 503, canary="ok"), "status 503"),
        (deep("degraded", canary="degraded"), "canary degraded"),
        (deep("down", canary="down", index="down"), "canary down, index down"),
        (deep(table="ok"), "not one check `canary`"),
        (deep(), "not one check `canary`"),
        ((200, {"status": "ok", "checks": [{"name": "canary", "status": "ok"}] * 2}), "not one check `canary`"),
        ((401, {"type": "urn:lectern:problem:unauthorized", "status": 401}), "status 401, the body is no list of checks"),
        ((502, b"<html>Bad gateway</html>"), "status 502, the body is no list of checks"),
        ((200, b""), "no list of checks"),
        ((200, b"\xff\xfe"), "no list of checks"),
        ((200, b"[" * 60_000), "no list of checks"),
        ((200, []), "no list of checks"),
        ((200, {"status": "fine", "checks": WELL[1]["checks"]}), "no list of checks"),
        ((200, {"status": "ok"}), "no list of checks"),
        ((200, {"status": "ok", "checks": {"canary": "ok"}}), "no list of checks"),
        ((200, {"status": "ok", "checks": [{"name": "canary"}]}), "no list of checks"),
        ((200, {"status": "ok", "checks": [{"name": "canary", "status": "ok", "detail": 7}]}), "no list of checks"),
        ((200, {"status": "ok", "checks": WELL[1]["checks"] * 20}), "no list of checks"),
        ((200, WELL[1] | {"more": "x" * 70_000}), "the body is too long"),
        # What names the key, or anything else that is no name of a check, is not repeated.
        (deep("down", 503, **{KEY: "down", "canary": "ok"}), "status 503, the body is no list of checks"),
        ((200, {"status": KEY, "checks": [{"name": "canary", "status": "down", "detail": KEY}]}), "no list of checks"),
    ],
)
def test_a_question_without_its_answer_fails(run, ready, words):
    succeeded, read = run(ready=ready)
    assert not succeeded
    [said] = [line for line in read.splitlines() if line.startswith("GET /ready?deep=1: ")]
    assert words in said and "GET /health: ok" in read, said


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ((503, {"message": "Service Unavailable"}), "status 503"),
        ((200, {"status": "starting"}), "the body does not say `ok`"),
        ((200, b"<html>ok</html>"), "the body does not say `ok`"),
    ],
)
def test_what_is_not_alive_fails_and_is_asked_its_question_all_the_same(run, service, health, words):
    succeeded, read = run(health=health)
    assert not succeeded and f"GET /health: {words}" in read and "GET /ready?deep=1: ok" in read
    assert len(service.asked) == 2


def test_a_redirect_is_shown_no_key(run, service):
    def elsewhere(request):
        request.send_response(302)
        request.send_header("Location", f"{service.url}/elsewhere")
        request.send_header("Content-Length", "0")
        request.end_headers()

    succeeded, read = run(ready=elsewhere)
    assert not succeeded and "status 302" in read
    assert "/live/elsewhere" not in [path for path, _ in service.asked]


def late(request):
    time.sleep(1.5)


def drop(request):
    """A byte now and then: no single wait is long."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    try:
        for _ in range(30):
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


@pytest.mark.parametrize("ready", [late, drop])
def test_an_answer_that_comes_late_or_never_ends_fails_in_time(run, script, ready):
    script.PROBES = (script.PROBES[0], ("/ready?deep=1", 0.4, script.judge_deep))
    begin = time.monotonic()
    succeeded, read = run(ready=ready)
    assert not succeeded and "GET /ready?deep=1: no whole answer within 0.4 s" in read
    assert time.monotonic() - begin < 1.4


def test_waiting_is_bounded_and_a_run_is_longer_than_all_of_it(script):
    assert [(path, seconds) for path, seconds, _ in script.PROBES] == [("/health", 10), ("/ready?deep=1", 15)]
    call = script.SECRET_CALL
    secret = (1 + call.retries["max_attempts"]) * (call.connect_timeout + call.read_timeout)
    assert secret + sum(seconds for _, seconds, _ in script.PROBES) < RESOURCE["RunConfig"]["TimeoutInSeconds"]


def test_nobody_there_fails(run, service):
    service.server.shutdown()
    service.server.server_close()
    succeeded, read = run()
    assert not succeeded and "GET /health: no answer, ConnectionRefusedError" in read


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        # Secrets Manager takes no empty one.
        " ",
        "{}",
        json.dumps([KEY]),
        {"api_key": ""},
        {"api_key": 7},
        {"key": KEY},
        {"api_key": f"{KEY}\n"},
        {"api_key": f"Bearer {KEY}"},
        {"api_key": f"{KEY}é"},
        {"api_key": KEY, "gateway_key": f"{GATEWAY_KEY}\r\nx: y"},
    ],
)
def test_a_secret_that_is_no_key_is_not_sent_and_not_said(run, service, secret):
    succeeded, read = run(secret=secret)
    assert not succeeded and "the secret is no JSON object with a key as" in read
    assert service.asked == []
