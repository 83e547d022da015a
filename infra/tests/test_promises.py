"""What the stack promises holds in every environment, and each test of it notices when it does not."""

import copy

import pytest

import promises
from contract import WITHOUT_RESOURCES
from deployment import deploy
from scenarios import SCENARIOS, scenario, sources

TEMPLATE = "template.yaml"
DATA, ROLES, SMOKE, CANARY = "infra/data.yaml", "infra/roles.yaml", "infra/smoke.yaml", "infra/canary.yaml"


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("promise", promises.ALL)
def test_kept(promise, name):
    promises.ALL[promise](scenario(name))


def at(file, *keys):
    """Returns a way to one place in a template: the container and the last key. The first key is a resource, or with `..`
    before it a section."""
    keys = (keys[0].removeprefix(".."), *keys[1:]) if keys[0].startswith("..") else ("Resources", *keys)

    def find(templates):
        node = templates[file]
        for key in keys[:-1]:
            node = node[key]
        return node, keys[-1]

    return find


def without(file, *keys):
    def break_it(templates):
        node, key = at(file, *keys)(templates)
        del node[key]

    return break_it


def with_value(value, file, *keys):
    def break_it(templates):
        node, key = at(file, *keys)(templates)
        assert node[key] != value
        node[key] = value

    return break_it


def with_more(item, file, *keys):
    def break_it(templates):
        node, key = at(file, *keys)(templates)
        node[key].append(item) if isinstance(node[key], list) else node[key].update(item)

    return break_it


def function(name, *keys):
    return (TEMPLATE, f"{name}Function", "Properties", *keys)


def resource(file, name, *keys):
    return (file, name, "Properties", *keys)


def statements(role):
    return resource(ROLES, role, "Policies", 0, "PolicyDocument", "Statement")


