"""What every function has: its routes, its variables, its rights. The template is compared with these tables.

Resources are named as `deployment` names them: `<Data.Table.Arn>`, and what is under them with `/…` or `:…`.
"""

NAMES = ("query", "upload", "ingest", "health", "backup", "admin", "site")

ROUTES = {
    "query": {
        ("/v1/query", "POST"),
        ("/v1/search", "POST"),
        ("/v1/sessions/{id}", "GET"),
        ("/v1/sessions/{id}", "DELETE"),
        ("/v1/feedback", "POST"),
    },
    "upload": {
        ("/v1/documents", "POST"),
        ("/v1/documents", "GET"),
        ("/v1/documents/fetch", "POST"),
        ("/v1/documents/uploads", "POST"),
        ("/v1/documents/uploads/{id}", "GET"),
        ("/v1/documents/uploads/{id}", "PUT"),
        ("/v1/documents/{id}", "GET"),
        ("/v1/documents/{id}", "DELETE"),
        ("/v1/documents/{id}/retry", "POST"),
        ("/v1/documents/{id}/text", "GET"),
        ("/v1/collections", "POST"),
        ("/v1/collections", "GET"),
        ("/v1/collections/{id}", "GET"),
        ("/v1/collections/{id}", "PATCH"),
        ("/v1/collections/{id}", "DELETE"),
    },
    "ingest": set(),
    "health": {
        ("/health", "GET"),
        ("/ready", "GET"),
        ("/status", "GET"),
        ("/v1/status", "GET"),
        ("/metrics", "GET"),
    },
    "backup": {
        ("/v1/backups", "POST"),
        ("/v1/backups", "GET"),
        ("/v1/backups/{id}", "GET"),
        ("/v1/backups/{id}/verify", "POST"),
        ("/v1/backups/{id}/restore", "POST"),
        ("/v1/restorations", "GET"),
        ("/v1/restorations/{id}", "GET"),
        ("/v1/restorations/{id}/switch", "POST"),
        ("/v1/restorations/{id}/confirm", "POST"),
        ("/v1/restorations/{id}/undo", "POST"),
        ("/v1/restorations/{id}/discard", "POST"),
    },
    "admin": {
        ("/v1/keys", "POST"),
        ("/v1/keys", "GET"),
        ("/v1/keys/{id}", "GET"),
        ("/v1/keys/{id}", "PATCH"),
        ("/v1/keys/{id}", "DELETE"),
        ("/v1/keys/{id}/rotate", "POST"),
        ("/v1/usage", "GET"),
        ("/v1/budget", "GET"),
        ("/v1/budget", "PATCH"),
        ("/v1/experiments", "GET"),
        ("/v1/audit/heads", "GET"),
        ("/v1/subjects", "GET"),
        ("/v1/subjects/{id}", "GET"),
        ("/v1/subjects/{id}", "DELETE"),
        ("/v1/widget-tokens", "POST"),
    },
    "site": {
        ("/", "GET"),
        ("/favicon.svg", "GET"),
        ("/favicon.ico", "GET"),
        ("/assets/{release}/{name}", "GET"),
        ("/openapi.json", "GET"),
    },
}
# Routes whose body the gateway wants to be a JSON object.
JSON_ROUTES = {
    ("/v1/query", "POST"),
    ("/v1/search", "POST"),
    ("/v1/feedback", "POST"),
    ("/v1/keys", "POST"),
    ("/v1/keys/{id}", "PATCH"),
    ("/v1/keys/{id}/rotate", "POST"),
    ("/v1/budget", "PATCH"),
}
# Routes that cost more than others, with a throttle of their own.
THROTTLED_ROUTES = {
    ("/v1/query", "POST"),
    ("/v1/search", "POST"),
    ("/v1/documents", "POST"),
    ("/v1/documents/fetch", "POST"), ("/v1/documents/uploads", "POST"),
    ("/v1/backups", "POST"),
    ("/v1/backups/{id}/restore", "POST"),
}

# Seconds.
TIMEOUTS = {"query": 60, "upload": 29, "ingest": 300, "health": 29, "backup": 900, "admin": 29, "site": 29}

# Every variable but those that all have; without the prefix.
VARIABLES = {
    "TABLE_URL": "query upload ingest health backup admin",
    "INDEX_URL": "query upload ingest health backup",
    "INDEX_API_KEY": "query upload ingest health backup",
    "BLOBS_URL": "upload ingest health backup",
    "BACKUPS_URL": "backup",
    "BACKUP_DAYS": "upload backup",
    "BACKUP_IDENTITY": "backup",
    "QUEUE_URL": "upload ingest health",
    "DEAD_LETTER_QUEUE_URL": "ingest",
    "KEY_PEPPER": "query upload health backup admin",
    "ISSUERS": "query upload health backup admin",
    "ALLOWED_ORIGINS": "query upload health backup admin",
    "EMBEDDER": "query upload ingest health backup",
    "CHAT": "query health",
    "CHAT_ALTERNATIVES": "query",
    "GUARDRAIL": "query",
    "MODEL_URL": "query ingest health",
    "MODEL_API_KEY": "query ingest health",
    "RERANKER": "query",
    "RERANKER_URL": "query",
    "RERANKER_API_KEY": "query",
    "ANSWER_TIMEOUT_MS": "query",
    "BUDGET_USD_PER_DAY": "query ingest admin",
    "BUDGET_USD_PER_MONTH": "query ingest admin",
    "PRICES": "query ingest admin",
    "FETCH_HOSTS": "upload",
    "MAX_DOCUMENT_BYTES": "upload ingest",
    "CHUNK_TOKENS": "ingest",
    "CANARY": "ingest",
}
SECRET_VARIABLES = {"BACKUP_IDENTITY", "INDEX_API_KEY", "KEY_PEPPER", "MODEL_API_KEY", "RERANKER_API_KEY"}


