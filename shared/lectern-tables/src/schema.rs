//! The table itself, for engines that are not set up by a template.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::SdkError,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, TableStatus, TimeToLiveSpecification,
        TimeToLiveStatus,
    },
};
use lectern_core::errors::{ErrorKind, PortError};

use crate::{errors::failed, layout::INDEX, table::Table};

const ENSURE: &str = "ensure table";
/// How often a new table is looked at until it is active.
const MAX_LOOKS: u32 = 60;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

pub(crate) async fn ensure(table: &Table) -> Result<(), PortError> {
    if status(table).await?.is_none() {
        create(table).await?;
    }
    for _ in 0..MAX_LOOKS {
        if status(table).await? == Some(TableStatus::Active) {
            return expire(table).await;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(PortError::new(ErrorKind::Unavailable, ENSURE, "the table did not become active"))
}

async fn status(table: &Table) -> Result<Option<TableStatus>, PortError> {
    let described = table.client.describe_table().table_name(&*table.name).send().await;
    match described {
        Ok(described) => Ok(described.table.and_then(|table| table.table_status)),
        Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {
            Ok(None)
        }
        Err(error) => Err(failed(ENSURE)(error)),
    }
}

async fn create(table: &Table) -> Result<(), PortError> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(INDEX)
        .key_schema(key("GSI1PK", KeyType::Hash))
        .key_schema(key("GSI1SK", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .expect("name, keys and projection are given");
    let names = ["PK", "SK", "GSI1PK", "GSI1SK"];
    let created = table
        .client
        .create_table()
        .table_name(&*table.name)
        .set_attribute_definitions(Some(names.map(string).to_vec()))
        .key_schema(key("PK", KeyType::Hash))
        .key_schema(key("SK", KeyType::Range))
        .global_secondary_indexes(index)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await;
    match created {
        Ok(_) => Ok(()),
        // Another process was faster.
        Err(SdkError::ServiceError(error)) if error.err().is_resource_in_use_exception() => Ok(()),
        Err(error) => Err(failed(ENSURE)(error)),
    }
}

/// Switches TTL on. Looked at every time: a process may have died between table and TTL.
async fn expire(table: &Table) -> Result<(), PortError> {
    let described = table.client.describe_time_to_live().table_name(&*table.name).send().await;
    let described = described.map_err(failed(ENSURE))?.time_to_live_description;
    let status = described.and_then(|description| description.time_to_live_status);
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires_at");
    table
        .client
        .update_time_to_live()
        .table_name(&*table.name)
        .time_to_live_specification(expiry.build().expect("both fields are given"))
        .send()
        .await
        .map(|_| ())
        .map_err(failed(ENSURE))
}

fn key(name: &str, key_type: KeyType) -> KeySchemaElement {
    let element = KeySchemaElement::builder().attribute_name(name).key_type(key_type);
    element.build().expect("name and type are given")
}

fn string(name: &str) -> AttributeDefinition {
    let definition = AttributeDefinition::builder().attribute_name(name);
    let definition = definition.attribute_type(ScalarAttributeType::S);
    definition.build().expect("name and type are given")
}
