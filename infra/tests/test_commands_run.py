"""The `aws …` commands of the documentation, run: each document from its beginning to its end, by bash, against moto.

moto has what `commands/account.py` puts there. What moto does not have stands below with the reason; such a command is only held to the
description of its service, and its answer is empty.
"""

import json
import re
import shlex

import pytest

from commands import program, texts
from commands.account import KEY, REGION, alarm, archive, fill
from commands.shell import Shell
from commands.started import started
from imitation import ask_moto, clients, server
from translate import ROOT

NOT_IMITATED = {
    "deploy stop-deployment --deployment-id d-ABCDEF123": "moto's deployments are made and read, not stopped",
    "dynamodb update-contributor-insights --table-name t --contributor-insights-action ENABLE": "moto has no Contributor Insights",
    "lambda get-account-settings": "moto has no limits of an account",
    "synthetics describe-runtime-versions": "moto has canaries, not what they run on",
    "synthetics get-canary-runs --name canary": "moto's canaries do not run",
}
OFFLINE = ",".join(" ".join(command.split(" ")[:2]) for command in NOT_IMITATED)
# This one ends with the end of its stack, so that it has one of its own.
DESTROYS = "docs/DEPLOYMENT.md"
CHECKLIST = "docs/PRODUCTION.md"
ARN = r"arn:aws:[a-z]+:eu-central-1:123456789012:\S+"

# What the commands of a document print, in this order, beside what the checklist says of its own.
PRINTED = {
    "docs/BACKUPS.md": [r'"restore"', r'"StatusCode": 200', r'"switch"'],
    "docs/DEPLOYMENT.md": [
        r'"Account": "123456789012"',
        r"Lectern - key of the Qdrant server",
        ARN,
        r"lectern-Secrets-1",
        r'"VersionStages"',
        r'"key":"lk_k1_secret"',
        r"secret:lectern-canary-\w+\n",
        r'"LayerVersionArn"',
        r"lectern-Data-1-Table-\w+\n",
        r"lectern-data-1-documents-\w+\n",
        r"lectern-data-1-backups-\w+\n",
        r"lectern-audit\n",
        r"remove_bucket: lectern-data-1-documents",
        r'"DeletionProtectionEnabled": false',
        r'"DeletionProtectionEnabled": false',
    ],
    "docs/OBSERVABILITY.md": [r'"StatusCode": 200'],
    "docs/PRODUCTION.md": [r'"BudgetName": "lectern-prod-month"', r'"on-call@example.org"', ARN, r'"Name": "lectern-prod-Waf-1-WebAcl"'],
    "docs/SECURITY.md": [r"download: s3://lectern-prod-audit/records/2026/11/23/part to audit-records/"],
    "docs/runbooks/README.md": [r"\[\],\n +\[\]", r'"status": "Complete"'],
    "docs/runbooks/bad-release.md": [
        r'"Created"',
        *[r'"\$LATEST"[^]]+\],\n +\[\n +"1"'] * 7,
        r'"FunctionVersion": "1"',
        r'"StackName": "lectern-prod"',
    ],
    "docs/runbooks/cost-runaway.md": [r'"ResultsByTime"'],
    "docs/runbooks/data-loss.md": [
        r'"ReservedConcurrentExecutions": 0',
        r'"TableName": "lectern-prod-Data-1-Table-\w+-restored"',
        r'"ACTIVE"',
        r'"AttributeName": "expires_at"',
        r'"PointInTimeRecoveryStatus": "ENABLED"',
        r'"DeletionProtectionEnabled": true',
        r"RestoredTable=lectern-prod-Data-1-Table-\w+-restored\n",
        r"table/lectern-prod-Data-1-Table-\w+/backup/",
        r'"TableName": "lectern-prod-Data-1-Table-\w+-last"',
        r'"restore"',
    ],
    "docs/runbooks/high-error-rate.md": [r"\[\]", r'"ReservedConcurrentExecutions": 100'],
    "docs/runbooks/index-down.md": [r'"AWSCURRENT"'],
    "docs/runbooks/ingestion-stuck.md": [
        r'"ApproximateNumberOfMessages": "0"',
        r'"Enabled"',
        r'"State": "Enabled"',
        r'"StringValue": "the index refuses it"',
    ],
    "docs/runbooks/security-incident.md": [],
    "docs/runbooks/service-down.md": [
        r'"Active",\n +\S+\n +"Successful"',
        r'"lectern-prod",\n +"CREATE_COMPLETE"',
        r'"PENDING_VALIDATION",\n +\d+,\n +"INELIGIBLE"',
    ],
    "docs/runbooks/table-throttled.md": [
        r'"Label": "ReadThrottleEvents"',
        r'"Label": "WriteThrottleEvents"',
        r'"ACTIVE",\n +"PAY_PER_REQUEST",\n +0',
        r'"MaximumConcurrency": 2',
        r'"TableStatus": "ACTIVE"',
    ],
    "template.yaml": [r'"key":"lk_k1_secret"'],
    "infra/usage.yaml": [r'"value": "\w+"'],
}


