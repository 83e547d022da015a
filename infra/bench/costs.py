"""What a deployment costs: measured durations times list prices. Prints the tables of docs/DEPLOYMENT.md.

Prices are AWS's list prices for us-east-1, in dollars, free tiers left out; look yours up before you rely on a figure.
"""

import argparse

GB_SECOND = 0.0000133334  # Lambda, arm64
REQUEST = 0.20 / 1e6  # Lambda
GATEWAY = 3.50 / 1e6  # API Gateway, REST
WRITE, READ = 0.625 / 1e6, 0.125 / 1e6  # DynamoDB on demand, per unit
S3_PUT, S3_GET, S3_GB = 0.005 / 1e3, 0.0004 / 1e3, 0.023
SQS = 0.40 / 1e6
LOG_GB = 0.50
SECRET = 0.40
ALARM = 0.10
WEB_ACL = 5 + 5 * 1.00  # and its rules
CANARY_RUN = 0.0012  # CloudWatch Synthetics
CANARY_GB_SECOND = 0.0000166667  # its function: Lambda, x86_64
CANARY_MB = 960
SECRET_CALL = 0.05 / 1e4
# A function of 1769 MB has one whole processor.
FULL_PROCESSOR_MB = 1769


def lambda_cost(memory_mb, cpu_ms, waiting_ms):
    """Returns dollars per invocation: processor time stretched to the function's share, and the time it waits."""
    billed_s = (cpu_ms * FULL_PROCESSOR_MB / memory_mb + waiting_ms) / 1e3
    return REQUEST + billed_s * memory_mb / 1024 * GB_SECOND


def query(cpu_ms, waiting_ms):
    """Returns dollars per question, without the model's own price."""
    table = 14 * WRITE + 12 * READ  # key, caches, conversation, usage; collection, documents
    return GATEWAY + lambda_cost(512, cpu_ms, waiting_ms) + table + 2e-6 * LOG_GB


def document(cpu_ms, waiting_ms):
    """Returns dollars per document of a few pages, upload and ingestion."""
    upload = GATEWAY + lambda_cost(512, 5, 60)
    table = 20 * WRITE + 20 * READ
    return upload + lambda_cost(1769, cpu_ms, waiting_ms) + table + 2 * S3_PUT + 2 * S3_GET + 6 * SQS + 5e-6 * LOG_GB


def canary(minutes, seconds):
    """Returns dollars a month for a canary that runs so often and so long: the run itself, and what it uses."""
    runs = 30 * 24 * 60 / minutes
    function = REQUEST + seconds * CANARY_MB / 1024 * CANARY_GB_SECOND
    asked = 2 * (GATEWAY + lambda_cost(256, 5, 500))
    return runs * (CANARY_RUN + function + asked + SECRET_CALL + 3 * S3_PUT + 5e-6 * LOG_GB) + SECRET + ALARM


def main():
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--query-cpu-ms", type=float, required=True, help="cpu per answer, of `cargo xtask bench lambda`")
    parser.add_argument("--model-ms", type=float, default=2000, help="how long the chat model writes")
    parser.add_argument("--canary-seconds", type=float, default=10, help="how long a run of the canary takes")
    arguments = parser.parse_args()
    sweeps = 30 * 24 * 12 * (lambda_cost(1769, 3, 30) + 2 * SQS + READ)
    print("| idle, per month | dev | prod |\n|---|---|---|")
    rows = [
        ("secrets (index, model, pepper)", 3 * SECRET, 3 * SECRET),
        ("alarms (10), without `AlarmEmail`", 10 * ALARM, 10 * ALARM),
        ("web ACL with 5 rules", 0, WEB_ACL),
        ("sweep of pending documents, every five minutes", sweeps, sweeps),
        ("functions, API, table, queues, with nobody there", 0, 0),
    ]
    for name, dev, prod in rows:
        print(f"| {name} | {dev:.2f} | {prod:.2f} |")
    print(f"| **together** | **{sum(r[1] for r in rows):.2f}** | **{sum(r[2] for r in rows):.2f}** |\n")
    cpu = arguments.query_cpu_ms
    extractive, generated = 1e3 * query(cpu, 40), 1e3 * query(cpu, 40 + arguments.model_ms)
    mini = 1e3 * (1500 * 0.15 + 150 * 0.60) / 1e6
    print("| per 1 000 | dollars |\n|---|---|")
    print(f"| questions, extractive | {extractive:.3f} |")
    print(f"| questions, written: AWS | {generated:.3f} |")
    print(f"| … and the model, 1 500 + 150 tokens at 0.15 and 0.60 per million | {mini:.3f} |")
    print(f"| documents of a few pages, BM25 | {1e3 * document(60, 250):.3f} |\n")
    print("| canary, per month | dollars |\n|---|---|")
    for minutes in (1, 5, 15):
        print(f"| a run each {minutes} min | {canary(minutes, arguments.canary_seconds):.2f} |")


if __name__ == "__main__":
    main()
