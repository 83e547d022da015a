//! DynamoDB on loopback, for programs in other processes: the engine of `lectern-tables`' embedded table behind
//! its own HTTP server.
//!
//! It wants requests that look signed and checks no signature. Its transactions do not conflict, and it deletes
//! nothing that has expired.

use std::{collections::BTreeMap, path::Path};

use dynoxide::Database;

use crate::loopback::Loopback;

/// A running server; stops when dropped.
#[derive(Debug)]
pub struct DynamoDbServer {
    server: Loopback,
}

impl DynamoDbServer {
    /// Starts a server whose tables end with it.
    ///
    /// # Panics
    /// When loopback or a thread cannot be had.
    #[must_use]
    pub fn start() -> Self {
        Self::serve(Database::memory().unwrap())
    }

    /// Starts a server whose tables are in the file at `path`. As with the embedded table, a commit survives the
    /// death of the process, not that of the machine.
    ///
    /// # Panics
    /// When the file cannot be opened, or loopback or a thread cannot be had.
    #[must_use]
    pub fn start_at(path: &Path) -> Self {
        let database = Database::new(path.to_str().unwrap()).unwrap();
        // Named for the end of a bulk load; what it does is set `synchronous = NORMAL`.
        database.disable_bulk_loading().unwrap();
        Self::serve(database)
    }

    fn serve(database: Database) -> Self {
        let serve = |listener| dynoxide::server::serve_on(listener, database);
        Self { server: Loopback::serve(serve) }
    }

    /// Returns the address, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.base_url()
    }

    /// Returns the variables that lead an AWS SDK's DynamoDB client here, and no other client.
    #[must_use]
    pub fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), self.url())])
    }
}

impl Drop for DynamoDbServer {
    fn drop(&mut self) {
        self.server.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw_http::request;

    fn call(server: &DynamoDbServer, operation: &str, body: &str) -> (u16, String) {
        let target = format!("DynamoDB_20120810.{operation}");
        let signature = "AWS4-HMAC-SHA256 Credential=testing/20261121/eu-central-1/dynamodb/aws4_request, \
                         SignedHeaders=host;x-amz-date, Signature=00";
        let headers = [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", target.as_str()),
            ("X-Amz-Date", "20261121T093000Z"),
            ("Authorization", signature),
        ];
        let address = server.url().trim_start_matches("http://").parse().unwrap();
        request(address, "POST", "/", &headers, body).unwrap()
    }

    const TABLE: &str = r#"{"TableName": "lectern", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}]}"#;
    const PUT: &str = r#"{"TableName": "lectern", "Item": {"PK": {"S": "a"}},
        "ConditionExpression": "attribute_not_exists(PK)"}"#;
    const GET: &str = r#"{"TableName": "lectern", "Key": {"PK": {"S": "a"}}}"#;

    #[test]
    fn it_answers_as_dynamodb_does() {
        let server = DynamoDbServer::start();
        assert_eq!(call(&server, "CreateTable", TABLE).0, 200);
        assert_eq!(call(&server, "PutItem", PUT).0, 200);
        let (status, body) = call(&server, "PutItem", PUT);
        assert_eq!(status, 400);
        assert!(body.contains("ConditionalCheckFailedException"), "{body}");
    }

    #[test]
    fn a_file_outlives_its_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables.sqlite");
        let server = DynamoDbServer::start_at(&path);
        assert_eq!(call(&server, "CreateTable", TABLE).0, 200);
        assert_eq!(call(&server, "PutItem", PUT).0, 200);
        drop(server);
        let (status, body) = call(&DynamoDbServer::start_at(&path), "GetItem", GET);
        assert_eq!((status, body.as_str()), (200, r#"{"Item":{"PK":{"S":"a"}}}"#));
    }
}
