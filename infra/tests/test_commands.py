"""Each `aws …` command of the documentation is one that the AWS CLI takes: operation, options, values, and what `--query` asks for.

Nothing is sent: a shell runs the snippets with an `aws` that writes down its words, and the CLI reads those against the descriptions of
the services. What the commands then do is in `test_commands_run.py`.
"""

import re
import shlex
from pathlib import Path

import pytest
from awscli.botocore.session import get_session

from commands import program, shapes, texts
from commands.account import archive, function_names
from commands.shell import Shell
from translate import ROOT, read

# What the shell has where an account would have given it.
GIVEN = {
    "GIVEN_STACK": "lectern-prod",
    "GIVEN_SECRET": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf",
    "GIVEN_DEPLOYMENT": "d-ABCDEF123",
    "GIVEN_VERSION": "7",
    "GIVEN_MAPPING": "14e0db71-xmpl-4eb5-b481-8945cf9d10c2",
    "GIVEN_BUCKET": "documents",
    "GIVEN_BACKUP": "arn:aws:dynamodb:eu-central-1:123456789012:table/t/backup/01489602797149-73d8d5bc",
    "GIVEN_GATEWAY_KEY": "a1b2c3d4e5",
}
# Services whose name in the CLI is another.
SERVICES = {"s3api": "s3", "deploy": "codedeploy"}
# How many seconds the CLI waits for an answer, unless it is told.
PATIENCE = 60
RECORDER = Path(__file__).parent / "commands/recorder.sh"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Returns a folder with the files that commands read."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "model-layer.zip").write_bytes(archive())
    (folder / "layer").mkdir()
    return folder


@pytest.fixture(scope="module")
def recorded(folder):
    """Returns the words of each call of `aws`, with the document that has it."""
    log = folder / "calls"
    shell = Shell(folder, f"COMMANDS_LOG={log} exec bash {RECORDER}", GIVEN)
    calls = []
    for source, snippets in texts.ALL.items():
        log.unlink()
        shell.run(snippets)
        calls += [(source, call.split("\0")) for call in log.read_text().split("\0\0") if call]
    return calls


@pytest.fixture(scope="module")
def cli():
    return program.driver(is_offline=True)


def option(words, name):
    return words[words.index(name) + 1] if name in words else None


def operation(words):
    """Returns the description of what a command calls, or nothing where it is no single operation."""
    if words[0] == "s3":
        return None
    model = get_session().get_service_model(SERVICES.get(words[0], words[0]))
    return next(model.operation_model(name) for name in model.operation_names if hyphenated(name) == words[1])


def hyphenated(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def test_no_command_of_the_documentation_is_left_out(recorded):
    found = 0
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "infra").glob("*.yaml"), ROOT / "template.yaml"]:
        source = path.relative_to(ROOT).as_posix()
        standing = texts.COMMAND.findall(path.read_text())
        called = {tuple(words[:2]) for at, words in recorded if at == source}
        assert set(standing) <= called, source
        found += len(standing)
    assert found >= 55


def test_each_command_is_taken(recorded, cli, folder, monkeypatch):
    monkeypatch.chdir(folder)
    # A fence removes what it is done with.
    (folder / "canary.json").write_text("{}")
    refused = []
    for source, words in recorded:
        status, _, complained = program.validate(cli, words)
        if status:
            refused.append(f"{source}: aws {shlex.join(words)}\n{complained}")
    assert not refused, "\n".join(refused)


def test_what_a_query_asks_for_is_in_the_answer(recorded):
    asked = 0
    for source, words in recorded:
        if query := option(words, "--query"):
            asked += 1
            try:
                shapes.check(query, operation(words).output_shape)
            except shapes.Absent as absent:
                raise AssertionError(f"{source}: aws {shlex.join(words)}: {absent}") from absent
    assert asked >= 20


