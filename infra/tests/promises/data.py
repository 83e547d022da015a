"""The data: table, buckets, queues, secrets."""

import json

from contract import TIMEOUTS
from deployment import deploy

QUEUES = ("JobsQueue", "DeadLetterQueue", "ScheduleDeadLetterQueue")


def _bucket(stack, name):
    return stack.properties(f"Data.{name}")


def _statements(stack, kind, target):
    """Returns the statements of the policies of `kind` that are attached to `target`, by their name."""
    found = {}
    for of in stack.all(kind).values():
        properties = of["Properties"]
        if target in (properties.get("Bucket"), *properties.get("Queues", [])):
            found |= {statement["Sid"]: statement for statement in properties["PolicyDocument"]["Statement"]}
    return found


def _is_tls_only(statement, resources):
    assert statement["Effect"] == "Deny" and statement["Principal"] == "*", statement
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, statement
    assert statement["Action"] in ("s3:*", "sqs:*"), statement
    assert statement["Resource"] == resources, statement


def _rule(bucket, name):
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert all(rule["Status"] == "Enabled" for rule in rules.values())
    return rules[name]


def table_has_its_keys(stack):
    table = stack.one("AWS::DynamoDB::Table")
    assert table["KeySchema"] == [
        {"AttributeName": "PK", "KeyType": "HASH"},
        {"AttributeName": "SK", "KeyType": "RANGE"},
    ]
    [index] = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("GSI1", {"ProjectionType": "ALL"})
    assert index["KeySchema"] == [
        {"AttributeName": "GSI1PK", "KeyType": "HASH"},
        {"AttributeName": "GSI1SK", "KeyType": "RANGE"},
    ]
    types = {of["AttributeName"]: of["AttributeType"] for of in table["AttributeDefinitions"]}
    assert types == dict.fromkeys(("PK", "SK", "GSI1PK", "GSI1SK"), "S")


def table_costs_nothing_when_idle(stack):
    assert stack.one("AWS::DynamoDB::Table")["BillingMode"] == "PAY_PER_REQUEST"


def table_forgets_what_expired(stack):
    expiry = stack.one("AWS::DynamoDB::Table")["TimeToLiveSpecification"]
    assert expiry == {"AttributeName": "expires_at", "Enabled": True}


def table_can_be_had_back(stack):
    table = stack.one("AWS::DynamoDB::Table")
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["DeletionProtectionEnabled"] is (stack.parameters["Environment"] == "prod")


def a_restored_table_takes_the_place_of_the_stack_s(stack):
    restored = deploy(stack.sources, **stack.parameters | {"RestoredTable": "lectern-2"})
    assert restored.output("Table") == "lectern-2"
    functions = restored.all("AWS::Lambda::Function").values()
    told = [of["Properties"]["Environment"]["Variables"].get("LECTERN_TABLE_URL") for of in functions]
    assert set(filter(None, told)) == {"dynamodb://lectern-2"}
    # Versions that use the stack's own run until the new ones are there.
    for kind in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
        rights = json.dumps(restored.all(kind))
        for table in ("<Data.Table.Arn>", "arn:aws:dynamodb:eu-central-1:123456789012:table/lectern-2"):
            assert f'"{table}"' in rights and f'"{table}/index/GSI1"' in rights, (kind, table)
    ways = {of["Properties"]["DeploymentConfigName"] for of in restored.all("AWS::CodeDeploy::DeploymentGroup").values()}
    assert ways == {"CodeDeployDefault.LambdaAllAtOnce"}, "two tables would be written to"
    # Its own stays: a deployment deletes no data.
    assert restored.properties("Data.Table")["KeySchema"]


def everything_is_encrypted(stack):
    assert stack.one("AWS::DynamoDB::Table")["SSESpecification"] == {"SSEEnabled": True}
    for path, of in stack.all("AWS::S3::Bucket").items():
        [rule] = of["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms"), path
    for path, of in stack.all("AWS::SQS::Queue").items():
        assert of["Properties"]["SqsManagedSseEnabled"] is True, path


def data_outlives_the_stack(stack):
    kept = {
        path: of
        for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
        for path, of in stack.all(kind).items()
    }
    if "Secrets.KeyPepper" in stack.all("AWS::SecretsManager::Secret"):
        kept["Secrets.KeyPepper"] = stack.all("AWS::SecretsManager::Secret")["Secrets.KeyPepper"]
    for path, of in kept.items():
        assert of["DeletionPolicy"] == "RetainExceptOnCreate", path
        assert of["UpdateReplacePolicy"] == "Retain", path


