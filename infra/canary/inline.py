"""Puts infra/canary/canary.py into infra/canary.yaml: SAM packages no code for canaries, so theirs stands in the template.

`python infra/canary/inline.py` writes it; infra/tests/test_canary.py compares.
"""

import textwrap
from pathlib import Path

HERE = Path(__file__).parent
SCRIPT, TEMPLATE = HERE / "canary.py", HERE.parent / "canary.yaml"
FIRST, LAST = "        Script: |\n", "        # End of the script.\n"


def inlined(template, script):
    """Returns the template with the script in its place."""
    before, rest = template.split(FIRST)
    _, after = rest.split(LAST)
    return before + FIRST + textwrap.indent(script, " " * 10) + LAST + after


if __name__ == "__main__":
    TEMPLATE.write_text(inlined(TEMPLATE.read_text(), SCRIPT.read_text()))
