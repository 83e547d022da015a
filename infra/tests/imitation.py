"""moto, which stands in for AWS: a server in a process of its own."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import boto3
from botocore.config import Config


@contextmanager
def server():
    """Yields the address of a server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server does not listen"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def clients(address):
    """Returns a way to get clients of the server."""
    bounded = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 1})
    return lambda name: boto3.client(name, endpoint_url=address, config=bounded)


def ask_moto(address, path, value):
    """Tells moto what AWS has no operation for."""
    body = json.dumps(value).encode()
    request = urllib.request.Request(f"{address}/moto-api/{path}", body, {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


def create(client, name, template, parameters):
    """Creates a stack and returns its outputs."""
    formation = client("cloudformation")
    formation.create_stack(
        StackName=name,
        TemplateBody=template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    [stack] = formation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
