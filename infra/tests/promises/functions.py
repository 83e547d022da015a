"""The functions: what runs them, and what they are told."""

from contract import NAMES, SECRET_VARIABLES, TIMEOUTS, alias, variables

MEMORY = {"query": "Query", "upload": "Upload", "ingest": "Ingest", "backup": "Backup"}


def _functions(stack):
    """Returns Lectern's functions by name."""
    found = {path: of["Properties"] for path, of in stack.all("AWS::Lambda::Function").items() if "." not in path}
    assert set(found) == {f"{name.capitalize()}Function" for name in NAMES}
    return {name: found[f"{name.capitalize()}Function"] for name in NAMES}


def _environment(function):
    return function["Environment"]["Variables"]


def run_as_built(stack):
    for name, function in _functions(stack).items():
        assert function["FunctionName"] == f"lectern-{name}"
        assert (function["Runtime"], function["Handler"]) == ("provided.al2023", "bootstrap"), name
        assert function["Architectures"] == [stack.parameters["Architecture"]], name
        resource = stack.template["Resources"][f"{name.capitalize()}Function"]
        assert resource["Metadata"] == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": name}}
        source = stack.sources["template.yaml"]["Resources"][f"{name.capitalize()}Function"]
        assert source["Properties"]["CodeUri"] == f"functions/{name}"


def have_the_timeouts_of_their_service_levels(stack):
    for name, function in _functions(stack).items():
        assert function["Timeout"] == TIMEOUTS[name], name
    assert int(stack.parameters["AnswerTimeoutMs"]) < TIMEOUTS["query"] * 1_000


def have_the_memory_and_concurrency_that_was_asked_for(stack):
    for name, function in _functions(stack).items():
        kind = MEMORY.get(name, "Small")
        assert function["MemorySize"] == stack.parameters[f"{kind}Memory"], name
        reserved = stack.parameters[f"{kind}Reserved"]
        assert function.get("ReservedConcurrentExecutions", "0") == reserved, name


def are_told_exactly_what_the_contract_says(stack):
    for name, function in _functions(stack).items():
        assert set(_environment(function)) == variables(name), name


def are_told_where_things_are(stack):
    given = {
        "LECTERN_ENVIRONMENT": stack.parameters["Environment"],
        "LECTERN_STACK": "lectern",
        "LECTERN_LOG": stack.parameters["LogLevels"],
        "LECTERN_LOG_SAMPLE": stack.parameters["LogSample"],
        "LECTERN_TRACES": "xray",
        "LECTERN_FETCH_HOSTS": stack.parameters["FetchHosts"],
        "LECTERN_ISSUERS": stack.parameters["Issuers"],
        "LECTERN_ALLOWED_ORIGINS": stack.parameters["AllowedOrigins"],
        "LECTERN_TABLE_URL": "dynamodb://<Data.Table>",
        "LECTERN_INDEX_URL": stack.parameters["IndexUrl"],
        "LECTERN_BLOBS_URL": "s3://<Data.Documents>",
        "LECTERN_BACKUPS_URL": "s3://<Data.Backups>/backups",
        "LECTERN_BACKUP_DAYS": stack.parameters["BackupRetentionDays"],
        "LECTERN_QUEUE_URL": "<Data.JobsQueue>",
        "LECTERN_DEAD_LETTER_QUEUE_URL": "<Data.DeadLetterQueue>",
        "LECTERN_CANARY": "true" if stack.parameters["CanaryKeySecretArn"] else "false",
        "LECTERN_EMBEDDER": stack.parameters["Embedder"],
        "LECTERN_CHAT": stack.parameters["Chat"],
        "LECTERN_CHAT_ALTERNATIVES": stack.parameters["ChatAlternatives"],
        "LECTERN_GUARDRAIL": stack.parameters["Guardrail"],
        "LECTERN_MODEL_URL": stack.parameters["ModelUrl"],
        "LECTERN_RERANKER": stack.parameters["Reranker"],
        "LECTERN_RERANKER_URL": stack.parameters["RerankerUrl"],
        "LECTERN_ANSWER_TIMEOUT_MS": stack.parameters["AnswerTimeoutMs"],
        "LECTERN_BUDGET_USD_PER_DAY": stack.parameters["BudgetUsdPerDay"],
        "LECTERN_BUDGET_USD_PER_MONTH": stack.parameters["BudgetUsdPerMonth"],
        "LECTERN_PRICES": stack.parameters["Prices"],
        "LECTERN_MAX_DOCUMENT_BYTES": stack.parameters["MaxDocumentBytes"],
        "LECTERN_CHUNK_TOKENS": stack.parameters["ChunkTokens"],
        "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH": "true",
    }
    secret = {f"LECTERN_{name}" for name in SECRET_VARIABLES}
    for name, function in _functions(stack).items():
        for variable, value in _environment(function).items():
            assert variable in secret or value == given[variable], (name, variable)


