"""What the `query` function would be in Python: the peer that `cargo xtask bench lambda` measures.

It has the clients an equivalent function has, made where Python functions make them, at import.
"""

import json
import os

import boto3
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from qdrant_client import QdrantClient, models

TABLE = boto3.resource("dynamodb").Table(os.environ["LECTERN_TABLE_URL"].removeprefix("dynamodb://"))
SECRETS = boto3.client("secretsmanager")
INDEX = QdrantClient(url=os.environ["LECTERN_INDEX_URL"], prefer_grpc=True, check_compatibility=False)
PROMPT = ChatPromptTemplate.from_messages(
    [("system", "Answer from these passages and cite them.\n{passages}"), ("user", "{question}")]
)
CHAIN = PROMPT | ChatOpenAI(model="gpt-4o-mini") | StrOutputParser()


def handler(event, context):
    """Answers a question: key, passages, prompt, model."""
    body = json.loads(event["body"])
    key = TABLE.get_item(Key={"PK": event["headers"]["Authorization"], "SK": "KEY"}).get("Item")
    if key is None:
        return {"statusCode": 401, "body": json.dumps({"title": "Not authenticated"})}
    found = INDEX.query_points(
        "lectern-bm25",
        query=models.Document(text=body["question"], model="qdrant/bm25"),
        using="bm25",
        limit=8,
    )
    passages = "\n".join(point.payload["text"] for point in found.points)
    answer = CHAIN.invoke({"passages": passages, "question": body["question"]})
    return {"statusCode": 200, "body": json.dumps({"answer": answer})}
