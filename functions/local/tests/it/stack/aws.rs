//! What the tests themselves ask of AWS's stand-ins, over plain HTTP: no SDK, so that nothing is tested with itself.

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Moto tells services apart by the credential's scope; no signature is checked.
fn signature(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=testing/20261121/eu-central-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00"
    )
}

#[derive(Debug)]
pub(crate) struct Aws {
    client: Client,
    moto: String,
    dynamodb: String,
}

impl Aws {
    pub(crate) fn new(moto: &str, dynamodb: &str) -> Self {
        let client = Client::builder().timeout(lectern_testkit::lambda::PATIENCE).build().unwrap();
        Self { client, moto: moto.to_owned(), dynamodb: dynamodb.to_owned() }
    }

    async fn json(&self, url: &str, service: &str, target: &str, body: Value) -> Value {
        let request = self.client.post(url).header("x-amz-target", target);
        let request = request
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20261121T093000Z")
            .header("authorization", signature(service))
            .body(body.to_string());
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{target}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) async fn create_table(&self, name: &str) {
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let text = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let attributes = ["PK", "SK", "GSI1PK", "GSI1SK"].map(text);
        let body = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes,
            "KeySchema": [key("PK", "HASH"), key("SK", "RANGE")],
            "GlobalSecondaryIndexes": [{
                "IndexName": "GSI1",
                "KeySchema": [key("GSI1PK", "HASH"), key("GSI1SK", "RANGE")],
                "Projection": { "ProjectionType": "ALL" },
            }],
        });
        self.json(&self.dynamodb, "dynamodb", "DynamoDB_20120810.CreateTable", body).await;
    }

    async fn s3(&self, method: Method, path: &str, body: Vec<u8>) -> (u16, String) {
        let request = self.client.request(method, format!("{}/{path}", self.moto));
        let request = request.header("authorization", signature("s3")).body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) async fn create_bucket(&self, name: &str) {
        let place = "<CreateBucketConfiguration><LocationConstraint>eu-central-1\
                     </LocationConstraint></CreateBucketConfiguration>";
        let (status, text) = self.s3(Method::PUT, name, place.into()).await;
        assert_eq!(status, 200, "{text}");
    }

    pub(crate) async fn notify_queue_of_uploads(&self, bucket: &str, queue: &str) {
        let arn = self.queue_arn(queue).await;
        let configuration = format!(
            "<NotificationConfiguration><QueueConfiguration><Id>uploads</Id><Queue>{arn}</Queue>\
             <Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name>\
             <Value>uploads/</Value></FilterRule></S3Key></Filter></QueueConfiguration>\
             </NotificationConfiguration>"
        );
        let path = format!("{bucket}?notification");
        let (status, text) = self.s3(Method::PUT, &path, configuration.into()).await;
        assert_eq!(status, 200, "{text}");
    }

    /// Returns whether the bucket has an object of this name.
    pub(crate) async fn has_object(&self, bucket: &str, name: &str) -> bool {
        self.s3(Method::HEAD, &format!("{bucket}/{name}"), Vec::new()).await.0 == 200
    }

    /// Stores bytes at an address that was signed for it, as any HTTP client does.
    pub(crate) async fn put(&self, address: &str, bytes: &[u8]) {
        let response = self.client.put(address).body(bytes.to_vec()).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    }

    async fn sqs(&self, operation: &str, body: Value) -> Value {
        self.json(&self.moto, "sqs", &format!("AmazonSQS.{operation}"), body).await
    }

    pub(crate) async fn create_queue(&self, name: &str, attributes: Value) -> String {
        let body = json!({ "QueueName": name, "Attributes": attributes });
        self.sqs("CreateQueue", body).await["QueueUrl"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn queue_arn(&self, url: &str) -> String {
        let body = json!({ "QueueUrl": url, "AttributeNames": ["QueueArn"] });
        let known = self.sqs("GetQueueAttributes", body).await;
        known["Attributes"]["QueueArn"].as_str().unwrap().to_owned()
    }

    /// Returns the messages that are visible, at most ten, which are invisible from now on.
    pub(crate) async fn receive(&self, queue: &str) -> Vec<Value> {
        let body = json!({
            "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0,
            "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        self.sqs("ReceiveMessage", body).await["Messages"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) async fn remove(&self, queue: &str, message: &Value) {
        let body = json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] });
        self.sqs("DeleteMessage", body).await;
    }

    pub(crate) async fn send(&self, queue: &str, body: &str) {
        self.sqs("SendMessage", json!({ "QueueUrl": queue, "MessageBody": body })).await;
    }

    /// Makes a received message visible again at once.
    pub(crate) async fn release(&self, queue: &str, message: &Value) {
        let body = json!({
            "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0,
        });
        self.sqs("ChangeMessageVisibility", body).await;
    }

    async fn secrets(&self, operation: &str, body: Value) -> Value {
        self.json(&self.moto, "secretsmanager", &format!("secretsmanager.{operation}"), body).await
    }

    pub(crate) async fn create_secret(&self, name: &str, value: Value) {
        let body = json!({ "Name": name, "SecretString": value.to_string() });
        self.secrets("CreateSecret", body).await;
    }

    /// Rotates a secret: the new value is the current one, the old one stays as the previous version.
    pub(crate) async fn rotate_secret(&self, name: &str, value: Value) {
        let body = json!({ "SecretId": name, "SecretString": value.to_string() });
        self.secrets("PutSecretValue", body).await;
    }
}

/// Returns what the sender said besides, as Lambda spells it.
fn attributes(message: &Value) -> Value {
    let sent = message["MessageAttributes"].as_object().into_iter().flatten();
    let spelled = sent.map(|(name, value)| {
        let value = json!({ "stringValue": value["StringValue"], "dataType": value["DataType"] });
        (name.clone(), value)
    });
    Value::Object(spelled.collect())
}

/// Returns the event by which Lambda hands messages over.
pub(crate) fn sqs_event(messages: &[Value]) -> Value {
    let records: Vec<Value> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": attributes(message),
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:jobs",
                "awsRegion": "eu-central-1",
            })
        })
        .collect();
    json!({ "Records": records })
}
