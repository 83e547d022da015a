//! Who sees what.

use lectern_core::{
    errors::ErrorKind,
    ids::TenantId,
    passage::PassageQuery,
    ports::{PassageReader, PassageWriter},
};
use serde_json::{Value, json};

use super::builders::{a_passage, a_point, a_query, a_tenant, clear};

/// Returns the ordinals both rankings of a query hold, ascending.
async fn visible(reader: &dyn PassageReader, query: &PassageQuery) -> Vec<u32> {
    let found = reader.search(query).await.unwrap();
    let ordinals = |ranking: &[lectern_core::passage::ScoredPassage]| {
        let mut ordinals: Vec<u32> = ranking.iter().map(|scored| scored.passage.ordinal).collect();
        ordinals.sort_unstable();
        ordinals
    };
    let dense = ordinals(&found.dense);
    assert_eq!(dense, ordinals(&found.sparse), "the two rankings see different passages");
    dense
}

/// A search, a count and a scroll never return a passage of another tenant.
pub async fn never_crosses_tenants(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let (ours, theirs) = (a_tenant("ours"), a_tenant("theirs"));
    clear(writer, &ours).await;
    clear(writer, &theirs).await;
    writer.upsert(vec![a_point(a_passage(&theirs, 1, 1, 0), 0.0, 1.0)]).await.unwrap();

    assert_eq!(visible(reader, &a_query(&ours)).await, [0_u32; 0], "another tenant's passage");
    let scope = super::everything(&ours);
    assert_eq!(reader.count(&scope).await.unwrap(), 0);
    assert!(reader.scroll(&scope, None, 10).await.unwrap().points.is_empty());
    // A document's id gives no way across.
    let named = json!({"documents": [a_passage(&theirs, 1, 1, 0).document_id]});
    let mut query = a_query(&ours);
    query.filter = Some(serde_json::from_value(named).unwrap());
    assert_eq!(visible(reader, &query).await, [0_u32; 0], "another tenant's document");
    clear(writer, &theirs).await;
}

/// A search returns passages of the collection asked, and of no other.
pub async fn never_crosses_collections(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("collections");
    clear(writer, &tenant).await;
    let mut elsewhere = a_passage(&tenant, 1, 1, 0);
    elsewhere.collection = "elsewhere".parse().unwrap();
    let here = a_passage(&tenant, 2, 1, 1);
    writer.upsert(vec![a_point(elsewhere, 0.0, 1.0), a_point(here, 0.1, 1.0)]).await.unwrap();

    assert_eq!(visible(reader, &a_query(&tenant)).await, [1]);
    clear(writer, &tenant).await;
}

/// A passage is seen when its ACL holds `*` or a principal of the caller.
pub async fn shows_only_what_the_acl_allows(
    reader: &dyn PassageReader,
    writer: &dyn PassageWriter,
) {
    let tenant = a_tenant("acl");
    clear(writer, &tenant).await;
    let mut points = Vec::new();
    for (ordinal, acl) in [vec!["*"], vec!["ops", "dev"], vec!["dev"], vec![]].iter().enumerate() {
        let mut passage = a_passage(&tenant, 1, 1, u32::try_from(ordinal).unwrap());
        passage.acl = acl.iter().map(|principal| (*principal).to_owned()).collect();
        points.push(a_point(passage, 0.0, 1.0));
    }
    writer.upsert(points).await.unwrap();

    for (principals, expected) in [
        (vec![], vec![0]),
        (vec!["ops"], vec![0, 1]),
        (vec!["dev"], vec![0, 1, 2]),
        (vec!["sales", "ops"], vec![0, 1]),
        (vec!["op"], vec![0]),
    ] {
        let mut query = a_query(&tenant);
        query.principals = principals.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(visible(reader, &query).await, expected, "as {principals:?}");
    }
    clear(writer, &tenant).await;
}

/// Every form of filter keeps what it should and nothing else, on strings, integers, floats, booleans, lists
/// and absent fields.
pub async fn applies_every_form_of_filter(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("filter");
    clear(writer, &tenant).await;
    let metadata = [
        json!({"team": "ops", "year": 2020, "draft": false, "score": 0.5}),
        json!({"team": "dev", "year": 2023, "draft": true, "tags": ["red", "blue", 7]}),
        json!({"team": "ops", "year": 2025, "tags": ["blue"]}),
        json!({}),
    ];
    let mut points = Vec::new();
    for (ordinal, fields) in metadata.iter().enumerate() {
        let ordinal = u32::try_from(ordinal).unwrap();
        let mut passage = a_passage(&tenant, u64::from(ordinal), 1, ordinal);
        passage.metadata = fields.as_object().unwrap().clone();
        points.push(a_point(passage, 0.0, 1.0));
    }
    writer.upsert(points).await.unwrap();

    for (filter, expected) in filters(&tenant) {
        let mut query = a_query(&tenant);
        query.filter = Some(serde_json::from_value(filter.clone()).unwrap());
        assert_eq!(visible(reader, &query).await, expected, "by {filter}");
    }
    clear(writer, &tenant).await;
}

/// Returns filters, and the ordinals each keeps of the four passages.
fn filters(tenant: &TenantId) -> Vec<(Value, Vec<u32>)> {
    let document = |number: u64| a_passage(tenant, number, 1, 0).document_id;
    let ops = json!({"field": "team", "equals": "ops"});
    let recent = json!({"field": "year", "gte": 2023});
    vec![
        (ops.clone(), vec![0, 2]),
        (json!({"field": "year", "equals": 2023}), vec![1]),
        (json!({"field": "draft", "equals": true}), vec![1]),
        (json!({"field": "tags", "equals": "blue"}), vec![1, 2]),
        (json!({"field": "absent", "equals": "x"}), vec![]),
        (json!({"field": "year", "equals": "2023"}), vec![]),
        (json!({"field": "team", "in": ["dev", "sales"]}), vec![1]),
        (json!({"field": "year", "in": [2020, 2025]}), vec![0, 2]),
        (json!({"field": "tags", "in": ["red", 7]}), vec![1]),
        (json!({"field": "team", "in": []}), vec![]),
        (recent.clone(), vec![1, 2]),
        (json!({"field": "year", "gt": 2020, "lt": 2025}), vec![1]),
        (json!({"field": "year", "lte": 2020}), vec![0]),
        (json!({"field": "score", "gt": 0.4, "lt": 0.6}), vec![0]),
        (json!({"field": "team", "gte": 1}), vec![]),
        (json!({"all": [ops.clone(), recent.clone()]}), vec![2]),
        (json!({"any": [ops.clone(), recent.clone()]}), vec![0, 1, 2]),
        (json!({"not": ops.clone()}), vec![1, 3]),
        (json!({"all": []}), vec![0, 1, 2, 3]),
        (json!({"any": []}), vec![]),
        (json!({"not": {"any": [ops, {"not": recent}]}}), vec![1]),
        (json!({"documents": [document(0), document(3)]}), vec![0, 3]),
        (json!({"documents": []}), vec![]),
    ]
}

/// A filter that breaks its own rules is `Invalid`, not an empty answer.
pub async fn refuses_a_broken_filter(reader: &dyn PassageReader, _writer: &dyn PassageWriter) {
    let mut query = a_query(&a_tenant("filter"));
    let broken = json!({"field": "team.name", "equals": "ops"});
    query.filter = Some(serde_json::from_value(broken).unwrap());
    assert_eq!(reader.search(&query).await.unwrap_err().kind, ErrorKind::Invalid);
}
