"""The rules for Prometheus: promtool reads them, and replays series through them as Prometheus would."""

import pathlib
import re
import shutil
import subprocess

import pytest

RULES = pathlib.Path(__file__).parents[1] / "prometheus"
RUNBOOKS = pathlib.Path(__file__).parents[2]


def promtool(*arguments):
    tool = shutil.which("promtool")
    assert tool, "promtool is missing: apt-get install prometheus"
    found = subprocess.run([tool, *arguments], cwd=RULES, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("arguments", [("check", "rules", "rules.yaml"), ("test", "rules", "rules_test.yaml")])
def test_promtool_finds_nothing(arguments):
    promtool(*arguments)


def test_each_alert_names_a_runbook_that_is_there_and_is_tested():
    rules = (RULES / "rules.yaml").read_text()
    tests = (RULES / "rules_test.yaml").read_text()
    for runbook in set(re.findall(r"runbook: (\S+)", rules)):
        assert (RUNBOOKS / runbook).is_file(), runbook
    causes = rules[rules.index("- name: causes"):]
    for alert in re.findall(r"- alert: (\w+)", causes):
        assert f"alertname: {alert}" in tests, alert