def alias(function):
    """Returns the ARN of a function's alias, to which everything that calls the function is directed."""
    return f"arn:aws:lambda:eu-central-1:123456789012:function:<{function.capitalize()}Function>:live"


def variables(function):
    """Returns the names of a function's environment variables."""
    names = {f"LECTERN_{name}" for name, functions in VARIABLES.items() if function in functions.split()}
    names |= {"LECTERN_ENVIRONMENT", "LECTERN_LOG", "LECTERN_LOG_SAMPLE", "LECTERN_STACK", "LECTERN_TRACES"}
    if ROUTES[function]:
        names.add("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH")
    return names


TABLE, INDEX = "<Data.Table.Arn>", "<Data.Table.Arn>/index/GSI1"
DOCUMENTS, BACKUPS = "<Data.Documents.Arn>", "<Data.Backups.Arn>"
FILES = {f"{DOCUMENTS}/raw/*", f"{DOCUMENTS}/text/*", f"{DOCUMENTS}/uploads/*"}
JOBS, LETTERS, MISSED = "<Data.JobsQueue.Arn>", "<Data.DeadLetterQueue.Arn>", "<Data.ScheduleDeadLetterQueue.Arn>"

TABLE_RIGHTS = {
    "dynamodb:BatchGetItem": {TABLE},
    "dynamodb:BatchWriteItem": {TABLE},
    "dynamodb:ConditionCheckItem": {TABLE},
    "dynamodb:DeleteItem": {TABLE},
    "dynamodb:GetItem": {TABLE},
    "dynamodb:PutItem": {TABLE},
    "dynamodb:Query": {TABLE, INDEX},
    "dynamodb:UpdateItem": {TABLE},
}
FILE_RIGHTS = {
    "s3:GetObject": FILES | {f"{DOCUMENTS}/probe"},
    "s3:PutObject": FILES,
    "s3:DeleteObject": FILES,
    "s3:ListBucket": {DOCUMENTS},
}
# Action -> resources, without logs, traces, secrets and Bedrock, which depend on the function's name and the parameters.
RIGHTS = {
    "query": TABLE_RIGHTS,
    "upload": {
        **TABLE_RIGHTS,
        **FILE_RIGHTS,
        "sqs:SendMessage": {JOBS},
        "sqs:GetQueueAttributes": {JOBS},
    },
    "ingest": {
        **TABLE_RIGHTS,
        **FILE_RIGHTS,
        "sqs:ReceiveMessage": {JOBS},
        "sqs:DeleteMessage": {JOBS},
        "sqs:ChangeMessageVisibility": {JOBS},
        "sqs:GetQueueAttributes": {JOBS},
        "sqs:SendMessage": {JOBS, LETTERS, MISSED},
    },
    "health": {
        "dynamodb:GetItem": {TABLE},
        "dynamodb:Query": {TABLE, INDEX},
        # The rate of keys that read metrics.
        "dynamodb:UpdateItem": {TABLE},
        # The canary's question is asked as others are.
        "dynamodb:BatchGetItem": {TABLE},
        **{
            f"dynamodb:{action}Item": {f"{TABLE} of the canary"}
            for action in ("BatchWrite", "ConditionCheck", "Delete", "Put")
        },
        "s3:GetObject": {f"{DOCUMENTS}/probe"},
        "s3:ListBucket": {DOCUMENTS},
        "sqs:GetQueueAttributes": {JOBS},
        "cloudwatch:GetMetricData": {"*"},
    },
    "backup": {
        **TABLE_RIGHTS,
        **{
            f"s3:{action}Object": {
                *(f"{DOCUMENTS}/{folder}/*" for folder in ("raw", "text", "uploads")),
                f"{BACKUPS}/backups/*",
            }
            for action in ("Get", "Put", "Delete")
        },
        "s3:ListBucket": {DOCUMENTS, BACKUPS},
        "sqs:SendMessage": {MISSED},
    },
    "admin": TABLE_RIGHTS,
    "site": {},
}
# Which secrets a function may read, where they are given.
SECRETS = {
    "query": ("KeyPepper", "IndexKey", "ModelKey", "RerankerKey"),
    "upload": ("KeyPepper", "IndexKey"),
    "ingest": ("IndexKey", "ModelKey"),
    "health": ("KeyPepper", "IndexKey", "ModelKey"),
    "backup": ("KeyPepper", "IndexKey", "BackupIdentity"),
    "admin": ("KeyPepper",),
    "site": (),
}
# Actions that know no resources and are allowed on `*`, and why.
WITHOUT_RESOURCES = {
    "cloudwatch:GetMetricData": "CloudWatch's actions for readers of metrics know no resources",
    "cloudwatch:PutMetricData": "knows no resources; a condition names the only namespace",
    "xray:PutTraceSegments": "X-Ray's actions for senders know no resources",
    "xray:PutTelemetryRecords": "X-Ray's actions for senders know no resources",
    "secretsmanager:BatchGetSecretValue": "knows no resources; each secret of a batch needs GetSecretValue too",
}
