"""Operation: deployments and what rolls them back, logs, alarms, the web ACL, names, outputs."""

import re

from contract import NAMES
from translate import ROOT

RETENTION = {"dev": 3, "staging": 7, "prod": 30}


def deployments_shift_traffic_as_the_environment_says(stack):
    groups = stack.all("AWS::CodeDeploy::DeploymentGroup")
    assert set(groups) == {f"{name.capitalize()}FunctionDeploymentGroup" for name in NAMES}
    way = "Canary10Percent5Minutes" if stack.parameters["Environment"] == "prod" else "AllAtOnce"
    for path, of in groups.items():
        assert of["Properties"]["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{way}", path


def deployments_roll_back_on_their_functions_alarm(stack):
    for name in NAMES:
        group = stack.properties(f"{name.capitalize()}FunctionDeploymentGroup")
        rollback = group["AutoRollbackConfiguration"]
        assert rollback["Enabled"] and "DEPLOYMENT_STOP_ON_ALARM" in rollback["Events"], name
        alarms = group["AlarmConfiguration"]
        assert alarms["Enabled"] is True, name
        wanted = [f"<Alarms.{name.capitalize()}Errors>"] + ([] if name == "ingest" else ["<Alarms.ApiErrors>"])
        assert [alarm["Name"] for alarm in alarms["Alarms"]] == wanted, name
        alarm = stack.properties(f"Alarms.{name.capitalize()}Errors")
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
        function = stack.properties(f"{name.capitalize()}Function")["FunctionName"]
        assert dimensions == {"FunctionName": function, "Resource": f"{function}:live"}, name


def alarms_watch_what_exists(stack):
    api, stage = stack.one("AWS::ApiGateway::RestApi"), stack.one("AWS::ApiGateway::Stage")
    alarms = stack.all("AWS::CloudWatch::Alarm")
    watched = [metric["MetricStat"]["Metric"] for of in alarms.values() for metric in of["Properties"].get("Metrics", []) if "MetricStat" in metric]
    of_api = [of for of in watched if of["Namespace"] == "AWS/ApiGateway"]
    assert len(of_api) == 2 * (1 + (8 if stack.parameters["AlarmEmail"] else 0))
    for of in of_api:
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in of["Dimensions"]}
        assert dimensions == {"ApiName": api["Name"], "Stage": stage["StageName"]}
    for of in [*watched, *(of["Properties"] for of in alarms.values() if "Namespace" in of["Properties"])]:
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in of["Dimensions"]}
        if of["Namespace"] == "Lectern":
            assert dimensions["stack"] == "lectern" and dimensions["function"] in NAMES, of
        if of["Namespace"] == "AWS/Lambda":
            assert dimensions["FunctionName"].removeprefix("lectern-") in NAMES, of
    for alarm, queue in {"DeadLetters": "DeadLetterQueue", "MissedSchedules": "ScheduleDeadLetterQueue"}.items():
        alarm = stack.properties(f"Alarms.{alarm}")
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"<Data.{queue}.QueueName>"}]
        assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    email = stack.parameters["AlarmEmail"]
    topics = stack.all("AWS::SNS::Topic")
    assert bool(topics) == bool(email)
    composite = stack.all("AWS::CloudWatch::CompositeAlarm")
    rules = " ".join(of["Properties"]["AlarmRule"] for of in composite.values())
    for path, of in {**stack.all("AWS::CloudWatch::Alarm"), **composite}.items():
        alarm = of["Properties"]
        # One cause, one page: what a composite waits for is sent by that alone.
        told = ["<Alarms.Topic>"] if email and f'ALARM("<{path}>")' not in rules else []
        assert alarm.get("AlarmActions", []) == told, path
        # An idle product is not a broken one; a schedule that is idle is.
        missing = "breaching" if path in ("Causes.BackupsStopped", "Canary.CanaryFails") else "notBreaching"
        assert path in composite or alarm["TreatMissingData"] == missing, path
        runbooks = re.findall(r"docs/runbooks/[a-z-]+\.md", alarm["AlarmDescription"])
        assert all((ROOT / runbook).is_file() for runbook in runbooks), path
        assert runbooks or not told, path
    if email:
        pager = stack.parameters["PagerUrl"]
        subscriptions = [of["Properties"] for of in stack.all("AWS::SNS::Subscription").values()]
        assert sorted((of["Protocol"], of["Endpoint"]) for of in subscriptions) == [
            ("email", email), *([("https", pager)] if pager else [])
        ]
        # CloudWatch may not use the key that AWS manages for SNS: alarms would be lost without a word.
        assert "KmsMasterKeyId" not in topics["Alarms.Topic"]["Properties"]


def versions_are_asked_before_they_get_traffic(stack):
    hook = stack.properties("Smoke.Hook")
    # CodeDeploy's role may invoke no other names.
    assert hook["FunctionName"] == "CodeDeployHook_lectern"
    assert hook["Runtime"] == "python3.13" and hook["Timeout"] <= 60
    versions = stack.all("AWS::Lambda::Version")
    for name in NAMES:
        alias = stack.resources[f"{name.capitalize()}FunctionAliaslive"]
        update = stack.value(alias["UpdatePolicy"])["CodeDeployLambdaAliasUpdate"]
        assert update["BeforeAllowTrafficHook"] == "<Smoke.Hook>", name
        assert update["DeploymentGroupName"] == f"<{name.capitalize()}FunctionDeploymentGroup>", name
        # What the hook asks is what the alias is about to point to.
        asked = hook["Environment"]["Variables"][name.upper()]
        assert asked.strip("<>") in versions, name
        assert stack.value(alias["Properties"])["FunctionVersion"] == asked.replace(">", ".Version>"), name


