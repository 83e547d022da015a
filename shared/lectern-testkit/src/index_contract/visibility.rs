//! Who sees what.

use lectern_core::{
    errors::ErrorKind,
    ids::TenantId,
    passage::PassageQuery,
    ports::{PassageReader, PassageWriter},
};
use serde_json::{Value, json};

use super::builders::{a_passage, a_point, a_query, a_tenant, clear, everybody};

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

/// A passage is found unless it is as hostile as the query says; one that nobody looked at is found.
pub async fn leaves_out_what_is_hostile(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("hostile");
    clear(writer, &tenant).await;
    let mut points = Vec::new();
    for (ordinal, hostility) in [None, Some(0), Some(79), Some(80), Some(100)].iter().enumerate() {
        let mut passage = a_passage(&tenant, 1, 1, u32::try_from(ordinal).unwrap());
        passage.hostility = *hostility;
        points.push(a_point(passage, 0.0, 1.0));
    }
    writer.upsert(points).await.unwrap();

    for (hostile_from, expected) in
        [(None, vec![0, 1, 2, 3, 4]), (Some(80), vec![0, 1, 2]), (Some(1), vec![0, 1])]
    {
        let query = PassageQuery { hostile_from, ..a_query(&tenant) };
        assert_eq!(visible(reader, &query).await, expected, "from {hostile_from:?}");
    }
    clear(writer, &tenant).await;
}

/// Passages by id are those a search could show: never another tenant's, another collection's, or one whose ACL is
/// closed to the caller.
pub async fn gets_only_what_may_be_seen(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let (ours, theirs) = (a_tenant("get-ours"), a_tenant("get-theirs"));
    clear(writer, &ours).await;
    clear(writer, &theirs).await;
    let open = a_passage(&ours, 1, 1, 0);
    let mut closed = a_passage(&ours, 1, 1, 1);
    closed.acl = vec!["hr".to_owned()];
    let mut elsewhere = a_passage(&ours, 2, 1, 2);
    elsewhere.collection = "elsewhere".parse().unwrap();
    let mut nobodys = a_passage(&ours, 3, 1, 3);
    nobodys.acl = Vec::new();
    let foreign = a_passage(&theirs, 1, 1, 4);
    let written = [&open, &closed, &elsewhere, &nobodys, &foreign];
    let ids: Vec<_> = written.iter().map(|passage| passage.point_id()).collect();
    let points = written.iter().map(|passage| a_point((*passage).clone(), 0.0, 1.0));
    writer.upsert(points.collect()).await.unwrap();

    let mut hr = everybody(&ours);
    hr.principals = vec!["hr".to_owned()];
    let mut other = everybody(&ours);
    other.collection = elsewhere.collection.clone();
    for (visibility, expected) in [
        (everybody(&ours), vec![0]),
        (hr, vec![0, 1]),
        (other, vec![2]),
        (everybody(&theirs), vec![4]),
        (everybody(&a_tenant("get-nobody")), vec![]),
    ] {
        let found = reader.get(&visibility, &ids).await.unwrap();
        let mut ordinals: Vec<u32> = found.iter().map(|passage| passage.ordinal).collect();
        ordinals.sort_unstable();
        assert_eq!(ordinals, expected, "{visibility:?}");
    }
    clear(writer, &ours).await;
    clear(writer, &theirs).await;
}

/// Every form of filter keeps what it should and nothing else, on strings, integers, floats, booleans, lists
/// and absent fields.
pub async fn applies_every_form_of_filter(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    let tenant = a_tenant("filter");
    clear(writer, &tenant).await;
    let metadata = [
        json!({"team": "ops", "year": 2020, "draft": false, "score": 0.5, "signed": "2026-11-21"}),
        json!({"team": "dev", "year": 2023, "draft": true, "tags": ["red", "blue", 7],
               "signed": "2026-11-22T01:30:00+02:00"}),
        json!({"team": "ops", "year": 2025, "tags": ["blue"],
               "signed": ["2025-01-01T00:00:00.5Z", "2026-11-22"]}),
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
        (json!({"field": "signed", "gte": "2026-11-21", "lt": "2026-11-22"}), vec![0, 1]),
        (json!({"field": "signed", "gt": "2026-11-21"}), vec![2]),
        (json!({"field": "signed", "gt": "2026-11-21T00:00:00Z"}), vec![1, 2]),
        (json!({"field": "signed", "lte": "2026-11-21T23:30:00Z"}), vec![0, 1, 2]),
        (json!({"field": "signed", "lte": "2025-01-01"}), vec![2]),
        (json!({"field": "signed", "lt": "2025-01-01T00:00:00.5Z"}), vec![]),
        (json!({"field": "signed", "gte": "9999-12-30"}), vec![]),
        (json!({"field": "year", "gte": "2020-01-01"}), vec![]),
        (json!({"not": {"field": "signed", "gte": "2026-01-01"}}), vec![3]),
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
