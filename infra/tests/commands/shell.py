"""Runs snippets of a document as somebody at a terminal would: in order, in one shell, with the names that the runbooks define.

`aws` is a program that is given. Other programs of the product and of a deployment say nothing here: those of the runbooks are run by
functions/local/tests/it/runbooks.rs.
"""

import os
import re
import shlex
import subprocess

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
    # There it is not deleted.
    "docs/runbooks/data-loss.md": {
        '--target-table-name "$TABLE" ': '--target-table-name "$TABLE-last" ',
        "--backup-arn ARN": "--backup-arn $GIVEN_BACKUP",
    },
    "docs/runbooks/index-down.md": {"--secret-id ARN": "--secret-id $GIVEN_SECRET"},
    "docs/runbooks/ingestion-stuck.md": {"--uuid UUID": "--uuid $GIVEN_MAPPING"},
    "infra/usage.yaml": {"--api-key ID": "--api-key $GIVEN_GATEWAY_KEY"},
}


class Shell:
    """A folder to run snippets in, with a program `aws`."""

    def __init__(self, folder, aws, given):
        """`aws` is a line of shell that runs one command; `given` has the values for words of a document."""
        self.folder, self.given = folder, given
        programs = folder / "bin"
        programs.mkdir()
        program = programs / "aws"
        program.write_text(f'#!/bin/sh\n{aws} "$@"\n')
        program.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        self.names = self.declared()

    def declared(self):
        """Runs the fence that defines names. Returns the definitions."""
        fence = texts.names()
        names = re.findall(r"^(\w+)=", fence.text, re.MULTILINE)
        functions = re.findall(r"^(\w+)\(\)", fence.text, re.MULTILINE)
        self.names = 'STACK="$GIVEN_STACK"'
        show = texts.Snippet(fence.source, 0, f"declare -p {' '.join(['STACK', *names])}; declare -f {' '.join(functions)}", True)
        return self.run([fence, show])[-1]

    def run(self, snippets):
        """Runs snippets. Returns what each printed."""
        lines = ["set -eu -o pipefail"]
        lines += [f"{name}={shlex.quote(value)}" for name, value in self.given.items()]
        lines += [f"{name}() {{ :; }}" for name in SILENT]
        lines.append(self.names)
        for snippet in snippets:
            lines += [f"printf '\\n{MARK} {snippet.line}\\n'", filled(snippet)]
        done = subprocess.run(
            ["bash", "-c", "\n".join(lines)], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )
        parts = re.split(rf"^{MARK} \d+\n", done.stdout, flags=re.MULTILINE)[1:]
        at = snippets[max(len(parts) - 1, 0)]
        complaint = f"{at.source}:{at.line} ended with {done.returncode}\n{at.text}\n{done.stdout[-2000:]}\n{done.stderr}"
        assert not done.returncode and not done.stderr, complaint
        return parts


def filled(snippet):
    """Returns a snippet's text with values for the words that stand for one."""
    text = snippet.text
    for word, value in GIVEN.get(snippet.source, {}).items():
        text = text.replace(word, value)
    return text
