"""Who may do what: exactly what the contract's table says, of every role in the stack."""

import re

from contract import NAMES, RIGHTS, SECRETS, WITHOUT_RESOURCES, alias

ARN = "arn:aws:{}:eu-central-1:123456789012:{}"
# Where a resource may end in a wildcard: what is below one that is named.
WILDCARDS = (
    # Log streams of a log group.
    re.compile(re.escape(ARN.format("logs", "log-group:/aws/lambda/lectern-")) + r"\w+:\*"),
    # Objects under a prefix of a bucket.
    re.compile(r"<Data\.\w+\.Arn>/(raw|text|uploads|backups)/\*"),
    # Results and log of the canary.
    re.compile(r"<Canary\.Artifacts\.Arn>/canary/\*"),
    re.compile(re.escape(ARN.format("logs", "log-group:/aws/lambda/cwsyn-lectern-")) + r"[0-9a-f]{8}-\*"),
    # Records of the audit log.
    re.compile(r"<Audit\.Records\.Arn>/\*"),
    # Versions of a function.
    re.compile(re.escape(ARN.format("lambda", "function:lectern-")) + r"\w+:\*"),
    # Deployment groups of an application.
    re.compile(re.escape(ARN.format("codedeploy", "deploymentgroup:<ServerlessDeploymentApplication>/*"))),
)
TRUSTED = {
    "CodeDeployServiceRole": "codedeploy.amazonaws.com",
    "Logs.ApiLoggingRole": "apigateway.amazonaws.com",
    "IngestFunctionSweepRole": "scheduler.amazonaws.com",
    "BackupFunctionDailyRole": "scheduler.amazonaws.com",
    "BackupFunctionContinueRole": "scheduler.amazonaws.com",
    "BackupFunctionDrillRole": "scheduler.amazonaws.com",
    "Smoke.Role": "lambda.amazonaws.com",
    "Alarms.SlackRole": "chatbot.amazonaws.com",
    "Canary.Role": "lambda.amazonaws.com",
    "Audit.DeliveryRole": "firehose.amazonaws.com",
    "Audit.SubscriptionRole": "logs.amazonaws.com",
    **{f"Roles.{name.capitalize()}": "lambda.amazonaws.com" for name in NAMES},
}
# Policies of AWS: each is for the one service that takes the role, and that service's own.
MANAGED = {
    "CodeDeployServiceRole": ["arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"],
    "Logs.ApiLoggingRole": ["arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"],
}


# Keys of items of the canary's tenant: `T#lectern-canary` and whatever stands behind a further `#`.
OF_THE_CANARY = {
    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["T#lectern-canary", "T#lectern-canary#*"]}
}


def _listed(value):
    return value if isinstance(value, list) else [value]


def _rights(stack, role):
    """Returns action -> resources of a role, its own policies and those of the stack that it names."""
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    for name in role.get("ManagedPolicyArns", []):
        if name.startswith("<"):
            documents.append(stack.properties(name)["PolicyDocument"])
    rights = {}
    for document in documents:
        for statement in document["Statement"]:
            # What knows no resources is bounded by a condition, and what writes where others do; nothing else is.
            is_canary = statement.get("Condition") == OF_THE_CANARY
            bounded = {"Condition"} if is_canary or statement["Action"] == "cloudwatch:PutMetricData" else set()
            assert bounded <= set(statement) <= {"Sid", "Effect", "Action", "Resource"} | bounded, statement
            assert statement["Effect"] == "Allow", statement
            for action in _listed(statement["Action"]):
                assert "*" not in action, statement
                of = " of the canary" if is_canary else ""
                rights.setdefault(action, set()).update(f"{resource}{of}" for resource in _listed(statement["Resource"]))
    return rights


def _roles(stack):
    return {path: of["Properties"] for path, of in stack.all("AWS::IAM::Role").items()}


def _secret(stack, name):
    """Returns the ARN of a secret, or nothing when there is none."""
    parameters = {"IndexKey": "IndexApiKey", "ModelKey": "ModelApiKey", "RerankerKey": "RerankerApiKey"}
    parameter = parameters.get(name, name)
    elsewhere = stack.parameters[f"{parameter}SecretArn"]
    if elsewhere:
        return {elsewhere}
    # The stack makes none.
    if name == "BackupIdentity":
        return set()
    given = name == "KeyPepper" or stack.parameters[parameter]
    return {f"<Secrets.{name}>"} if given else set()


def _bedrock(stack, function):
    """Returns the rights to Bedrock that follow from the models that were chosen."""
    listed = {arn for arn in stack.parameters["BedrockModelArns"].split(",") if arn}

    def model(parameter):
        value = stack.parameters[parameter]
        if not value.startswith("bedrock:"):
            return set()
        name = value.removeprefix("bedrock:").split("@")[0]
        return {
            f"arn:aws:bedrock:eu-central-1::foundation-model/{name}",
            ARN.format("bedrock", f"inference-profile/{name}"),
        }

    rights = {}
    if function == "query":
        rights["bedrock:InvokeModel"] = model("Chat") | model("Embedder") | listed
        rights["bedrock:InvokeModelWithResponseStream"] = model("Chat") | listed
        # Of this one, whatever its version.
        guardrail = stack.parameters["Guardrail"].split(":")[0]
        rights["bedrock:ApplyGuardrail"] = {ARN.format("bedrock", f"guardrail/{guardrail}")} if guardrail else set()
    elif function == "health":
        rights["bedrock:InvokeModel"] = model("Chat") | model("Embedder")
        rights["bedrock:InvokeModelWithResponseStream"] = model("Chat")
    elif function == "ingest" and model("Embedder"):
        rights["bedrock:InvokeModel"] = model("Embedder") | listed
    return {action: resources for action, resources in rights.items() if resources}