def buckets_are_private_versioned_and_tls_only(stack):
    buckets = stack.all("AWS::S3::Bucket")
    of_canary = {"Canary.Artifacts"} if stack.parameters["CanaryKeySecretArn"] else set()
    assert set(buckets) == {"Data.Documents", "Data.Backups", "Audit.Records"} | of_canary
    for path, of in buckets.items():
        bucket = of["Properties"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, path
        blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(blocks, True), path
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}, path
        statements = _statements(stack, "AWS::S3::BucketPolicy", f"<{path}>")
        more = {"NobodyDeletes", "OnlyDeliveryWrites"} if path == "Audit.Records" else set()
        assert set(statements) == {"OnlyOverTls"} | more, path
        _is_tls_only(statements["OnlyOverTls"], [f"<{path}.Arn>", f"<{path}.Arn>/*"])


def audit_records_are_written_by_delivery_alone_and_deleted_by_nobody(stack):
    statements = _statements(stack, "AWS::S3::BucketPolicy", "<Audit.Records>")
    deletes = statements["NobodyDeletes"]
    assert (deletes["Effect"], deletes["Principal"]) == ("Deny", "*") and "Condition" not in deletes
    assert set(deletes["Action"]) == {"s3:DeleteObject", "s3:DeleteObjectVersion"}
    writes = statements["OnlyDeliveryWrites"]
    assert (writes["Effect"], writes["Principal"], writes["Action"]) == ("Deny", "*", "s3:PutObject")
    assert writes["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": "<Audit.DeliveryRole.Arn>"}}
    for statement in (deletes, writes):
        assert statement["Resource"] == "<Audit.Records.Arn>/*"
    expiry = _rule(stack.properties("Audit.Records"), "expire-records")
    assert str(expiry["ExpirationInDays"]) == str(stack.parameters["AuditRetentionDays"]) and "Prefix" not in expiry


def audit_records_are_delivered(stack):
    filters = {path: of["Properties"] for path, of in stack.all("AWS::Logs::SubscriptionFilter").items()}
    groups = {each["LogGroupName"] for each in filters.values()}
    # Those whose routes ask for a credential.
    assert groups == {f"<Logs.{name}Logs>" for name in ("Query", "Upload", "Backup", "Admin")}
    for each in filters.values():
        assert each["FilterPattern"] == '{ $.log = "audit" }'
        assert each["DestinationArn"] == "<Audit.Delivery.Arn>"
        assert each["RoleArn"] == "<Audit.SubscriptionRole.Arn>"
    delivery = stack.properties("Audit.Delivery")["ExtendedS3DestinationConfiguration"]
    assert (delivery["BucketARN"], delivery["RoleARN"]) == ("<Audit.Records.Arn>", "<Audit.DeliveryRole.Arn>")
    assert delivery["CompressionFormat"] == "GZIP" and delivery["FileExtension"].endswith(".gz")
    kinds = [processor["Type"] for processor in delivery["ProcessingConfiguration"]["Processors"]]
    assert kinds == ["Decompression", "CloudWatchLogProcessing"]


