"""The templates as files: what the tools say, and that nothing in them is double, unused or misspelt."""

import concurrent.futures
import copy
import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from deployment import NEEDED
from scenarios import SCENARIOS, sources
from translate import ROOT, translate

FILES = list(sources())
ENVIRONMENTS = ("dev", "staging", "prod")


# What no tool may let pass: a property that does not exist, and a function without its code.
BROKEN = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {TimeToLife: 1, KeySchema: [], AttributeDefinitions: []}}
  Function: {Type: AWS::Serverless::Function, Properties: {Handler: x, Runtime: provided.al2023, Events: {A: {Type: Apo}}}}
"""


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=80)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """What each tool said. They run beside each other: most of their time is their own start."""
    folder = tmp_path_factory.mktemp("templates")
    broken = folder / "broken.yaml"
    broken.write_text(BROKEN)
    translated = []
    for name in ("defaults", "full", "bare"):
        # A nested template is a place in S3 here, so that only this one is looked at; the others have their own turn.
        template = translate(copy.deepcopy(sources()["template.yaml"]), SCENARIOS[name] | NEEDED)
        translated.append(folder / f"{name}.json")
        translated[-1].write_text(json.dumps(template))
    each = (sys.executable, str(ROOT / "infra" / "tests" / "sam_each.py"), *FILES, str(broken), "--", "validate")
    jobs = {
        "sam validate --lint": (*each, "--lint"),
        "checkov": ("checkov", "--config-file", ".checkov.yaml", "--output", "json", "--file", *FILES),
        "cfn-lint": ("cfn-lint", *map(str, translated)),
        "sam validate": each,
    }
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        said = dict(zip(jobs, pool.map(lambda command: run(*command), jobs.values())))
    return said | {"broken": str(broken)}


@pytest.mark.parametrize("tool", ["sam validate", "sam validate --lint"])
def test_sam_finds_nothing(tools, tool):
    code, output, errors = tools[tool]
    assert code == 0, errors
    results = json.loads(output)
    code, output = results.pop(tools["broken"])
    assert code != 0, "it finds nothing in a broken template either"
    assert set(results) == set(FILES)
    for file, (code, output) in results.items():
        assert code == 0 and "is a valid SAM Template" in output, (file, output)


def test_cfn_lint_finds_nothing_in_what_sam_makes(tools):
    code, output, errors = tools["cfn-lint"]
    assert code == 0 and not output.strip(), output + errors


def test_checkov_finds_nothing(tools):
    code, output, errors = tools["checkov"]
    assert code == 0, output + errors
    summary = json.loads(output)["summary"]
    assert summary["failed"] == 0 and summary["parsing_errors"] == 0
    # It looked at something.
    assert summary["passed"] > 100


def test_every_check_that_is_left_out_has_a_reason():
    lines = (ROOT / ".checkov.yaml").read_text().splitlines()
    start = lines.index("skip-check:")
    for number, line in enumerate(lines[start + 1 :], start + 1):
        if line.strip().startswith("- "):
            assert lines[number - 1].strip().startswith("#"), line
    for file, template in sources().items():
        for name, resource in template["Resources"].items():
            for skipped in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
                assert len(skipped["comment"]) > 20, (file, name)
        assert "cfn-lint" not in (ROOT / file).read_text(), file


class Strict(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping: YAML takes the last one, without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"{twice} twice, {node.start_mark}")
        return super().construct_mapping(node, deep)

    def any_tag(self, _suffix, node):
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        return self.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else node.value


Strict.add_constructor("tag:yaml.org,2002:map", Strict.construct_mapping)
Strict.add_multi_constructor("!", Strict.any_tag)


@pytest.mark.parametrize("file", FILES)
def test_no_key_stands_twice(file):
    yaml.load((ROOT / file).read_text(), Strict)


def test_a_key_that_stands_twice_is_noticed():
    for text in ("a: 1\nb: {c: 1, c: 2}", "Resources:\n  Table: {}\n  Table: {}"):
        with pytest.raises(yaml.YAMLError):
            yaml.load(text, Strict)


def names_in(node):
    """Yields every name a template refers to: parameters, conditions, mappings and resources."""
    if isinstance(node, list):
        for item in node:
            yield from names_in(item)
    if isinstance(node, str):
        yield node.split(".")[0]
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        match key:
            case "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                yield from (name.split(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text))
                yield from names_in([] if isinstance(value, str) else value[1])
            case "Ref" | "Condition" | "Fn::GetAtt" | "Fn::If" | "Fn::FindInMap":
                yield from names_in(value)
            case _ if not isinstance(value, str):
                yield from names_in(value)


@pytest.mark.parametrize("file", FILES)
def test_every_parameter_condition_and_mapping_is_used(file):
    template = sources()[file]
    sections = ("Globals", "Rules", "Conditions", "Resources", "Outputs")
    used = {name for section in sections for name in names_in(template.get(section, {}))}
    for section in ("Parameters", "Conditions", "Mappings"):
        assert set(template.get(section, {})) <= used, section


def test_parameters_are_explained_checked_and_grouped():
    template = sources()["template.yaml"]
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name
        limits = {"AllowedPattern", "AllowedValues", "MinValue", "MaxValue"} & set(parameter)
        assert limits, name
        assert "AllowedPattern" not in parameter or parameter["ConstraintDescription"], name
        if "Default" in parameter:
            assert is_allowed(parameter, str(parameter["Default"])), name


def test_an_index_is_all_that_must_be_given():
    parameters = sources()["template.yaml"]["Parameters"]
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} == set(NEEDED)


def is_allowed(parameter, value):
    """Returns whether CloudFormation takes a value for a parameter."""
    if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
        return False
    if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], value):
        return False
    if len(value) > parameter.get("MaxLength", float("inf")):
        return False
    if parameter["Type"] == "Number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return False
        low, high = parameter.get("MinValue", float("-inf")), parameter.get("MaxValue", float("inf"))
        return low <= float(value) <= high
    return True


DOLLARS = ["", "0", "12", "0.005", "1.000001", "999999999.999999", "1000000000", "1000000000.000000"]
NO_DOLLARS = [" ", ".", "1.", ".5", "-1", "+1", "1e3", "$5", "1,000", "0.0000001", "1000000000.000001", "1000000001"]
PRICE = '{"prompt":2.5,"completion":10}'
PRICES = [
    "{}",
    "{ }",
    f'{{"gpt-4o":{PRICE}}}',
    f'{{"gpt-4o":{PRICE},"us.amazon.nova-lite-v1:0":{PRICE}}}',
    '{"lambda":{"gb_second":0.0000133334,"request":0.0000002},"index":{"question":0.0001}}',
    '{\n  "local/": {"prompt": 0, "completion": 0},\n  "gpt-4o": {"prompt": 2.5, "completion": 10}\n}',
]
ISSUER = '{"issuer":"https://login.example.com","audience":"lectern","tenant":"acme","permissions":["query"]}'
ISSUERS = ["[]", "[ ]", f"[{ISSUER}]", f"[{ISSUER},{ISSUER}]", f"[\n  {ISSUER}\n]", '[{"audience":"a","issuer":"b"}]']
NO_ISSUERS = ["", "{}", ISSUER, "https://login.example.com", "[{}]", "[1]", f"[{ISSUER}", f'[{{"issuer":"{"x" * 2048}"}}]']
NO_PRICES = [
    "",
    "[]",
    "null",
    "prices.json",
    '{"gpt-4o":2.5}',
    '{"index":0.1}',
    '{"gpt-4o":{}}',
    f'"gpt-4o":{PRICE}',
    f'{{gpt-4o:{PRICE}}}',
    f'{{"gpt-4o":{PRICE},}}',
    f'{{"gpt-4o":{PRICE}"gpt-4.1":{PRICE}}}',
    f'{{"gpt-4o":{PRICE}',
    f'{{"gpt-4o":{{"prompt":2.5}},"gpt-4.1":{{{PRICE}}}}}',
    # Longer than the variables of a function have room for.
    f'{{"{"x" * 2048}":{PRICE}}}',
]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("IndexUrl", ["https://abc.eu-central-1-0.aws.cloud.qdrant.io:6334"], ["http://q:6334", "https://q:6334/x", "q"]),
        ("Embedder", ["none", "minilm", "openai:text-embedding-3-small@512", "bedrock:cohere.embed-v4:0"], ["", "openai:", "gemini:x"]),
        ("Chat", ["extractive", "openai:gpt-4.1", "bedrock:us.amazon.nova-lite-v1:0"], ["none", "bedrock:", "openai: x"]),
        ("ChatAlternatives", ["", "openai:a,bedrock:b:0", ",".join(["openai:a"] * 8)], ["openai:a,", "x", ",".join(["openai:a"] * 9)]),
        ("Reranker", ["none", "cohere:rerank-v3.5", "tei:https://tei.example.com/rerank"], ["tei:x", "cohere:"]),
        ("ModelApiKey", ["", "sk-abc_123"], ['a"b', "a b", "a\\b"]),
        ("AllowedOrigins", ["*", "https://app.example.com", "http://localhost:3000"], ["", "https://a,https://b", "https://a/"]),
        ("FetchHosts", ["", "*", "docs.example.com", "*.example.com,a.example"], ["https://a.example", "a b", "*.", "a,,b"]),
        ("Issuers", ISSUERS, NO_ISSUERS),
        ("RestoredTable", ["", "lectern-restored.2"], ["a", "arn:aws:dynamodb:eu-west-1:1:table/x", "a b c"]),
        ("PagerUrl", ["", "https://events.pagerduty.com/integration/x/enqueue"], ["http://a.example/x", "x"]),
        ("SlackWorkspaceId", ["", "T0123ABCD"], ["slack", "t0123abcd"]),
        ("SlackChannelId", ["", "C0123ABCD"], ["#alarms", "c0123"]),
        ("LogSample", ["0", "0.01", "1"], ["", "1.5", "2", "-1", ".5"]),
        ("LogLevels", ["info", "info,lectern_app=debug"], ["", "info debug"]),
        ("DomainName", ["", "ask.example.com"], ["localhost", "https://ask.example.com"]),
        ("Guardrail", ["", "gr4il1d:7", "gr4il1d:DRAFT"], ["gr4il1d", "gr4il1d:0", "*:1", "arn:aws:bedrock:eu-west-1:1:guardrail/x:1"]),
        ("BedrockModelArns", ["", "arn:aws:bedrock:eu-west-1::foundation-model/a.b-v1:0"], ["*", "arn:aws:bedrock:eu-west-1::foundation-model/*"]),
        ("CanaryKeySecretArn", ["", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:canary-AbCdEf"], ["canary", "lk_x"]),
        ("CanaryMinutes", ["1", "5", "15"], ["0", "2", "60", ""]),
        ("CanaryRuntime", ["syn-python-selenium-14.0"], ["", "python3.13", "syn-nodejs-puppeteer-9.1"]),
        ("AnswerTimeoutMs", ["30000", "55000"], ["60000", "x"]),
        ("BudgetUsdPerDay", DOLLARS, NO_DOLLARS),
        ("BudgetUsdPerMonth", DOLLARS, NO_DOLLARS),
        ("Prices", PRICES, NO_PRICES),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_made(name, good, bad):
    parameter = sources()["template.yaml"]["Parameters"][name]
    assert [value for value in good if not is_allowed(parameter, value)] == []
    assert [value for value in bad if is_allowed(parameter, value)] == []


def test_prices_are_given_to_sam_in_quotes_and_refused_without():
    from samcli.cli.types import CfnParameterOverridesType

    parameter = sources()["template.yaml"]["Parameters"]["Prices"]
    prices = f'{{"gpt-4o":{PRICE}}}'
    given = CfnParameterOverridesType().convert([f"Prices='{prices}'"], None, None)
    assert given == {"Prices": prices} and is_allowed(parameter, prices)
    # SAM ends a value at the first quote, without a word.
    given = CfnParameterOverridesType().convert([f"Prices={prices}"], None, None)
    assert given["Prices"] != prices and not is_allowed(parameter, given["Prices"])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_settings_of_an_environment_are_taken_by_sam(environment):
    from samcli.cli.types import CfnParameterOverridesType
    from samcli.commands.deploy.command import cli as deploy_command

    path = ROOT / "infra" / "environments" / f"{environment}.toml"
    settings = tomllib.loads(path.read_text())["default"]
    deploy = settings["deploy"]["parameters"]
    options = {option.name for option in deploy_command.params}
    assert set(deploy) <= options
    assert settings["global"]["parameters"]["stack_name"] == f"lectern-{environment}"
    # SAM's roles have made-up names; the transform needs the other one.
    assert set(deploy["capabilities"]) == {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}

    parameters = sources()["template.yaml"]["Parameters"]
    given = CfnParameterOverridesType().convert(deploy["parameter_overrides"], None, None)
    assert len(given) == len(deploy["parameter_overrides"])
    assert given["Environment"] == environment
    for name, value in given.items():
        assert is_allowed(parameters[name], value), (name, value)
        # A file in a repository is no place for a secret.
        assert not parameters[name].get("NoEcho"), name
    tags = dict(tag.split("=") for tag in deploy["tags"])
    assert tags == {"project": "lectern", "environment": environment}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_settings_of_an_environment_keep_the_promises(environment):
    import promises
    from deployment import deploy

    path = ROOT / "infra" / "environments" / f"{environment}.toml"
    overrides = tomllib.loads(path.read_text())["default"]["deploy"]["parameters"]["parameter_overrides"]
    stack = deploy(sources(), **dict(pair.split("=", 1) for pair in overrides))
    for promise in promises.ALL.values():
        promise(stack)

