"""The data in moto's CloudFormation, as far as that goes.

It shows that the template can be created in some order, that names which refer to each other meet, and that the queue's
redrive does what it should. It shows nothing about what moto 5.2 leaves out without a word: expiry, point-in-time
recovery and encryption of the table; versioning, lifecycle, notifications, CORS, ownership, public access and policies of
buckets; policies of queues and `RedriveAllowPolicy`; secrets and their rotation; log group classes. Those are compared with the
promises as text, in `promises/data.py`. API Gateway's streaming, CodeDeploy and WAF moto does not have.
"""

import json

import pytest

from imitation import clients, create, server
from translate import ROOT

DATA = {
    "Name": "lectern",
    "Environment": "prod",
    "AllowedOrigins": "*",
    "BackupRetentionDays": "30",
    "BackupObjectLock": "none",
    "RestoredTable": "",
}


@pytest.fixture(scope="module")
def client():
    """Returns a way to get clients of a moto server of this test's own."""
    with server() as address:
        yield clients(address)


def created(client, name, file, parameters):
    return create(client, name, (ROOT / file).read_text(), parameters)


@pytest.fixture(scope="module")
def data(client):
    return created(client, "data", "infra/data.yaml", DATA)


def test_the_table_has_its_keys(client, data):
    table = client("dynamodb").describe_table(TableName=data["Table"])["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["PK", "SK"]
    [index] = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "GSI1" and index["Projection"] == {"ProjectionType": "ALL"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] is True


def test_an_item_is_found_by_both_keys(client, data):
    dynamodb = client("dynamodb")
    item = {name: {"S": name.lower()} for name in ("PK", "SK", "GSI1PK", "GSI1SK")}
    dynamodb.put_item(TableName=data["Table"], Item=item)
    for index, names in (({}, ("PK", "SK")), ({"IndexName": "GSI1"}, ("GSI1PK", "GSI1SK"))):
        found = dynamodb.query(
            TableName=data["Table"],
            **index,
            KeyConditionExpression=f"{names[0]} = :p AND {names[1]} = :s",
            ExpressionAttributeValues={":p": {"S": names[0].lower()}, ":s": {"S": names[1].lower()}},
        )
        assert found["Items"] == [item]


def test_buckets_are_there_and_encrypted(client, data):
    s3 = client("s3")
    for bucket in (data["Documents"], data["Backups"]):
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_a_job_that_fails_five_times_is_a_dead_letter(client, data):
    sqs = client("sqs")
    jobs, letters = data["JobsQueueUrl"], data["DeadLetterQueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive == {"deadLetterTargetArn": data["DeadLetterQueueArn"], "maxReceiveCount": 5}
    assert int(attributes["VisibilityTimeout"]) == 1800
    sqs.send_message(QueueUrl=jobs, MessageBody="poison")
    for _ in range(5):
        assert len(sqs.receive_message(QueueUrl=jobs, VisibilityTimeout=0)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=jobs, VisibilityTimeout=0)
    [letter] = sqs.receive_message(QueueUrl=letters)["Messages"]
    assert letter["Body"] == "poison"


def test_rights_to_models_are_computed_as_meant(client, data):
    """Another reader than the tests' own of the functions that cut a model's name out of a parameter."""
    given = {name: data.get(name, "arn:aws:x:::y") for name in ("TableArn", "OwnTableArn", "DocumentsArn", "BackupsArn", "JobsQueueArn")}
    given |= {name: data[name] for name in ("DeadLetterQueueArn", "ScheduleDeadLetterQueueArn")}
    given |= {"Name": "lectern", "KeyPepperArn": "arn:aws:x:::pepper", "IndexKeyArn": "", "ModelKeyArn": "", "RerankerKeyArn": ""}
    given |= {"BackupIdentityArn": "", "Guardrail": "gr4il1d:7"}
    given |= {"Chat": "bedrock:us.amazon.nova-lite-v1:0", "Embedder": "bedrock:cohere.embed-v4:0@512", "BedrockModelArns": ""}
    outputs = created(client, "roles", "infra/roles.yaml", given)
    iam = client("iam")
    models = {}
    for function in ("query", "ingest"):
        role = outputs[function.capitalize()].rsplit("/", 1)[1]
        document = iam.get_role_policy(RoleName=role, PolicyName=function)["PolicyDocument"]
        # moto gives back the text of a Python value, with `None` for what is left out.
        statements = document if isinstance(document, dict) else eval(document, {"__builtins__": {}})  # noqa: S307
        models[function] = {
            resource.split(":", 5)[-1]
            for statement in statements["Statement"]
            if statement and "bedrock:InvokeModel" in statement["Action"]
            for resource in statement["Resource"]
        }
        guardrails = [it["Resource"] for it in statements["Statement"] if it and it["Action"] == "bedrock:ApplyGuardrail"]
        assert [arn.split(":", 5)[-1] for arn in guardrails] == (["guardrail/gr4il1d"] if function == "query" else [])
    embedder = {"foundation-model/cohere.embed-v4:0", "inference-profile/cohere.embed-v4:0"}
    chat = {"foundation-model/us.amazon.nova-lite-v1:0", "inference-profile/us.amazon.nova-lite-v1:0"}
    assert models == {"query": chat | embedder, "ingest": embedder}


def test_logs_are_kept_as_long_as_asked(client):
    created(client, "logs", "infra/logs.yaml", {"Name": "lectern", "RetentionInDays": "7", "ManageApiLogging": "false"})
    groups = client("logs").describe_log_groups()["logGroups"]
    assert len(groups) == 8 and {group["retentionInDays"] for group in groups} == {7}