def test_outputs_and_parameters_that_are_asked_for_are_the_stack_s(recorded):
    template = read(ROOT / "template.yaml")
    asked = {"Output": set(), "Parameter": set()}
    for _, words in recorded:
        for kind, name in re.findall(r"\?(Output|Parameter)Key=='(\w+)'", option(words, "--query") or ""):
            asked[kind].add(name)
    assert asked["Output"] <= set(template["Outputs"]) and len(asked["Output"]) >= 8
    assert asked["Parameter"] <= set(template["Parameters"]) and asked["Parameter"]


def test_functions_and_aliases_are_the_stack_s(recorded):
    names = function_names("lectern-prod")
    alias = read(ROOT / "template.yaml")["Globals"]["Function"]["AutoPublishAlias"]
    for source, words in recorded:
        if (name := option(words, "--function-name")) and "recorded" not in name:
            assert name in names or name in [f"{known}:{alias}" for known in names], f"{source}: {name}"


def test_who_waits_for_a_function_waits_as_long_as_it_may_run(recorded):
    """The CLI gives up after a minute, and calls the function again."""
    functions = [it["Properties"] for it in read(ROOT / "template.yaml")["Resources"].values() if "FunctionName" in it["Properties"]]
    timeouts = {it["FunctionName"]["Fn::Sub"].split("-")[-1]: it.get("Timeout", 0) for it in functions}
    waits = 0
    for source, words in recorded:
        if words[:2] == ["lambda", "invoke"]:
            name = option(words, "--function-name").removesuffix(":live").split("-")[-1]
            if timeouts.get(name, 0) > PATIENCE:
                waits += 1
                assert int(option(words, "--cli-read-timeout") or PATIENCE) >= timeouts[name], source
    assert waits >= 3


def test_who_asks_for_alarms_asks_for_composite_ones_too(recorded):
    """CloudWatch leaves them out unless it is told. What pages is composite."""
    asked = [words for _, words in recorded if words[1] == "describe-alarms"]
    assert len(asked) >= 2
    for words in asked:
        kinds = words[words.index("--alarm-types") + 1 :][:2] if "--alarm-types" in words else []
        assert kinds == ["MetricAlarm", "CompositeAlarm"], words


WRONG = {
    "an operation": "sqs receive-messages --queue-url u",
    "an option": "sqs receive-message --queue-url u --maximum 3",
    "an option cut short": "sqs receive-message --queue-url u --max 3",
    "an option of what makes many requests": "s3 sync s3://bucket/records records --recursively",
    "a number that is none": "sqs receive-message --queue-url u --max-number-of-messages many",
    "what is left out": "sqs receive-message",
    "a value": "dynamodb update-contributor-insights --table-name t --contributor-insights-action ENABLED",
    "a value of several": "deploy list-deployments --include-only-statuses InProgress Success",
    "a value within": "ce get-cost-and-usage --time-period Start=a,End=b --granularity DAILY --metrics m --group-by Type=SERVICE,Key=k",
    "a field within": "ce get-cost-and-usage --time-period From=a,End=b --granularity DAILY --metrics m",
    "a blob that is not base64": "lambda invoke --function-name f --payload {} out",
    "a format": "lambda invoke --function-name f --cli-binary-format raw --payload {} out",
    "a query that does not parse": "sqs receive-message --queue-url u --query Messages[",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_command_that_is_wrong_is_refused(cli, wrong):
    status, _, complained = program.validate(cli, WRONG[wrong].split(" "))
    assert status and complained, wrong


@pytest.mark.parametrize(
    "query",
    [
        "Stack[0].Outputs",
        "Stacks[0].Output[?OutputKey=='Table'].OutputValue",
        "Stacks[0].Outputs[?Key=='Table'].OutputValue",
        "Stacks[0].Outputs[?OutputKey=='Table'].Value",
        "Stacks[].[StackName, Status]",
        "Stacks[?contains(Name, 'x')].StackName",
        "Stacks[?StackStatus=='ROLLED_BACK'].StackName",
        "Stacks.StackName",
        "StackName",
    ],
)
def test_a_query_for_what_is_not_there_is_refused(query):
    shape = operation(["cloudformation", "describe-stacks"]).output_shape
    with pytest.raises(shapes.Absent):
        shapes.check(query, shape)
