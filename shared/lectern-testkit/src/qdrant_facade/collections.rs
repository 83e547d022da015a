//! The collections service: create, info, exists, aliases.

use std::sync::Arc;

use qdrant_client::qdrant::{
    AliasDescription, ChangeAliases, CollectionConfig, CollectionExists, CollectionExistsRequest,
    CollectionExistsResponse, CollectionInfo, CollectionOperationResponse, CollectionParams,
    CollectionStatus, CreateCollection, GetCollectionInfoRequest, GetCollectionInfoResponse,
    ListAliasesRequest, ListAliasesResponse, alias_operations::Action,
    collections_server::Collections,
};
use qdrant_edge::EdgeShard;
use tonic::{Request, Response, Status};

use super::{
    Collection, State, on_shard, request, status_of,
    unsupported::{unsupported, unsupported_calls},
};

fn done() -> Response<CollectionOperationResponse> {
    Response::new(CollectionOperationResponse { result: true, time: 0.0 })
}

#[tonic::async_trait]
impl Collections for State {
    async fn get(
        &self,
        request: Request<GetCollectionInfoRequest>,
    ) -> Result<Response<GetCollectionInfoResponse>, Status> {
        let collection = self.collection(&request.into_inner().collection_name)?;
        let created = collection.created.clone();
        let info = on_shard(collection, EdgeShard::info).await?;
        let params = CollectionParams {
            shard_number: 1,
            vectors_config: created.vectors_config,
            sparse_vectors_config: created.sparse_vectors_config,
            ..CollectionParams::default()
        };
        let result = CollectionInfo {
            status: CollectionStatus::Green.into(),
            segments_count: info.segments_count as u64,
            points_count: Some(info.points_count as u64),
            indexed_vectors_count: Some(info.indexed_vectors_count as u64),
            config: Some(CollectionConfig { params: Some(params), ..CollectionConfig::default() }),
            ..CollectionInfo::default()
        };
        Ok(Response::new(GetCollectionInfoResponse { result: Some(result), time: 0.0 }))
    }

    async fn create(
        &self,
        request: Request<CreateCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let created = request.into_inner();
        let name = created.collection_name.clone();
        let mut names = self.names.lock().expect("no handler panics inside");
        if names.collections.contains_key(&name) {
            let message = format!("Wrong input: Collection `{name}` already exists!");
            return Err(Status::already_exists(message));
        }
        let config = request::collection(&created)?;
        let shard = EdgeShard::new(&self.directory.join(&name), config)
            .map_err(|error| status_of(&error))?;
        names.collections.insert(name, Arc::new(Collection { created, shard }));
        Ok(done())
    }

    async fn collection_exists(
        &self,
        request: Request<CollectionExistsRequest>,
    ) -> Result<Response<CollectionExistsResponse>, Status> {
        let exists = self.collection(&request.into_inner().collection_name).is_ok();
        let result = Some(CollectionExists { exists });
        Ok(Response::new(CollectionExistsResponse { result, time: 0.0 }))
    }

    async fn update_aliases(
        &self,
        request: Request<ChangeAliases>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let mut names = self.names.lock().expect("no handler panics inside");
        for operation in request.into_inner().actions {
            let Some(Action::CreateAlias(alias)) = operation.action else {
                return Err(unsupported("this change of an alias"));
            };
            if !names.collections.contains_key(&alias.collection_name) {
                let message =
                    format!("Not found: Collection `{}` doesn't exist!", alias.collection_name);
                return Err(Status::not_found(message));
            }
            names.aliases.insert(alias.alias_name, alias.collection_name);
        }
        Ok(done())
    }

    async fn list_aliases(
        &self,
        _request: Request<ListAliasesRequest>,
    ) -> Result<Response<ListAliasesResponse>, Status> {
        let names = self.names.lock().expect("no handler panics inside");
        let describe = |(alias, collection): (&String, &String)| AliasDescription {
            alias_name: alias.clone(),
            collection_name: collection.clone(),
        };
        let aliases = names.aliases.iter().map(describe).collect();
        Ok(Response::new(ListAliasesResponse { aliases, time: 0.0 }))
    }

    unsupported_calls! {
        list(ListCollectionsRequest) -> ListCollectionsResponse;
        update(UpdateCollection) -> CollectionOperationResponse;
        delete(DeleteCollection) -> CollectionOperationResponse;
        list_collection_aliases(ListCollectionAliasesRequest) -> ListAliasesResponse;
        collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse;
        update_collection_cluster_setup(UpdateCollectionClusterSetupRequest) -> UpdateCollectionClusterSetupResponse;
        create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse;
        delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse;
        list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse;
    }
}
