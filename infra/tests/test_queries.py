"""The questions of who is on call are saved in CloudWatch as the runbooks have them."""

import pathlib
import re

from translate import read

ROOT = pathlib.Path(__file__).parents[2]
QUESTION = re.compile(r"\*\*(\d+)\. (.+?)\*\*(.*?)```insights\n(.*?)```", re.DOTALL)
FUNCTIONS = ("query", "upload", "ingest", "health", "backup", "admin", "site")


def groups(where):
    """Returns the log groups that the words between a question and its query name."""
    if "all functions" in where:
        return [f"/aws/lambda/${{Name}}-{function}" for function in FUNCTIONS]
    [group] = re.findall(r"`(/aws/[a-z]+/)STACK([a-z-]*)`", where)
    return [f"{group[0]}${{Name}}{group[1]}"]


def test_each_question_is_a_saved_query_and_each_query_a_question():
    text = (ROOT / "docs/runbooks/README.md").read_text()
    asked = {
        f"${{Name}}/{int(number):02} {question}": (groups(where), " ".join(query.split()))
        for number, question, where, query in QUESTION.findall(text)
    }
    saved = {}
    for of in read(ROOT / "infra/queries.yaml")["Resources"].values():
        properties = of["Properties"]
        names = [group["Fn::Sub"] for group in properties["LogGroupNames"]]
        saved[properties["Name"]["Fn::Sub"]] = (names, " ".join(properties["QueryString"].split()))
    assert len(asked) == 10
    assert saved == asked
