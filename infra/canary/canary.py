"""Asks a deployed Lectern from outside whether it is alive, and whether a question of its own gets its answer.

CloudWatch Synthetics runs it; a run fails when `handler` raises. It runs from its copy in infra/canary.yaml, which a test keeps the
same: change it here, then run `python infra/canary/inline.py`.

Nothing that is logged or raised holds the key, or text of an answer: only statuses, and names and states of checks.
"""

import concurrent.futures
import http.client
import json
import os
import re
from urllib.parse import urlsplit

import boto3
from aws_synthetics.common import synthetics_logger as logger
from botocore.config import Config

# Seconds for a whole answer. A first request to /health starts an instance; /ready?deep=1 asks a question.
HEALTH_SECONDS = 10
DEEP_SECONDS = 15
MAX_BODY_BYTES = 65_536
MAX_CHECKS = 32
SECRET_CALL = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 1})
STATES = ("ok", "degraded", "down")
CONNECTIONS = {"https": http.client.HTTPSConnection, "http": http.client.HTTPConnection}
# What may stand in a header, and in the words for a failure.
VISIBLE = re.compile(r"[!-~]{1,512}")
NAME = re.compile(r"[a-z][a-z_-]{0,31}")


class Failure(Exception):
    """Why a run fails, in words that may be logged."""


def headers_of(secret):
    """Returns the headers that a secret's text is meant for: its `api_key`, and its `gateway_key` where there is one."""
    try:
        fields = json.loads(secret)
    except ValueError:
        fields = None
    keys = fields if isinstance(fields, dict) else {}
    headers = {"User-Agent": "lectern-canary", "Accept": "application/json"}
    for field, header, before in (("api_key", "Authorization", "Bearer "), ("gateway_key", "x-api-key", "")):
        key = keys.get(field)
        if key is None and field == "gateway_key":
            continue
        # What may not be in a header would be in the error that says so.
        if not (isinstance(key, str) and VISIBLE.fullmatch(key)):
            raise Failure(f"the secret is no JSON object with a key as `{field}`")
        headers[header] = before + key
    return headers


def get(base, path, headers, seconds):
    """Returns an answer's status and body. A redirect is an answer too: nobody else is shown the key."""
    url = urlsplit(base)
    connection = CONNECTIONS[url.scheme](url.hostname, url.port, timeout=seconds)
    try:
        connection.request("GET", url.path.rstrip("/") + path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(MAX_BODY_BYTES + 1)
    finally:
        connection.close()


def within(seconds, work, *arguments):
    """Returns what `work` returns in time. A connection's own time-out bounds each of its steps, and not the look-up of its name."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    try:
        return pool.submit(work, *arguments).result(seconds)
    finally:
        pool.shutdown(wait=False)


def object_of(body):
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}


def judge_health(body):
    """Returns what is wrong with the body of /health, or nothing."""
    return None if object_of(body).get("status") == "ok" else "the body does not say `ok`"


def is_check(check):
    return (
        isinstance(check, dict)
        and isinstance(check.get("name"), str)
        and NAME.fullmatch(check["name"]) is not None
        and check.get("status") in STATES
        and isinstance(check.get("detail"), (str, type(None)))
    )


def judge_deep(body):
    """Returns what is wrong with the body of /ready?deep=1, or nothing. Only `canary` must be well: the rest has alarms of its own."""
    answer = object_of(body)
    checks = answer.get("checks")
    is_list = isinstance(checks, list) and len(checks) <= MAX_CHECKS and all(map(is_check, checks))
    if answer.get("status") not in STATES or not is_list:
        return "the body is no list of checks"
    states = [check["status"] for check in checks if check["name"] == "canary"]
    if states == ["ok"]:
        return None
    ill = ", ".join(f"{check['name']} {check['status']}" for check in checks if check["status"] != "ok")
    return f"{ill or 'all ok'}; not one check `canary`" if len(states) != 1 else ill


def probe(base, path, headers, seconds, judge):
    """Returns what is wrong with an answer, or nothing."""
    try:
        status, body = within(seconds, get, base, path, headers, seconds)
    except TimeoutError:
        return f"no whole answer within {seconds} s"
    except (OSError, http.client.HTTPException) as error:
        return f"no answer, {type(error).__name__}"
    problem = "the body is too long" if len(body) > MAX_BODY_BYTES else judge(body)
    if status == 200:
        return problem
    return f"status {status}" + (f", {problem}" if problem else "")


PROBES = (("/health", HEALTH_SECONDS, judge_health), ("/ready?deep=1", DEEP_SECONDS, judge_deep))


def handler(_event, _context):
    """One run."""
    secrets = boto3.client("secretsmanager", config=SECRET_CALL)
    secret = secrets.get_secret_value(SecretId=os.environ["KEY_SECRET"])
    headers = headers_of(secret.get("SecretString", ""))
    problems = []
    # Both are asked whatever the first says: what differs between them is where to look.
    for path, seconds, judge in PROBES:
        problem = probe(os.environ["API_URL"], path, headers, seconds, judge)
        logger.info(f"GET {path}: {problem or 'ok'}")
        if problem:
            problems.append(f"GET {path}: {problem}")
    if problems:
        raise Failure("; ".join(problems))
    return "alive, and the question is answered"
