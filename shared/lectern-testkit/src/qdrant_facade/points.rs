//! The points service: upsert, delete by filter, field indexes, query, count, scroll.

use qdrant_client::qdrant::{
    BatchResult, CountPoints, CountResponse, CountResult, CreateFieldIndexCollection, DeletePoints,
    PointsOperationResponse, QueryBatchPoints, QueryBatchResponse, QueryPoints, QueryResponse,
    ScrollPoints, ScrollResponse, UpdateResult, UpdateStatus, UpsertPoints,
    points_selector::PointsSelectorOneOf, points_server::Points,
};
use qdrant_edge::{
    CountRequest, EdgeShard, FieldIndexOperations, PointInsertOperations, PointOperations,
    QueryBatchRequest, UpdateOperation,
};
use tonic::{Request, Response, Status};

use super::{
    State, filter, on_shard, reply, request,
    unsupported::{unsupported, unsupported_calls},
};

impl State {
    async fn apply(
        &self,
        collection: &str,
        operation: UpdateOperation,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let collection = self.collection(collection)?;
        on_shard(collection, move |shard| shard.update(operation)).await?;
        // Applied before the reply, whether the client asked to wait or not.
        let result = UpdateResult { operation_id: None, status: UpdateStatus::Completed.into() };
        Ok(Response::new(PointsOperationResponse {
            result: Some(result),
            ..PointsOperationResponse::default()
        }))
    }

    async fn query_all(
        &self,
        collection: &str,
        queries: Vec<QueryPoints>,
    ) -> Result<Vec<BatchResult>, Status> {
        let collection = self.collection(collection)?;
        let requests = queries.into_iter().map(request::query).collect::<Result<Vec<_>, _>>()?;
        let batch = QueryBatchRequest::new(requests);
        let found = on_shard(collection, move |shard| shard.query_batch(batch)).await?;
        let results = found
            .into_iter()
            .map(|points| BatchResult { result: points.into_iter().map(reply::scored).collect() });
        Ok(results.collect())
    }
}

#[tonic::async_trait]
impl Points for State {
    async fn upsert(
        &self,
        request: Request<UpsertPoints>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let UpsertPoints { collection_name, points, update_filter, .. } = request.into_inner();
        if update_filter.is_some() {
            return Err(unsupported("conditional upserts"));
        }
        let points = points.into_iter().map(request::point).collect::<Result<Vec<_>, _>>()?;
        let upsert = PointOperations::UpsertPoints(PointInsertOperations::PointsList(points));
        self.apply(&collection_name, UpdateOperation::PointOperation(upsert)).await
    }

    async fn delete(
        &self,
        request: Request<DeletePoints>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let DeletePoints { collection_name, points, .. } = request.into_inner();
        let selector = points.and_then(|points| points.points_selector_one_of);
        let Some(PointsSelectorOneOf::Filter(selected)) = selector else {
            return Err(unsupported("deletion by id"));
        };
        let deletion = PointOperations::DeletePointsByFilter(filter::filter(selected)?);
        self.apply(&collection_name, UpdateOperation::PointOperation(deletion)).await
    }

    async fn create_field_index(
        &self,
        request: Request<CreateFieldIndexCollection>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let mut request = request.into_inner();
        let collection_name = std::mem::take(&mut request.collection_name);
        let creation = FieldIndexOperations::CreateIndex(request::field_index(request)?);
        self.apply(&collection_name, UpdateOperation::FieldIndexOperation(creation)).await
    }

    async fn query(
        &self,
        request: Request<QueryPoints>,
    ) -> Result<Response<QueryResponse>, Status> {
        let query = request.into_inner();
        let collection = query.collection_name.clone();
        let found = self.query_all(&collection, vec![query]).await?.pop().unwrap_or_default();
        Ok(Response::new(QueryResponse { result: found.result, ..QueryResponse::default() }))
    }

    async fn query_batch(
        &self,
        request: Request<QueryBatchPoints>,
    ) -> Result<Response<QueryBatchResponse>, Status> {
        let QueryBatchPoints { collection_name, query_points, .. } = request.into_inner();
        let result = self.query_all(&collection_name, query_points).await?;
        Ok(Response::new(QueryBatchResponse { result, ..QueryBatchResponse::default() }))
    }

    async fn count(
        &self,
        request: Request<CountPoints>,
    ) -> Result<Response<CountResponse>, Status> {
        let CountPoints { collection_name, filter: selected, exact, .. } = request.into_inner();
        let mut count = CountRequest::new();
        count.filter = selected.map(filter::filter).transpose()?;
        count.exact = exact.unwrap_or(true);
        let collection = self.collection(&collection_name)?;
        let count = on_shard(collection, move |shard| shard.count(count)).await? as u64;
        let result = Some(CountResult { count });
        Ok(Response::new(CountResponse { result, ..CountResponse::default() }))
    }

    async fn scroll(
        &self,
        request: Request<ScrollPoints>,
    ) -> Result<Response<ScrollResponse>, Status> {
        let mut request = request.into_inner();
        let collection = self.collection(&std::mem::take(&mut request.collection_name))?;
        let scroll = request::scroll(request)?;
        let page = move |shard: &EdgeShard| shard.scroll(scroll);
        let (records, next) = on_shard(collection, page).await?;
        Ok(Response::new(ScrollResponse {
            next_page_offset: next.map(reply::point_id),
            result: records.into_iter().map(reply::retrieved).collect(),
            ..ScrollResponse::default()
        }))
    }

    unsupported_calls! {
        get(GetPoints) -> GetResponse;
        update_vectors(UpdatePointVectors) -> PointsOperationResponse;
        delete_vectors(DeletePointVectors) -> PointsOperationResponse;
        set_payload(SetPayloadPoints) -> PointsOperationResponse;
        overwrite_payload(SetPayloadPoints) -> PointsOperationResponse;
        delete_payload(DeletePayloadPoints) -> PointsOperationResponse;
        clear_payload(ClearPayloadPoints) -> PointsOperationResponse;
        delete_field_index(DeleteFieldIndexCollection) -> PointsOperationResponse;
        create_vector_name(CreateVectorNameRequest) -> PointsOperationResponse;
        delete_vector_name(DeleteVectorNameRequest) -> PointsOperationResponse;
        search(SearchPoints) -> SearchResponse;
        search_batch(SearchBatchPoints) -> SearchBatchResponse;
        search_groups(SearchPointGroups) -> SearchGroupsResponse;
        recommend(RecommendPoints) -> RecommendResponse;
        recommend_batch(RecommendBatchPoints) -> RecommendBatchResponse;
        recommend_groups(RecommendPointGroups) -> RecommendGroupsResponse;
        discover(DiscoverPoints) -> DiscoverResponse;
        discover_batch(DiscoverBatchPoints) -> DiscoverBatchResponse;
        update_batch(UpdateBatchPoints) -> UpdateBatchResponse;
        query_groups(QueryPointGroups) -> QueryGroupsResponse;
        facet(FacetCounts) -> FacetResponse;
        search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse;
        search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse;
    }
}