def are_exactly_the_contracts(stack):
    roles = _roles(stack)
    for name in NAMES:
        wanted = {action: set(resources) for action, resources in RIGHTS[name].items()}
        log = ARN.format("logs", f"log-group:/aws/lambda/lectern-{name}:*")
        wanted |= {"logs:CreateLogStream": {log}, "logs:PutLogEvents": {log}}
        wanted |= {"xray:PutTraceSegments": {"*"}, "xray:PutTelemetryRecords": {"*"}}
        if SECRETS[name]:
            wanted["secretsmanager:BatchGetSecretValue"] = {"*"}
        readable = set().union(*(_secret(stack, secret) for secret in SECRETS[name]))
        if readable:
            wanted["secretsmanager:GetSecretValue"] = readable
        wanted |= _bedrock(stack, name)
        assert _rights(stack, roles[f"Roles.{name.capitalize()}"]) == wanted, name


def name_resources(stack):
    for path, role in _roles(stack).items():
        for action, resources in _rights(stack, role).items():
            for resource in resources:
                if resource == "*":
                    assert action in WITHOUT_RESOURCES, (path, action)
                elif "*" in resource:
                    assert any(allowed.fullmatch(resource) for allowed in WILDCARDS), (path, action, resource)


def leave_no_role_unknown(stack):
    roles = _roles(stack)
    wanted = set(TRUSTED)
    if stack.parameters["ManageApiLogging"] == "false":
        wanted.remove("Logs.ApiLoggingRole")
    if not stack.parameters["SlackChannelId"]:
        wanted.remove("Alarms.SlackRole")
    if not stack.parameters["CanaryKeySecretArn"]:
        wanted.remove("Canary.Role")
    assert set(roles) == wanted
    for path, role in roles.items():
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        assert _listed(statement["Principal"]["Service"]) == [TRUSTED[path]], path
        assert _listed(statement["Action"]) == ["sts:AssumeRole"], path
        foreign = [name for name in role.get("ManagedPolicyArns", []) if not name.startswith("<")]
        assert foreign == MANAGED.get(path, []), path
    assert not stack.all("AWS::IAM::Policy") and not stack.all("AWS::IAM::User")


def of_schedules_are_to_start_their_function(stack):
    roles = _roles(stack)
    for path, function in {
        "IngestFunctionSweepRole": "ingest",
        "BackupFunctionDailyRole": "backup",
        "BackupFunctionContinueRole": "backup",
        "BackupFunctionDrillRole": "backup",
    }.items():
        assert _rights(stack, roles[path]) == {
            "lambda:InvokeFunction": {alias(function)},
            "sqs:SendMessage": {"<Data.ScheduleDeadLetterQueue.Arn>"},
        }, path


def of_the_smoke_test_are_to_ask_and_report(stack):
    assert _rights(stack, _roles(stack)["Smoke.Role"]) == {
        "logs:CreateLogStream": {"<Smoke.Logs.Arn>"},
        "logs:PutLogEvents": {"<Smoke.Logs.Arn>"},
        "lambda:InvokeFunction": {ARN.format("lambda", f"function:lectern-{name}:*") for name in NAMES},
        "codedeploy:PutLifecycleEventHookExecutionStatus": {
            ARN.format("codedeploy", "deploymentgroup:<ServerlessDeploymentApplication>/*")
        },
    }


def of_the_audit_log_are_to_deliver_and_no_more(stack):
    roles = _roles(stack)
    assert _rights(stack, roles["Audit.SubscriptionRole"]) == {
        action: {"<Audit.Delivery.Arn>"} for action in ("firehose:PutRecord", "firehose:PutRecordBatch")
    }
    rights = _rights(stack, roles["Audit.DeliveryRole"])
    assert rights.pop("logs:PutLogEvents") == {"<Audit.DeliveryLogs.Arn>"}
    assert rights.pop("s3:PutObject") == rights.pop("s3:AbortMultipartUpload") == {"<Audit.Records.Arn>/*"}
    looks = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
    assert rights == {action: {"<Audit.Records.Arn>"} for action in looks}


def are_used_by_the_function_they_are_for(stack):
    for name in NAMES:
        role = f"<Roles.{name.capitalize()}.Arn>"
        assert stack.properties(f"{name.capitalize()}Function")["Role"] == role, name
    assert stack.properties("Smoke.Hook")["Role"] == "<Smoke.Role.Arn>"


def let_only_the_gateway_start_functions_from_outside(stack):
    for path, of in stack.all("AWS::Lambda::Permission").items():
        permission = of["Properties"]
        assert permission["Principal"] == "apigateway.amazonaws.com", path
        assert permission["SourceArn"].startswith(ARN.format("execute-api", "<Api>/*/")), path
        assert permission["FunctionName"] in map(alias, NAMES), path