def are_told_of_secrets_only_where_they_are(stack):
    fields = {"BACKUP_IDENTITY": "identity", "KEY_PEPPER": "pepper"}
    logical = {
        # With the stack's own secret, the backups would be lost when the stack is.
        "BACKUP_IDENTITY": (None, "BackupIdentitySecretArn", None),
        "KEY_PEPPER": ("KeyPepper", "KeyPepperSecretArn", None),
        "INDEX_API_KEY": ("IndexKey", "IndexApiKeySecretArn", "IndexApiKey"),
        "MODEL_API_KEY": ("ModelKey", "ModelApiKeySecretArn", "ModelApiKey"),
        "RERANKER_API_KEY": ("RerankerKey", "RerankerApiKeySecretArn", "RerankerApiKey"),
    }
    for name, function in _functions(stack).items():
        for variable in SECRET_VARIABLES:
            value = _environment(function).get(f"LECTERN_{variable}")
            if value is None:
                continue
            made, elsewhere, parameter = logical[variable]
            place = stack.parameters[elsewhere]
            if not place and made and (parameter is None or stack.parameters[parameter]):
                place = f"<Secrets.{made}>"
            if place:
                assert value == f"secretsmanager:{place}#{fields.get(variable, 'api_key')}", (name, variable)
            else:
                assert value == "", (name, variable)
        # The value of a secret is nowhere in the function.
        for parameter in ("IndexApiKey", "ModelApiKey", "RerankerApiKey"):
            value = stack.parameters[parameter]
            assert not value or value not in str(function), (name, parameter)


def write_traces_and_json_to_their_own_log(stack):
    for name, function in _functions(stack).items():
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        logging = function["LoggingConfig"]
        assert logging["LogGroup"] == f"<Logs.{name.capitalize()}Logs>", name
        # LECTERN_LOG says which lines there are; Lambda must hold none back.
        assert (logging["LogFormat"], logging["ApplicationLogLevel"]) == ("JSON", "TRACE"), name


def take_work_from_the_queue_and_give_back_what_failed(stack):
    mapping = stack.one("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionName"] == alias("ingest")
    assert mapping["EventSourceArn"] == "<Data.JobsQueue.Arn>"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": stack.parameters["IngestConcurrency"]}
    reserved = int(stack.parameters["IngestReserved"])
    assert reserved == 0 or reserved > int(stack.parameters["IngestConcurrency"])


def run_on_schedule(stack):
    schedules = {path: of["Properties"] for path, of in stack.all("AWS::Scheduler::Schedule").items()}
    found = {
        path: (schedule["ScheduleExpression"], schedule["Target"]["Input"], schedule["Target"]["Arn"])
        for path, schedule in schedules.items()
    }
    assert found == {
        "IngestFunctionSweep": ("rate(5 minutes)", '{"task":"sweep"}', alias("ingest")),
        "BackupFunctionDaily": ("cron(0 3 * * ? *)", '{"task":"backup"}', alias("backup")),
        "BackupFunctionContinue": ("rate(15 minutes)", '{"task":"continue"}', alias("backup")),
        "BackupFunctionDrill": ("cron(0 5 ? * SUN *)", '{"task":"drill"}', alias("backup")),
    }
    for path, schedule in schedules.items():
        assert schedule["ScheduleExpressionTimezone"] == "UTC", path
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": "<Data.ScheduleDeadLetterQueue.Arn>"}, path
        assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] > 0, path
    # The scheduler hands over and forgets: a run that fails is retried, and kept, by Lambda.
    invokes = {of["Properties"]["FunctionName"]: of["Properties"] for of in stack.all("AWS::Lambda::EventInvokeConfig").values()}
    assert set(invokes) == {"<IngestFunction>", "<BackupFunction>"}
    for function, invoke in invokes.items():
        assert invoke["Qualifier"] == "live", function
        assert invoke["DestinationConfig"]["OnFailure"]["Destination"] == "<Data.ScheduleDeadLetterQueue.Arn>", function


def keep_query_warm_only_when_asked(stack):
    instances = int(stack.parameters["QueryProvisioned"])
    alias = stack.properties("QueryFunctionAliaslive")
    targets = stack.all("AWS::ApplicationAutoScaling::ScalableTarget")
    if not instances:
        assert "ProvisionedConcurrencyConfig" not in alias and not targets
        return
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": str(instances)}
    policy = stack.one("AWS::ApplicationAutoScaling::ScalingPolicy")
    assert policy["PolicyType"] == "TargetTrackingScaling"
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["PredefinedMetricSpecification"] == {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}
    target = targets["Scaling.Target"]["Properties"]
    assert target["ScalableDimension"] == "lambda:function:ProvisionedConcurrency"
    assert int(target["MinCapacity"]) == instances <= int(target["MaxCapacity"])
    assert target["ResourceId"] == "function:<QueryFunction>:live"