@pytest.fixture(scope="module")
def address():
    with server() as address:
        yield address


@pytest.fixture(scope="module")
def shells(address, tmp_path_factory):
    """Returns a way to get the shell for a document."""
    folder = tmp_path_factory.mktemp("cli")
    with started(folder, AWS_ENDPOINT_URL=address, COMMANDS_OFFLINE=OFFLINE) as aws:
        made = {}
        for stack in ("lectern-prod", "lectern"):
            folder = tmp_path_factory.mktemp(stack)
            (folder / "model-layer.zip").write_bytes(archive())
            (folder / "layer").mkdir()
            made[stack] = Shell(folder, aws, fill(address, stack))
        yield lambda source: made["lectern" if source == DESTROYS else "lectern-prod"]


@pytest.mark.parametrize("source", texts.ALL)
def test_the_commands_of_a_document_do_what_it_says(shells, address, source):
    snippets = texts.ALL[source]
    # moto runs no functions: one that is asked for a key answers this, any other what it was told.
    keys = sum(snippet.text.count('"create_key"') for snippet in snippets)
    ask_moto(address, "static/lambda-simple/response", {"results": [KEY] * keys, "region": REGION})
    printed = "".join(shells(source).run(snippets))
    for wanted in PRINTED[source]:
        found = re.search(wanted, printed)
        assert found, f"{wanted} is not, or not here, in\n{printed}"
        printed = printed[found.end() :]


def lines():
    """Returns the commands of the checklist, each with what it says must be printed."""
    rows = [line.split(" | ") for line in (ROOT / CHECKLIST).read_text().splitlines() if "`aws " in line]
    return {row[2].strip("`"): row[3].removesuffix(" |") for row in rows}


def ask(shells, command):
    snippet = texts.Snippet(CHECKLIST, 0, command + "\n", False)
    [printed] = shells(CHECKLIST).run([snippet])
    return printed.strip()


@pytest.mark.parametrize("command", lines())
def test_a_line_of_the_checklist_prints_what_it_says(shells, command):
    must, printed = lines()[command], ask(shells, command)
    for verbatim in re.findall(r'`("[^`]+)`', must):
        assert verbatim in printed
    for forbidden in re.findall(r"no `(\w+)`", must):
        assert forbidden not in printed
    if must == "no alarm":
        assert json.loads(printed) == {"MetricAlarms": [], "CompositeAlarms": []}
    assert must.startswith(('`"', "no ", "an ARN", "the stack's"))


def test_an_alarm_that_rings_is_printed(shells, address):
    name = "lectern-prod-Levels-1-Answers-1"
    listed, asked = list(lines()), texts.names().text.split("\nstack()")[0]
    [asked_by_checklist] = [command for command in listed if "describe-alarms" in command]
    client = clients(address)
    try:
        alarm(client, name, "OK")
        assert name not in ask(shells, asked)
        alarm(client, name, "ALARM")
        for command in (asked_by_checklist, asked):
            assert name in ask(shells, command)
    finally:
        client("cloudwatch").delete_alarms(AlarmNames=[name])


@pytest.mark.parametrize(
    "command",
    {
        'aws lambda get-function --function-name "$STACK-querry:live"': "ResourceNotFoundException",
        'aws lambda get-function --function-name "$STACK-query:life"': "ResourceNotFoundException",
        "aws sqs receive-message --queue-url $QUEUE_URL": "QUEUE_URL: unbound variable",
        "aws sqs receive-message --queue-url $JOBS_QUEUE_URL --max 3": "Unknown options",
        "aws sqs receive-message --queue-url $JOBS_QUEUE_URL | grep -q nothing": "ended with 1",
    }.items(),
)
def test_a_command_for_what_is_not_there_fails(shells, command):
    with pytest.raises(AssertionError, match=command[1]):
        ask(shells, command[0])


@pytest.mark.parametrize("command", NOT_IMITATED)
def test_moto_still_does_not_have(address, command, monkeypatch):
    """Else the command is to be run like the others."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    online, offline = program.driver(), program.driver(is_offline=True)
    assert program.run(offline, shlex.split(command))[0] == 0
    assert program.run(online, shlex.split(command))[0] != 0
