"""An account on moto, with what the commands of the documentation name, under the names that the templates give it.

Table, queues, buckets and log groups are created from the templates; the rest from boto3, for moto has no CloudFormation for it.
"""

import io
import json
import zipfile

from imitation import ask_moto, clients, create
from translate import ROOT, read

ACCOUNT = "123456789012"
REGION = "eu-central-1"
DATA = {
    "Environment": "prod",
    "AllowedOrigins": "*",
    "BackupRetentionDays": "30",
    "BackupObjectLock": "GOVERNANCE",
    "RestoredTable": "",
}
LOGS = {"RetentionInDays": "30", "ManageApiLogging": "false"}
# What the function `admin` answers: moto runs no functions.
KEY = '{"id":"k1","key":"lk_k1_secret"}'


def fill(address, stack):
    """Creates what a deployment named `stack` has. Returns the values for words that a reader fills in."""
    ask_moto(address, "config", {"lambda": {"use_docker": False}})
    client = clients(address)
    audit = f"{stack}-audit"
    client("s3").create_bucket(Bucket=audit, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_object(Bucket=audit, Key="records/2026/11/23/part", Body=b"{}")
    certificate = client("acm").request_certificate(DomainName=f"{stack}.example.org")["CertificateArn"]
    known = {"AuditBucket": audit, "Canary": f"{stack}-canary", "AdminFunctionName": f"{stack}-admin"}
    outputs = deploy(client, stack, known, certificate)
    protect(client, outputs)
    mapping = functions(client, stack, outputs["JobsQueueUrl"])
    topic = client("sns").create_topic(Name=f"{stack}-Alarms-1-Topic")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="on-call@example.org")
    client("sqs").send_message(
        QueueUrl=outputs["DeadLetterQueueUrl"],
        MessageBody="job",
        MessageAttributes={"cause": {"DataType": "String", "StringValue": "the index refuses it"}},
    )
    client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": f"{stack}-month",
            "BudgetLimit": {"Amount": "50", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
    )
    acl(client, f"{stack}-Waf-1-WebAcl")
    return {
        "GIVEN_STACK": stack,
        "GIVEN_SECRET": secret(client, stack),
        "GIVEN_DEPLOYMENT": deployment(client, stack),
        "GIVEN_VERSION": "1",
        "GIVEN_MAPPING": mapping,
        "GIVEN_BUCKET": outputs["DocumentsBucket"],
        # As what AWS makes of a table when it is deleted.
        "GIVEN_BACKUP": client("dynamodb").create_backup(TableName=outputs["Table"], BackupName="last")["BackupDetails"]["BackupArn"],
        "GIVEN_GATEWAY_KEY": client("apigateway").create_api_key(name=stack, enabled=True)["id"],
    }


def deploy(client, stack, known, certificate):
    """Creates a stack with the outputs of the real one: those of its data are real, others as `known`. Returns them."""
    template = read(ROOT / "template.yaml")
    data = create(client, f"{stack}-Data-1", (ROOT / "infra/data.yaml").read_text(), {"Name": stack, **DATA})
    create(client, f"{stack}-Logs-1", (ROOT / "infra/logs.yaml").read_text(), {"Name": stack, **LOGS})
    outputs = {}
    for name, output in template["Outputs"].items():
        place = output["Value"].get("Fn::GetAtt", ["", ""]) if isinstance(output["Value"], dict) else ["", ""]
        value = data[place[1].removeprefix("Outputs.")] if place[0] == "Data" else known.get(name, name)
        outputs[name] = {"Value": value}
    body = {
        "Parameters": {"CertificateArn": template["Parameters"]["CertificateArn"]},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": outputs,
    }
    return create(client, stack, json.dumps(body), {"CertificateArn": certificate})


def protect(client, outputs):
    """Does what moto leaves out of the template's data: `promises/data.py` holds that it stands there."""
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}}
    client("s3").put_bucket_versioning(Bucket=outputs["BackupsBucket"], VersioningConfiguration={"Status": "Enabled"})
    client("s3").put_object_lock_configuration(Bucket=outputs["BackupsBucket"], ObjectLockConfiguration=lock)
    client("dynamodb").update_continuous_backups(
        TableName=outputs["Table"], PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def function_names(stack):
    """Returns the names of the template's functions."""
    resources = read(ROOT / "template.yaml")["Resources"].values()
    names = [r["Properties"]["FunctionName"]["Fn::Sub"] for r in resources if r["Type"] == "AWS::Serverless::Function"]
    return [name.replace("${AWS::StackName}", stack) for name in names]


def functions(client, stack, queue):
    """Creates functions with the alias that the template gives them. Returns the id of the mapping from the queue of jobs."""
    iam = client("iam")
    policy = {"Version": "2012-10-17", "Statement": []}
    role = iam.create_role(RoleName=stack, AssumeRolePolicyDocument=json.dumps(policy))["Role"]["Arn"]
    alias = read(ROOT / "template.yaml")["Globals"]["Function"]["AutoPublishAlias"]
    for name in function_names(stack):
        client("lambda").create_function(
            FunctionName=name, Runtime="provided.al2023", Role=role, Handler="bootstrap", Code={"ZipFile": archive()}, Publish=True
        )
        client("lambda").create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=f"{stack}-ingest:{alias}")
    return mapping["UUID"]


def archive():
    """Returns an archive that Lambda takes for code or for a layer."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("bootstrap", "")
    return held.getvalue()


def alarm(client, name, state):
    client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace="Lectern", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="as the test wants it")


def secret(client, stack):
    description = read(ROOT / "infra/secrets.yaml")["Resources"]["IndexKey"]["Properties"]["Description"]
    tags = [{"Key": "aws:cloudformation:stack-name", "Value": f"{stack}-Secrets-1"}]
    return client("secretsmanager").create_secret(
        Name=f"{stack}-IndexKey", Description=description, SecretString='{"api_key":"old"}', Tags=tags
    )["ARN"]


def acl(client, name):
    visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": "acl"}
    client("wafv2").create_web_acl(Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visible)


def deployment(client, stack):
    deploy = client("codedeploy")
    deploy.create_application(applicationName=stack, computePlatform="Lambda")
    deploy.create_deployment_group(
        applicationName=stack, deploymentGroupName="Query", serviceRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{stack}"
    )
    revision = {"revisionType": "String", "string": {"content": "{}"}}
    made = deploy.create_deployment(applicationName=stack, deploymentGroupName="Query", revision=revision)
    return made["deploymentId"]