IDENTITY = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "BackupIdentityArn"}}
ANY = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
OPEN = {
    "Type": "AWS::Lambda::Permission",
    "Properties": {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "AdminFunction"}, "Principal": "*"},
}
# Promise, a change after which it must not hold any more, and the scenario in which that shows, when it is not `full`. after which it must not hold any more.
BROKEN = [
    ("api.streams_all_of_query_and_nothing_else", with_value("STREAM", *function("Query", "Events", "Ask", "Properties", "ResponseTransferMode"))),
    ("api.streams_all_of_query_and_nothing_else", without(*function("Query", "Events", "ReadSession", "Properties", "ResponseTransferMode"))),
    ("api.streams_all_of_query_and_nothing_else", with_more({"ResponseTransferMode": "RESPONSE_STREAM"}, *function("Health", "Events", "Alive", "Properties"))),
    ("api.routes_go_to_their_functions", without(*function("Upload", "Events", "RetryDocument"))),
    ("api.routes_go_to_their_functions", with_value("PUT", *function("Admin", "Events", "ChangeBudget", "Properties", "Method"))),
    ("api.wants_json_where_it_is_due_and_judges_it_no_further", without(*function("Query", "Events", "Search", "Properties", "RequestModel"))),
    ("api.wants_json_where_it_is_due_and_judges_it_no_further", without(*function("Admin", "Events", "AddKey", "Properties", "RequestModel"))),
    ("api.wants_json_where_it_is_due_and_judges_it_no_further", with_more({"required": ["question"]}, *resource(TEMPLATE, "Api", "Models", "Json"))),
    ("api.answers_preflights", with_value("'content-type'", *resource(TEMPLATE, "Api", "Cors", "AllowHeaders"))),
    ("api.takes_uploads_byte_by_byte", with_more("*/*", *resource(TEMPLATE, "Api", "BinaryMediaTypes"))),
    ("api.throttles_every_method_and_costly_ones_more", with_value("/v1/querry", *resource(TEMPLATE, "Api", "MethodSettings", 1, "ResourcePath"))),
    ("api.throttles_every_method_and_costly_ones_more", without(*resource(TEMPLATE, "Api", "MethodSettings", 0))),
    ("api.answers_as_lectern_does_when_the_gateway_refuses", with_value("500", *resource(TEMPLATE, "Api", "GatewayResponses", "THROTTLED", "StatusCode"))),
    ("api.answers_as_lectern_does_when_the_gateway_refuses", without(*resource(TEMPLATE, "Api", "GatewayResponses", "DEFAULT_5XX"))),
    ("api.logs_and_traces_requests_without_their_content", with_value('{"requestId":"$context.requestId","path":"$context.path"}', *resource(TEMPLATE, "Api", "AccessLogSetting", "Format"))),
    ("api.is_regional", with_value("EDGE", *resource(TEMPLATE, "Api", "EndpointConfiguration", "Type"))),
    ("api.asks_for_gateway_keys_only_with_a_usage_plan", without(*resource(TEMPLATE, "Api", "Auth"))),
    ("api.asks_for_gateway_keys_only_with_a_usage_plan", with_value(True, *resource(TEMPLATE, "Api", "Auth", "ApiKeyRequired")), "defaults"),
    ("api.has_a_domain_only_when_named_and_only_with_tls_1_2", with_value("TLS_1_0", *resource("infra/domain.yaml", "Domain", "SecurityPolicy"))),
    ("functions.run_as_built", with_value("provided.al2", TEMPLATE, "..Globals", "Function", "Runtime")),
    ("functions.have_the_timeouts_of_their_service_levels", without(*function("Ingest", "Timeout"))),
    ("functions.have_the_memory_and_concurrency_that_was_asked_for", with_value(256, *function("Query", "MemorySize"))),
    ("functions.are_told_exactly_what_the_contract_says", with_more({"LECTERN_CHAT": "extractive"}, *function("Ingest", "Environment", "Variables"))),
    ("functions.are_told_exactly_what_the_contract_says", without(*function("Site", "Environment", "Variables", "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"))),
    ("functions.are_told_exactly_what_the_contract_says", without(*function("Backup", "Environment", "Variables", "LECTERN_BACKUP_IDENTITY"))),
    ("functions.are_told_exactly_what_the_contract_says", without(*function("Admin", "Environment", "Variables", "LECTERN_PRICES"))),
    ("functions.are_told_exactly_what_the_contract_says", without(*function("Ingest", "Environment", "Variables", "LECTERN_PRICES"))),
    ("functions.are_told_exactly_what_the_contract_says", without(*function("Query", "Environment", "Variables", "LECTERN_GUARDRAIL"))),
    ("functions.are_told_where_things_are", with_value({"Ref": "BudgetUsdPerMonth"}, *function("Query", "Environment", "Variables", "LECTERN_BUDGET_USD_PER_DAY"))),
    ("functions.are_told_where_things_are", with_value("{}", *function("Admin", "Environment", "Variables", "LECTERN_PRICES"))),
    ("functions.are_told_where_things_are", with_value("[]", *function("Backup", "Environment", "Variables", "LECTERN_ISSUERS"))),
    ("functions.are_told_where_things_are", with_value({"Ref": "ModelUrl"}, *function("Query", "Environment", "Variables", "LECTERN_INDEX_URL"))),
    ("functions.are_told_of_secrets_only_where_they_are", with_value({"Ref": "ModelApiKey"}, *function("Query", "Environment", "Variables", "LECTERN_MODEL_API_KEY"))),
    ("functions.are_told_of_secrets_only_where_they_are", with_value("", *function("Backup", "Environment", "Variables", "LECTERN_BACKUP_IDENTITY"))),
    ("functions.are_told_of_secrets_only_where_they_are", with_value({"Fn::Sub": "secretsmanager:${BackupIdentitySecretArn}#identity"}, *function("Backup", "Environment", "Variables", "LECTERN_BACKUP_IDENTITY")), "defaults"),
    ("functions.write_traces_and_json_to_their_own_log", with_value({"Fn::GetAtt": "Logs.Outputs.Query"}, *function("Upload", "LoggingConfig", "LogGroup"))),
    ("functions.take_work_from_the_queue_and_give_back_what_failed", without(*function("Ingest", "Events", "Jobs", "Properties", "FunctionResponseTypes"))),
    ("functions.run_on_schedule", with_value('{"task":"swep"}', *function("Ingest", "Events", "Sweep", "Properties", "Input"))),
    ("functions.run_on_schedule", without(*function("Backup", "Events", "Drill", "Properties", "DeadLetterConfig"))),
    ("functions.run_on_schedule", without(*function("Backup", "EventInvokeConfig"))),
    ("functions.keep_query_warm_only_when_asked", with_value({"ProvisionedConcurrentExecutions": 1}, *function("Query", "ProvisionedConcurrencyConfig"))),
    ("rights.are_exactly_the_contracts", with_more(ANY, *statements("Upload"))),
    ("rights.are_exactly_the_contracts", with_more({"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": {"Ref": "TableArn"}}, *statements("Site"))),
    ("rights.are_exactly_the_contracts", without(*resource(ROLES, "Admin", "ManagedPolicyArns", 2))),
    ("rights.are_exactly_the_contracts", with_more("dynamodb:DeleteTable", *resource(ROLES, "TableAccess", "PolicyDocument", "Statement", 0, "Action"))),
    ("rights.are_exactly_the_contracts", without(*statements("Query"), 1)),
    ("rights.are_exactly_the_contracts", without(*statements("Backup"), 1, "Resource", 2)),
    ("rights.are_exactly_the_contracts", with_value("", TEMPLATE, "Roles", "Properties", "Parameters", "BackupIdentityArn")),
    ("rights.are_exactly_the_contracts", with_more(IDENTITY, *resource(ROLES, "SecretsTogether", "PolicyDocument", "Statement"))),
    ("rights.are_exactly_the_contracts", with_more({"Ref": "BackupIdentityArn"}, *statements("Upload"), 1, "Resource")),
    ("rights.are_exactly_the_contracts", with_value("NoSuchCondition", ROLES, "..Conditions", "ChatIsBedrock")),
    ("rights.are_exactly_the_contracts", with_value("", TEMPLATE, "Roles", "Properties", "Parameters", "Guardrail")),
    ("rights.name_resources", with_more(ANY, *statements("Upload"))),
    ("rights.name_resources", with_value("*", *resource(ROLES, "TableAccess", "PolicyDocument", "Statement", 0, "Resource"))),
    ("rights.name_resources", with_value({"Fn::Sub": "${DocumentsArn}/*"}, *statements("Health"), 3, "Resource")),
    ("rights.leave_no_role_unknown", with_more({"X": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}}}, DATA, "..Resources")),
    ("rights.leave_no_role_unknown", without(*function("Site", "Role"))),
    ("rights.leave_no_role_unknown", with_value({"Service": "synthetics.amazonaws.com"}, *resource(CANARY, "Role", "AssumeRolePolicyDocument", "Statement", 0, "Principal"))),
    ("rights.leave_no_role_unknown", with_more("arn:aws:iam::aws:policy/AdministratorAccess", *resource(ROLES, "Site", "ManagedPolicyArns"))),
    ("rights.of_the_smoke_test_are_to_ask_and_report", with_value("*", *resource(SMOKE, "Role", "Policies", 0, "PolicyDocument", "Statement", 1, "Resource"))),
    ("rights.are_used_by_the_function_they_are_for", with_value({"Fn::GetAtt": "Roles.Outputs.Ingest"}, *function("Health", "Role"))),
    ("rights.of_schedules_are_to_start_their_function", without(*function("Backup", "Events", "Drill", "Properties", "DeadLetterConfig"))),
    ("rights.let_only_the_gateway_start_functions_from_outside", with_more({"Open": OPEN}, TEMPLATE, "..Resources")),
    ("canary.is_there_with_a_key_and_only_then", without(TEMPLATE, "Canary", "Condition"), "defaults"),
    ("canary.is_there_with_a_key_and_only_then", with_value({"Ref": "AWS::StackName"}, TEMPLATE, "..Outputs", "Canary", "Value")),
    ("canary.asks_the_deployed_api", with_value({"Fn::Sub": "https://${Api}.example.com"}, TEMPLATE, "Canary", "Properties", "Parameters", "ApiUrl")),
    ("canary.asks_the_deployed_api", with_value("rate(1 hour)", CANARY, "..Mappings", "Rates", "15", "Expression"), "mixed"),
    ("canary.asks_the_deployed_api", with_value("rate(1 hour)", CANARY, "..Mappings", "Rates", "5", "Expression")),
    ("canary.asks_the_deployed_api", with_value(False, *resource(CANARY, "Canary", "StartCanaryAfterCreation"))),
    ("canary.may_read_its_key_and_leave_its_results", without(*resource(CANARY, "Role", "Policies", 0, "PolicyDocument", "Statement", 3, "Condition"))),
    ("canary.may_read_its_key_and_leave_its_results", with_value({"Fn::Sub": "${Artifacts.Arn}/*"}, *resource(CANARY, "Role", "Policies", 0, "PolicyDocument", "Statement", 0, "Resource"))),
    ("canary.may_read_its_key_and_leave_its_results", with_more("logs:CreateLogGroup", *resource(CANARY, "Role", "Policies", 0, "PolicyDocument", "Statement", 2, "Action"))),
    ("canary.may_read_its_key_and_leave_its_results", with_value({"Fn::Sub": "${AWS::StackName}-canary-of-many-letters"}, TEMPLATE, "Canary", "Properties", "Parameters", "CanaryName")),
    ("canary.what_it_leaves_is_forgotten", without(*resource(CANARY, "Artifacts", "LifecycleConfiguration", "Rules", 0, "ExpirationInDays"))),
    ("canary.what_it_leaves_is_forgotten", with_value(1024, *resource(CANARY, "Canary", "FailureRetentionPeriod"))),
    ("canary.pages_by_the_alarm_that_pages_for_availability", with_value("", TEMPLATE, "Observability", "Properties", "Parameters", "CanaryFails")),
    ("canary.pages_by_the_alarm_that_pages_for_availability", with_value(300, CANARY, "..Mappings", "Rates", "5", "ThreeRuns")),
    ("data.table_has_its_keys", with_value("SK", *resource(DATA, "Table", "KeySchema", 0, "AttributeName"))),
    ("data.table_costs_nothing_when_idle", with_value("PROVISIONED", *resource(DATA, "Table", "BillingMode"))),
    ("data.table_forgets_what_expired", without(*resource(DATA, "Table", "TimeToLiveSpecification"))),
    ("data.table_forgets_what_expired", with_value("ttl", *resource(DATA, "Table", "TimeToLiveSpecification", "AttributeName"))),
    ("data.table_can_be_had_back", without(*resource(DATA, "Table", "PointInTimeRecoverySpecification"))),
    ("data.table_can_be_had_back", with_value(False, *resource(DATA, "Table", "DeletionProtectionEnabled"))),
    ("data.everything_is_encrypted", without(*resource(DATA, "Table", "SSESpecification"))),
    ("data.everything_is_encrypted", without(*resource(DATA, "Backups", "BucketEncryption"))),
    ("data.everything_is_encrypted", without(*resource(DATA, "JobsQueue", "SqsManagedSseEnabled"))),
    ("data.data_outlives_the_stack", without(DATA, "Table", "DeletionPolicy")),
    ("data.buckets_are_private_versioned_and_tls_only", without(*resource(DATA, "Documents", "VersioningConfiguration"))),
    ("data.buckets_are_private_versioned_and_tls_only", without(DATA, "BackupsPolicy")),
    ("data.buckets_are_private_versioned_and_tls_only", with_value(False, *resource(DATA, "Documents", "PublicAccessBlockConfiguration", "BlockPublicPolicy"))),
    ("data.buckets_are_private_versioned_and_tls_only", without(CANARY, "ArtifactsPolicy")),
    ("data.documents_are_tidied", with_value(365, *resource(DATA, "Documents", "LifecycleConfiguration", "Rules", 2, "ExpirationInDays"))),
    ("data.uploads_ring", without(*resource(DATA, "Documents", "NotificationConfiguration"))),
    ("data.uploads_ring", without(*resource(DATA, "JobsQueuePolicy", "PolicyDocument", "Statement", 0, "Condition", "StringEquals"))),
    ("data.browsers_may_upload_from_the_allowed_origin", with_more("GET", *resource(DATA, "Documents", "CorsConfiguration", "CorsRules", 0, "AllowedMethods"))),
    ("data.audit_records_are_written_by_delivery_alone_and_deleted_by_nobody", without("infra/audit.yaml", "RecordsPolicy", "Properties", "PolicyDocument", "Statement", 1, "Principal")),
    ("data.audit_records_are_written_by_delivery_alone_and_deleted_by_nobody", with_value(7, *resource("infra/audit.yaml", "Records", "LifecycleConfiguration", "Rules", 0, "ExpirationInDays"))),
    ("data.audit_records_are_delivered", without("infra/audit.yaml", "UploadRecords")),
    ("rights.of_the_audit_log_are_to_deliver_and_no_more", with_value(["s3:PutObject", "s3:DeleteObject"], *resource("infra/audit.yaml", "DeliveryRole", "Policies", 0, "PolicyDocument", "Statement", 0, "Action"))),
    ("data.backups_are_kept_as_long_as_promised", with_value(1, *resource(DATA, "Backups", "LifecycleConfiguration", "Rules", 0, "NoncurrentVersionExpiration", "NoncurrentDays"))),
    ("data.backups_are_kept_as_long_as_promised", with_value(False, *resource(DATA, "Backups", "ObjectLockEnabled"))),
    ("data.poison_ends_in_the_dead_letter_queue", without(*resource(DATA, "JobsQueue", "RedrivePolicy"))),
    ("data.poison_ends_in_the_dead_letter_queue", with_value("jobs", *resource(DATA, "JobsQueue", "QueueName"))),
    ("data.a_message_is_hidden_long_enough", with_value(300, *resource(DATA, "JobsQueue", "VisibilityTimeout"))),
    ("data.queues_are_tls_only", without(DATA, "ScheduleDeadLetterQueuePolicy")),
    ("data.secrets_are_made_only_where_none_is_given", without("infra/secrets.yaml", "ModelKeyRotation", "Condition"), "mixed"),
    ("data.a_restored_table_takes_the_place_of_the_stack_s", with_value({"Ref": "Table"}, DATA, "..Outputs", "Table", "Value")),
    ("data.a_restored_table_takes_the_place_of_the_stack_s", with_value({"Fn::GetAtt": "Table.Arn"}, DATA, "..Outputs", "TableArn", "Value")),
    ("data.a_restored_table_takes_the_place_of_the_stack_s", with_value({"Fn::GetAtt": "Data.Outputs.TableArn"}, TEMPLATE, "Roles", "Properties", "Parameters", "OwnTableArn")),
    ("data.a_restored_table_takes_the_place_of_the_stack_s", with_value({"Fn::Equals": [{"Ref": "Environment"}, "prod"]}, TEMPLATE, "..Conditions", "ShiftsSlowly")),
    ("data.secrets_are_made_only_where_none_is_given", with_value(16, *resource("infra/secrets.yaml", "KeyPepper", "GenerateSecretString", "PasswordLength"))),
    ("data.secrets_are_made_only_where_none_is_given", with_more({"BackupIdentity": {"Type": "AWS::SecretsManager::Secret"}}, "infra/secrets.yaml", "..Resources"), "defaults"),
    ("data.secrets_given_as_parameters_are_not_shown", without("infra/secrets.yaml", "..Parameters", "ModelApiKey", "NoEcho")),
    ("operations.deployments_shift_traffic_as_the_environment_says", with_value("AllAtOnce", TEMPLATE, "..Globals", "Function", "DeploymentPreference", "Type")),
    ("operations.deployments_roll_back_on_their_functions_alarm", without(*function("Query", "DeploymentPreference"))),
    ("operations.deployments_roll_back_on_their_functions_alarm", with_value([{"Name": "FunctionName", "Value": {"Fn::Sub": "${Name}-site"}}], *resource("infra/alarms.yaml", "QueryErrors", "Dimensions"))),
    ("operations.alarms_watch_what_exists", with_value("prod", TEMPLATE, "Alarms", "Properties", "Parameters", "StageName")),
    ("operations.alarms_watch_what_exists", with_value("prod", TEMPLATE, "Observability", "Properties", "Parameters", "StageName")),
    ("operations.alarms_watch_what_exists", without(*resource("infra/observability.yaml", "Availability", "AlarmActions"))),
    ("operations.versions_are_asked_before_they_get_traffic", with_value({"Fn::Sub": "smoke_${Name}"}, *resource(SMOKE, "Hook", "FunctionName"))),
    ("operations.versions_are_asked_before_they_get_traffic", without(TEMPLATE, "..Globals", "Function", "DeploymentPreference", "Hooks")),
    ("operations.versions_are_asked_before_they_get_traffic", with_value({"Ref": "SiteFunction.Version"}, TEMPLATE, "Smoke", "Properties", "Parameters", "QueryVersion")),
    ("operations.settings_are_deployed_like_code", with_value(False, *function("Ingest", "AutoPublishAliasAllProperties"))),
    ("operations.logs_are_kept_as_long_as_the_environment_says", with_value(3, TEMPLATE, "..Mappings", "Environments", "prod", "LogRetention")),
    ("operations.logs_are_kept_as_long_as_the_environment_says", without("infra/logs.yaml", "QueryLogs", "Properties", "RetentionInDays")),
    ("operations.logs_are_kept_as_long_as_the_environment_says", without(CANARY, "Logs")),
    ("operations.alarms_watch_what_exists", with_value("notBreaching", *resource(CANARY, "CanaryFails", "TreatMissingData"))),
    ("operations.the_gateway_can_write_its_logs", without("infra/logs.yaml", "ApiLogging", "DeletionPolicy")),
    ("operations.a_web_acl_stands_before_the_api", with_value(300, *resource("infra/waf.yaml", "WebAcl", "Rules", 0, "Statement", "RateBasedStatement", "EvaluationWindowSec"))),
    ("operations.a_web_acl_stands_before_the_api", without(*resource("infra/waf.yaml", "WebAcl", "Rules", 3, "Statement", "ManagedRuleGroupStatement", "RuleActionOverrides", 0))),
    ("operations.two_stacks_of_an_account_do_not_meet", without(*function("Ingest", "Events", "Sweep", "Properties", "OmitName"))),
    ("operations.outputs_tell_a_user_how_to_go_on", with_value({"Ref": "QueryFunction"}, TEMPLATE, "..Outputs", "AdminFunctionName", "Value")),
]


@pytest.mark.parametrize("case", BROKEN, ids=[f"{number}-{case[0]}" for number, case in enumerate(BROKEN)])
def test_noticed_when_broken(case):
    promise, break_it, *name = case
    templates = copy.deepcopy(sources())
    break_it(templates)
    with pytest.raises((AssertionError, KeyError, ValueError)):
        promises.ALL[promise](deploy(templates, **SCENARIOS[name[0] if name else "full"]))


def test_every_promise_is_broken_once():
    assert {case[0] for case in BROKEN} == set(promises.ALL)


def test_exceptions_have_reasons():
    assert all(len(reason) > 20 for reason in WITHOUT_RESOURCES.values())
