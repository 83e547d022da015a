"""`sam` for one template after the other in one process: most of the time of a call is its start.

`python sam_each.py FILE… -- ARGUMENT…` prints `{file: [exit code, output]}` as JSON.
"""

import json
import sys

from click.testing import CliRunner
from samcli.cli.main import cli

if __name__ == "__main__":
    divider = sys.argv.index("--")
    files, arguments = sys.argv[1:divider], sys.argv[divider + 1 :]
    results = {}
    for file in files:
        result = CliRunner().invoke(cli, [*arguments, "--template", file])
        results[file] = [result.exit_code, result.output + (repr(result.exception) if result.exception else "")]
    json.dump(results, sys.stdout)
