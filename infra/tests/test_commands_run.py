"""The `aws …` commands of the documentation, run: each document from its beginning to its end, by bash, against moto.

moto has what `commands/account.py` puts there. What moto does not have stands below with the reason; such a command is only held to the
description of its service, and its answer is empty.
"""

import json
import re

import pytest

from commands import program, texts
from commands.account import ACCOUNT, KEY, REGION, alarm, archive, fill
from commands.shell import Shell
from commands.shell import program as real
from imitation import ask_moto, clients, server

NOT_IMITATED = {
    "deploy stop-deployment": "moto's deployments are made and read, not stopped",
    "dynamodb update-contributor-insights": "moto has no Contributor Insights",
    "lambda get-account-settings": "moto has no limits of an account",
    "synthetics describe-runtime-versions": "moto has canaries, not what they run on",
    "synthetics get-canary-runs": "moto's canaries do not run",
}
# What is in the stack's names is gone when these are run; so they are run on another stack.
DESTROYS = "docs/DEPLOYMENT.md"
CHECKLIST = "docs/PRODUCTION.md"


@pytest.fixture(scope="module")
def address():
    with server() as address:
        yield address


@pytest.fixture(scope="module")
def shells(address, tmp_path_factory):
    """Returns a shell for each of two stacks: one that stays, and one that is taken down."""
    made = {}
    for stack in ("lectern-prod", "lectern"):
        given = fill(address, stack)
        folder = tmp_path_factory.mktemp(stack)
        made[stack] = Shell(folder, real(), given, AWS_ENDPOINT_URL=address, COMMANDS_OFFLINE=",".join(NOT_IMITATED))
    return made


def run(shells, address, source):
    """Runs a document's snippets. Returns what each printed."""
    shell = shells["lectern" if source == DESTROYS else "lectern-prod"]
    (shell.folder / "model-layer.zip").write_bytes(archive())
    (shell.folder / "layer").mkdir(exist_ok=True)
    # One answer for each time that a key is asked for.
    snippets = texts.ALL[source]
    keys = sum(snippet.text.count('"create_key"') for snippet in snippets)
    ask_moto(address, "static/lambda-simple/response", {"results": [KEY] * keys, "region": REGION})
    return dict(zip([snippet.text for snippet in snippets], shell.run(snippets), strict=True))
