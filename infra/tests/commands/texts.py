"""Finds the `aws …` commands: fences of shell, code within sentences and tables, and a command that the stack prints."""

import re
from dataclasses import dataclass

from translate import ROOT, read

# A service and an operation, as `aws sqs receive-message`.
COMMAND = re.compile(r"(?<![\w-])aws ([a-z0-9]+) ([a-z][a-z0-9-]*)")
FENCE = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
DEFINITION = re.compile(r"^(\w+)\(\)", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
# The names that a runbook's commands use are given values here.
NAMES = "docs/runbooks/README.md"


@dataclass(frozen=True)
class Snippet:
    """What somebody copies at once: a fence, or code within a line."""

    source: str
    line: int
    text: str
    is_fence: bool


def sources():
    """Returns the files that may have commands, the README first."""
    docs = sorted((ROOT / "docs").rglob("*.md"))
    templates = [ROOT / "template.yaml", *sorted((ROOT / "infra").glob("*.yaml"))]
    return [path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *docs, *templates]]


def snippets(source):
    """Returns a file's snippets with a command in them, or with a function that has one, in the order of the text."""
    text = (ROOT / source).read_text()
    if source == "template.yaml":
        return [*within(source, text, COMMAND), printed()]
    fences = [fence for fence in FENCE.finditer(text) if fence[2].split(" ")[0] == "sh"]
    defined = [name for fence in fences if COMMAND.search(fence[3]) for name in DEFINITION.findall(fence[3])]
    calls = re.compile("|".join([COMMAND.pattern, *[rf"\b{name} \$?[A-Z\w]+" for name in defined]]))
    found = []
    for fence in fences:
        if calls.search(fence[3]):
            unindented = re.sub(f"^{fence[1]}", "", fence[3], flags=re.MULTILINE)
            found.append(Snippet(source, line_of(text, fence.start(3)), unindented, True))
    outside = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)
    return sorted([*found, *within(source, outside, calls)], key=lambda snippet: snippet.line)


def within(source, text, calls):
    return [
        Snippet(source, line_of(text, code.start()), code[1].replace(r"\|", "|") + "\n", False)
        for code in INLINE.finditer(text)
        if calls.match(code[1])
    ]


def printed():
    """Returns the command that a deployment prints as an output."""
    value = read(ROOT / "template.yaml")["Outputs"]["CreateFirstKey"]["Value"]["Fn::Sub"]
    text = value.replace("${AdminFunction}", "$STACK-admin") + "\n"
    return Snippet("template.yaml", 0, text, False)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def names():
    """Returns the fence that says where names like `TABLE` come from."""
    return next(snippet for snippet in snippets(NAMES) if "TABLE=" in snippet.text)


ALL = {source: found for source in sources() if (found := snippets(source))}
