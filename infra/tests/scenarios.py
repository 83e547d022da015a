"""Deployments that the promises are asked of."""

import functools

from deployment import deploy, templates


def _secret(name):
    return f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf"


# Everything that can be switched on.
FULL = {
    "Architecture": "x86_64",
    "IndexApiKey": "index-key-1",
    "ModelApiKey": "model-key-1",
    "RerankerApiKey": "reranker-key-1",
    "RotationFunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:rotate",
    "Embedder": "bedrock:amazon.titan-embed-text-v2:0@512",
    "Chat": "bedrock:eu.anthropic.claude-sonnet-4-20250514-v1:0",
    # A guardrail lets no model of others stand beside it.
    "ChatAlternatives": "extractive,bedrock:eu.amazon.nova-lite-v1:0",
    "Guardrail": "gr4il1d:7",
    "BedrockModelArns": ",".join(
        f"arn:aws:bedrock:{region}::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0"
        for region in ("eu-west-1", "eu-west-3")
    ),
    "Reranker": "cohere:rerank-v3.5",
    "BudgetUsdPerDay": "12.5",
    "BudgetUsdPerMonth": "200",
    "Prices": '{"gpt-4.1-mini":{"prompt":0.4,"completion":1.6}}',
    "DomainName": "ask.example.com",
    "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d",
    "HostedZoneId": "Z0123456789",
    "FetchHosts": "docs.example.com,*.example.org",
    "Issuers": '[{"issuer":"https://login.example.com","audience":"lectern","tenant":"acme","permissions":["query"]}]',
    "AllowedOrigins": "https://app.example.com",
    "RequireGatewayKey": "true",
    "QueryProvisioned": "2",
    "BackupIdentitySecretArn": _secret("backup-identity"),
    "BackupObjectLock": "COMPLIANCE",
    "AlarmEmail": "ops@example.com",
    "PagerUrl": "https://events.pagerduty.com/integration/0a1b2c/enqueue",
    "SlackWorkspaceId": "T0123ABCD",
    "SlackChannelId": "C0123ABCD",
    "MonthlyBudgetUsd": "50",
    "CanaryKeySecretArn": _secret("canary"),
    **{f"{name}Reserved": "9" for name in ("Query", "Upload", "Ingest", "Backup", "Small")},
}
# Everything that can be switched off, and every secret from elsewhere.
BARE = {
    "Environment": "dev",
    "EnableWaf": "false",
    "ManageApiLogging": "false",
    "KeyPepperSecretArn": _secret("pepper"),
    "IndexApiKeySecretArn": _secret("index"),
    "ModelApiKeySecretArn": _secret("model"),
    "RerankerApiKeySecretArn": _secret("reranker"),
    "BackupIdentitySecretArn": _secret("backup-identity"),
}
# One model is Bedrock's, the other is not.
MIXED = {
    "Environment": "staging",
    "Chat": "openai:gpt-4.1-mini",
    "ModelApiKey": "model-key-2",
    "Embedder": "bedrock:cohere.embed-multilingual-v3",
    # Nobody hears of it, and it has no domain.
    "CanaryKeySecretArn": _secret("canary"),
    "CanaryMinutes": "15",
}

SCENARIOS = {
    "defaults": {},
    "dev": {"Environment": "dev"},
    "staging": {"Environment": "staging"},
    "full": FULL,
    "bare": BARE,
    "mixed": MIXED,
}


@functools.cache
def sources():
    return templates()


@functools.cache
def scenario(name):
    """Returns the stack of a scenario."""
    return deploy(sources(), **SCENARIOS[name])
