"""Runs snippets of a document as somebody at a terminal would: in order, in one shell, with the names that the runbooks define.

`aws` is a program that is given. Other programs of the product and of a deployment say nothing here: those of the runbooks are run by
functions/local/tests/it/runbooks.rs.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from commands import texts

MARK = "@@snippet"
SILENT = ("lectern", "sam", "git", "curl", "zip")
# Words for which a reader puts a value, by document. The values are names of the shell.
GIVEN = {
    "docs/BACKUPS.md": {"lectern-backup": "$GIVEN_STACK-backup"},
    "docs/DEPLOYMENT.md": {
        "STACK=lectern": 'STACK="$GIVEN_STACK"',
        "--secret-id ARN": "--secret-id $GIVEN_SECRET",
        "s3://BUCKET": "s3://$GIVEN_BUCKET",
        "--table-name TABLE": "--table-name $TABLE",
    },
    "docs/SECURITY.md": {"s3://BUCKET": "s3://$AUDIT_BUCKET"},
    "docs/runbooks/bad-release.md": {
        "--deployment-id ID": "--deployment-id $GIVEN_DEPLOYMENT",
        "--function-version N": "--function-version $GIVEN_VERSION",
    },
    "docs/runbooks/index-down.md": {"--secret-id ARN": "--secret-id $GIVEN_SECRET"},
    "docs/runbooks/ingestion-stuck.md": {"--uuid UUID": "--uuid $GIVEN_MAPPING"},
    "infra/usage.yaml": {"--api-key ID": "--api-key $GIVEN_GATEWAY_KEY"},
}


class Shell:
    """A folder to run snippets in, with a program `aws`, and what it was called with."""

    def __init__(self, folder, program, given, **environment):
        self.folder, self.given = folder, given
        self.log = folder / "calls"
        programs = folder / "bin"
        programs.mkdir(parents=True)
        aws = programs / "aws"
        aws.write_text(f'#!/bin/sh\nexec {shlex.join(program)} "$@"\n')
        aws.chmod(0o755)
        self.environment = {
            **os.environ,
            **environment,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "COMMANDS_LOG": str(self.log),
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }
        self.names = self.declared()

    def declared(self):
        """Runs the fence that defines names. Returns the definitions."""
        fence = texts.names()
        [printed] = self.run([fence], f"STACK={shlex.quote(self.given['GIVEN_STACK'])}", "declare -p $(compgen -A variable | grep -v ^BASH)")
        wanted = {"STACK", *re.findall(r"^(\w+)=", fence.text, re.MULTILINE)}
        lines = [line for line in printed.splitlines() if re.match(rf"declare -\S+ ({'|'.join(wanted)})=", line)]
        assert len(lines) == len(wanted), printed
        return "\n".join([*lines, *functions(fence.text)])

    def run(self, snippets, before=None, after=""):
        """Runs snippets. Returns what each printed."""
        lines = ["set -eu -o pipefail"]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in self.given.items()]
        lines += [f"{name}() {{ :; }}" for name in SILENT]
        lines.append(self.names if before is None else before)
        for snippet in snippets:
            lines += [f"printf '\\n{MARK} {snippet.line}\\n'", filled(snippet)]
        script = "\n".join([*lines, after])
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )
        parts = re.split(rf"^{MARK} \d+\n", done.stdout, flags=re.MULTILINE)[1:]
        if done.returncode or done.stderr:
            at = snippets[len(parts) - 1]
            raise AssertionError(f"{at.source}:{at.line} ended with {done.returncode}\n{at.text}\n{done.stdout[-2000:]}\n{done.stderr}")
        return parts

    def calls(self):
        """Returns the words of each call of `aws`."""
        calls = self.log.read_text().split("\0\0") if self.log.exists() else []
        return [call.split("\0") for call in calls if call]


def functions(text):
    """Returns the one-line functions that a fence defines."""
    return re.findall(r"^\w+\(\) \{.*\}$", text, re.MULTILINE)


def filled(snippet):
    """Returns a snippet's text with values for the words that stand for one."""
    text = snippet.text
    for word, value in GIVEN.get(snippet.source, {}).items():
        text = text.replace(word, value)
    return text


def program():
    """Returns the words that start the CLI of the tests."""
    return [sys.executable, "-m", "commands.program"]


def recorder():
    """Returns the words that start what writes down how it was called, and does no more."""
    return ["bash", str(Path(__file__).with_name("recorder.sh"))]