def documents_are_tidied(stack):
    bucket = _bucket(stack, "Documents")
    old = _rule(bucket, "forget-old-versions")
    assert old["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30} and "Prefix" not in old
    unfinished = _rule(bucket, "abort-unfinished-uploads")
    assert unfinished["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1} and "Prefix" not in unfinished
    uploads = _rule(bucket, "expire-uploads")
    assert (uploads["Prefix"], uploads["ExpirationInDays"]) == ("uploads/", 1)


def uploads_ring(stack):
    bucket = _bucket(stack, "Documents")
    [notification] = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert notification == {
        "Event": "s3:ObjectCreated:*",
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "uploads/"}]}},
        "Queue": "<Data.JobsQueue.Arn>",
    }
    # S3 asks the queue for leave when the bucket is made.
    assert stack.child("Data").resources["Documents"]["DependsOn"] == "JobsQueuePolicy"
    statement = _statements(stack, "AWS::SQS::QueuePolicy", "<Data.JobsQueue>")["BucketNotifies"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"} and statement["Action"] == "sqs:SendMessage"
    assert statement["Resource"] == "<Data.JobsQueue.Arn>"
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": "arn:aws:s3:::*"}


def browsers_may_upload_from_the_allowed_origin(stack):
    [rule] = _bucket(stack, "Documents")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == [stack.parameters["AllowedOrigins"]]
    assert rule["AllowedMethods"] == ["PUT"]
    assert "CorsConfiguration" not in _bucket(stack, "Backups")


def backups_are_kept_as_long_as_promised(stack):
    bucket = _bucket(stack, "Backups")
    # The function prunes by this; a part is shared by backups of any age, so that none may expire by its own.
    variables = stack.properties("BackupFunction")["Environment"]["Variables"]
    assert str(variables["LECTERN_BACKUP_DAYS"]) == str(stack.parameters["BackupRetentionDays"])
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert not any("ExpirationInDays" in rule for rule in rules)
    rule = _rule(bucket, "expire-backups")
    assert rule["Prefix"] == "backups/"
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    lock = stack.parameters["BackupObjectLock"]
    assert bucket["ObjectLockEnabled"] is (lock != "none")
    if lock == "none":
        assert "ObjectLockConfiguration" not in bucket
    else:
        retention = {"Mode": lock, "Days": stack.parameters["BackupRetentionDays"]}
        assert bucket["ObjectLockConfiguration"] == {
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": retention},
        }


def poison_ends_in_the_dead_letter_queue(stack):
    assert set(stack.all("AWS::SQS::Queue")) == {f"Data.{name}" for name in QUEUES}
    jobs, letters = stack.properties("Data.JobsQueue"), stack.properties("Data.DeadLetterQueue")
    redrive = jobs["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": "<Data.DeadLetterQueue.Arn>", "maxReceiveCount": 5}
    allowed = letters["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    # The same queue, by the name it was given.
    assert allowed["sourceQueueArns"] == [f"arn:aws:sqs:eu-central-1:123456789012:{jobs['QueueName']}"]
    assert letters["MessageRetentionPeriod"] > jobs["MessageRetentionPeriod"]


def a_message_is_hidden_long_enough(stack):
    # AWS's advice for queues before functions: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    assert stack.properties("Data.JobsQueue")["VisibilityTimeout"] >= 6 * TIMEOUTS["ingest"]


def queues_are_tls_only(stack):
    for name in QUEUES:
        statements = _statements(stack, "AWS::SQS::QueuePolicy", f"<Data.{name}>")
        extra = {"BucketNotifies"} if name == "JobsQueue" else set()
        assert set(statements) == {"OnlyOverTls"} | extra, name
        _is_tls_only(statements["OnlyOverTls"], f"<Data.{name}.Arn>")


def secrets_are_made_only_where_none_is_given(stack):
    wanted = set()
    for secret, parameter in (("IndexKey", "IndexApiKey"), ("ModelKey", "ModelApiKey"), ("RerankerKey", "RerankerApiKey")):
        if stack.parameters[parameter] and not stack.parameters[f"{parameter}SecretArn"]:
            wanted.add(f"Secrets.{secret}")
    rotated = {f"<{path}>" for path in wanted} if stack.parameters["RotationFunctionArn"] else set()
    if not stack.parameters["KeyPepperSecretArn"]:
        wanted.add("Secrets.KeyPepper")
    secrets = stack.all("AWS::SecretsManager::Secret")
    assert set(secrets) == wanted
    if "Secrets.KeyPepper" in secrets:
        generated = secrets["Secrets.KeyPepper"]["Properties"]["GenerateSecretString"]
        assert (generated["PasswordLength"], generated["GenerateStringKey"]) == (64, "pepper")
    # Under another pepper no key would be valid: it is not among those that rotate.
    schedules = [of["Properties"] for of in stack.all("AWS::SecretsManager::RotationSchedule").values()]
    assert {schedule["SecretId"] for schedule in schedules} == rotated
    for schedule in schedules:
        assert schedule["RotationLambdaARN"] == stack.parameters["RotationFunctionArn"]
        assert schedule["RotationRules"] == {"AutomaticallyAfterDays": stack.parameters["RotationDays"]}


def secrets_given_as_parameters_are_not_shown(stack):
    secret = {"IndexApiKey", "ModelApiKey", "PagerUrl", "RerankerApiKey"}
    for below in stack.stacks():
        for name, parameter in below.template.get("Parameters", {}).items():
            assert (str(parameter.get("NoEcho", False)).lower() == "true") == (name in secret), (below.file, name)
    outputs = {name: stack.output(name) for name, of in stack.template["Outputs"].items() if "Condition" not in of}
    for name in secret:
        value = stack.parameters[name]
        assert not value or value not in str(outputs), name
