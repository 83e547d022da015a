"""The previewer of the dashboards knows all that stands in them. It needs no package for that, only Node."""

import pathlib
import shutil
import subprocess

PREVIEW = pathlib.Path(__file__).parents[1] / "grafana" / "preview"


def test_the_previewer_knows_every_unit_and_panel():
    node = shutil.which("node")
    assert node, "node is missing: apt-get install nodejs"
    command = [node, "--test", "--test-reporter=tap"]
    found = subprocess.run(command, cwd=PREVIEW, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0 and "# pass 4" in found.stdout, found.stdout + found.stderr