def settings_are_deployed_like_code(stack):
    # A version that follows from the code alone would leave `live` with old variables.
    source = stack.sources["template.yaml"]["Resources"]
    for name in NAMES:
        assert source[f"{name.capitalize()}Function"]["Properties"]["AutoPublishAliasAllProperties"] is True, name


def logs_are_kept_as_long_as_the_environment_says(stack):
    groups = {path: of["Properties"] for path, of in stack.all("AWS::Logs::LogGroup").items()}
    wanted = {f"Logs.{name.capitalize()}Logs" for name in NAMES} | {"Logs.AccessLogs", "Smoke.Logs", "Audit.DeliveryLogs"}
    if stack.parameters["EnableWaf"] == "true":
        wanted.add("Waf.Logs")
    if stack.parameters["CanaryKeySecretArn"]:
        wanted.add("Canary.Logs")
    assert set(groups) == wanted
    for path, group in groups.items():
        assert int(group["RetentionInDays"]) == RETENTION[stack.parameters["Environment"]], path
    for name in NAMES:
        assert groups[f"Logs.{name.capitalize()}Logs"]["LogGroupName"] == f"/aws/lambda/lectern-{name}"


def the_gateway_can_write_its_logs(stack):
    accounts = stack.all("AWS::ApiGateway::Account")
    assert bool(accounts) == (stack.parameters["ManageApiLogging"] == "true")
    for path, of in accounts.items():
        assert of["Properties"] == {"CloudWatchRoleArn": "<Logs.ApiLoggingRole.Arn>"}, path
        # It is the account's, not the stack's.
        assert of["DeletionPolicy"] == "Retain", path


def a_web_acl_stands_before_the_api(stack):
    acls = stack.all("AWS::WAFv2::WebACL")
    assert bool(acls) == (stack.parameters["EnableWaf"] == "true")
    if not acls:
        return
    acl = acls["Waf.WebAcl"]["Properties"]
    rules = {rule["Name"]: rule for rule in acl["Rules"]}
    rate = rules["rate-per-address"]
    assert rate["Statement"]["RateBasedStatement"] == {
        "Limit": stack.parameters["WafRequestsPerMinute"],
        "EvaluationWindowSec": 60,
        "AggregateKeyType": "IP",
    }
    assert rate["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429
    groups = {
        rule["Statement"]["ManagedRuleGroupStatement"]["Name"]: rule["Statement"]["ManagedRuleGroupStatement"]
        for rule in rules.values()
        if "ManagedRuleGroupStatement" in rule["Statement"]
    }
    common, bad = "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"
    assert set(groups) == {common, bad, "AWSManagedRulesAmazonIpReputationList"}
    # A document may say anything and be long: no rule about bodies blocks.
    for name in (common, bad):
        counted = {override["Name"] for override in groups[name]["RuleActionOverrides"] if "Count" in override["ActionToUse"]}
        bodies = {
            common: {"SizeRestrictions_BODY", "CrossSiteScripting_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "EC2MetaDataSSRF_BODY"},
            bad: {"Log4JRCE_BODY", "JavaDeserializationRCE_BODY"},
        }[name]
        assert bodies <= counted, name
    [size, elsewhere] = rules["size-of-json"]["Statement"]["AndStatement"]["Statements"]
    assert size["SizeConstraintStatement"]["Size"] == 65_536
    path = elsewhere["NotStatement"]["Statement"]["RegexMatchStatement"]
    assert path["RegexString"] == "^(/live)?/v1/documents/?$" and path["FieldToMatch"] == {"UriPath": {}}
    [association] = stack.all("AWS::WAFv2::WebACLAssociation").values()
    assert association["Properties"] == {
        "ResourceArn": "arn:aws:apigateway:eu-central-1::/restapis/<Api>/stages/<ApiliveStage>",
        "WebACLArn": "<Waf.WebAcl.Arn>",
    }
    logging = stack.one("AWS::WAFv2::LoggingConfiguration")
    redacted = {field["SingleHeader"]["Name"] for field in logging["RedactedFields"]}
    assert redacted == {"authorization", "x-api-key"}


def two_stacks_of_an_account_do_not_meet(stack):
    # What has a name of its own has the stack's in it.
    for kind, name in {
        "AWS::Lambda::Function": "FunctionName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::Scheduler::Schedule": "Name",
        "AWS::CloudWatch::Alarm": "AlarmName",
        "AWS::DynamoDB::Table": "TableName",
        "AWS::S3::Bucket": "BucketName",
        "AWS::SecretsManager::Secret": "Name",
        "AWS::IAM::Role": "RoleName",
        "AWS::Synthetics::Canary": "Name",
        "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
        "AWS::WAFv2::WebACL": "Name",
        "AWS::SNS::Topic": "TopicName",
        "AWS::ApiGateway::UsagePlan": "UsagePlanName",
        "AWS::ApiGateway::ApiKey": "Name",
    }.items():
        for path, of in stack.all(kind).items():
            given = of["Properties"].get(name)
            assert given is None or "lectern" in given, (path, given)


def outputs_tell_a_user_how_to_go_on(stack):
    assert stack.output("AdminFunctionName") == "<AdminFunction>"
    assert '"task":"create_key"' in stack.output("CreateFirstKey")
    assert stack.output("DocumentsBucket") == "<Data.Documents>"
    assert stack.output("BackupsBucket") == "<Data.Backups>"
    assert stack.output("Table") == "<Data.Table>"
    assert stack.output("JobsQueueUrl") == "<Data.JobsQueue>"
    assert stack.output("DeadLetterQueueUrl") == "<Data.DeadLetterQueue>"
