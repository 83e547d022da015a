"""The canary: there with a key and only then, for the API as it is deployed, with no right but its own."""

from .rights import ARN, _rights, _roles

THREE_RUNS = {"1": ("rate(1 minute)", 180), "5": ("rate(5 minutes)", 900), "15": ("rate(15 minutes)", 2700)}


def is_there_with_a_key_and_only_then(stack):
    wanted = bool(stack.parameters["CanaryKeySecretArn"])
    assert bool(stack.all("AWS::Synthetics::Canary")) == wanted
    assert ("Canary" in stack.nested) == wanted
    if wanted:
        assert stack.output("Canary") == stack.one("AWS::Synthetics::Canary")["Name"]


def asks_the_deployed_api(stack):
    if not stack.parameters["CanaryKeySecretArn"]:
        return
    canary = stack.one("AWS::Synthetics::Canary")
    assert canary["RunConfig"]["EnvironmentVariables"] == {
        "API_URL": stack.output("ApiUrl"),
        "KEY_SECRET": stack.parameters["CanaryKeySecretArn"],
    }
    assert stack.output("ApiUrl").startswith("https://")
    assert canary["StartCanaryAfterCreation"] is True
    assert canary["RuntimeVersion"] == stack.parameters["CanaryRuntime"]
    assert canary["Code"]["Handler"] == "canary.handler"
    expression, _ = THREE_RUNS[stack.parameters["CanaryMinutes"]]
    assert canary["Schedule"] == {"Expression": expression}
    # Traces would want a right of their own.
    assert canary["RunConfig"]["ActiveTracing"] is False
    assert canary["ExecutionRoleArn"] == "<Canary.Role.Arn>"


def may_read_its_key_and_leave_its_results(stack):
    if not stack.parameters["CanaryKeySecretArn"]:
        return
    name = stack.output("Canary")
    log = ARN.format("logs", f"log-group:/aws/lambda/cwsyn-{name}-*")
    role = _roles(stack)["Canary.Role"]
    assert _rights(stack, role) == {
        "s3:PutObject": {"<Canary.Artifacts.Arn>/canary/*"},
        "s3:GetBucketLocation": {"<Canary.Artifacts.Arn>"},
        "logs:CreateLogStream": {log},
        "logs:PutLogEvents": {log},
        "cloudwatch:PutMetricData": {"*"},
        "secretsmanager:GetSecretValue": {stack.parameters["CanaryKeySecretArn"]},
    }
    [policy] = role["Policies"]
    conditions = {of["Sid"]: of["Condition"] for of in policy["PolicyDocument"]["Statement"] if "Condition" in of}
    assert conditions == {"Measure": {"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}}}
    canary = stack.one("AWS::Synthetics::Canary")
    assert canary["ArtifactS3Location"] == "s3://<Canary.Artifacts>/canary"
    # Synthetics puts `cwsyn-` before it and `-` and an id of 36 characters behind it: a function's name has room for 64.
    assert len(name) <= 21 and name == name.lower()
    logs = stack.properties("Canary.Logs")["LogGroupName"]
    assert logs == f"/aws/lambda/cwsyn-{name}-<Canary.Canary.Id>"


def what_it_leaves_is_forgotten(stack):
    if not stack.parameters["CanaryKeySecretArn"]:
        return
    days = stack.properties("Canary.Logs")["RetentionInDays"]
    rules = {rule["Id"]: rule for rule in stack.properties("Canary.Artifacts")["LifecycleConfiguration"]["Rules"]}
    assert all(rule["Status"] == "Enabled" for rule in rules.values())
    expiry = rules["expire-artifacts"]
    assert str(expiry["ExpirationInDays"]) == str(days) and "Prefix" not in expiry
    assert expiry["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    canary = stack.one("AWS::Synthetics::Canary")
    assert str(canary["SuccessRetentionPeriod"]) == str(canary["FailureRetentionPeriod"]) == str(days)
    # Its function and layers too, when it goes.
    assert canary["ProvisionedResourceCleanup"] == "AUTOMATIC"


def pages_by_the_alarm_that_pages_for_availability(stack):
    has_canary, email = stack.parameters["CanaryKeySecretArn"], stack.parameters["AlarmEmail"]
    if email:
        rule = stack.properties("Observability.Availability")["AlarmRule"]
        assert rule.endswith(' OR ALARM("<Canary.CanaryFails>")') == bool(has_canary)
        assert rule.count("Canary") == (2 if has_canary else 0)
    if not has_canary:
        return
    alarm = stack.properties("Canary.CanaryFails")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("CloudWatchSynthetics", "SuccessPercent", "Average")
    assert alarm["Dimensions"] == [{"Name": "CanaryName", "Value": stack.output("Canary")}]
    _, seconds = THREE_RUNS[stack.parameters["CanaryMinutes"]]
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (seconds, 1)
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (50, "LessThanThreshold")
