/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of Qdrant. Vectors are known and hidden: millions of numbers tell a reader nothing. */
#include "dialect/qdrant_proto.h"

static const struct pb_message filter;
static const struct pb_message prefetch_query;
static const struct pb_field point_id_fields[] = {
	PB_FIELD(1, "num", PB_UINT64),
	PB_FIELD(2, "uuid", PB_STRING),
};
static const struct pb_message point_id = PB_TABLE(point_id_fields);

static const struct pb_field dense_vector_fields[] = {
	PB_FIELD(1, NULL, PB_HIDDEN),
};
static const struct pb_message dense_vector = PB_TABLE(dense_vector_fields);

static const struct pb_field sparse_vector_fields[] = {
	PB_FIELD(1, NULL, PB_HIDDEN),
	PB_FIELD(2, NULL, PB_HIDDEN),
};
static const struct pb_message sparse_vector = PB_TABLE(sparse_vector_fields);

static const struct pb_field multi_dense_vector_fields[] = {
	PB_FIELD(1, NULL, PB_HIDDEN),
};
static const struct pb_message multi_dense_vector = PB_TABLE(multi_dense_vector_fields);

static const struct pb_field document_fields[] = {
	PB_FIELD(1, "text", PB_STRING),
	PB_FIELD(3, "model", PB_STRING),
	PB_MAP(4, "options", PB_MESSAGE, .message = &qdrant_value),
};
static const struct pb_message document = PB_TABLE(document_fields);

static const struct pb_field vector_input_fields[] = {
	PB_FIELD(1, "id", PB_MESSAGE, .message = &point_id),
	PB_FIELD(2, "dense", PB_MESSAGE, .message = &dense_vector),
	PB_FIELD(3, "sparse", PB_MESSAGE, .message = &sparse_vector),
	PB_FIELD(4, "multiDense", PB_MESSAGE, .message = &multi_dense_vector),
	PB_FIELD(5, "document", PB_MESSAGE, .message = &document),
	PB_FIELD(6, NULL, PB_HIDDEN),
	PB_FIELD(7, NULL, PB_HIDDEN),
};
static const struct pb_message vector_input = PB_TABLE(vector_input_fields);

static const struct pb_name recommend_strategy_names[] = { { 0, "AverageVector" },
							   { 1, "BestScore" },
							   { 2, "SumScores" } };
static const struct pb_enum recommend_strategy = PB_NAMES(recommend_strategy_names);
static const struct pb_field recommend_input_fields[] = {
	PB_LIST(1, "positive", PB_MESSAGE, .message = &vector_input),
	PB_LIST(2, "negative", PB_MESSAGE, .message = &vector_input),
	PB_FIELD(3, "strategy", PB_ENUM, .names = &recommend_strategy),
};
static const struct pb_message recommend_input = PB_TABLE(recommend_input_fields);

static const struct pb_field context_input_pair_fields[] = {
	PB_FIELD(1, "positive", PB_MESSAGE, .message = &vector_input),
	PB_FIELD(2, "negative", PB_MESSAGE, .message = &vector_input),
};
static const struct pb_message context_input_pair = PB_TABLE(context_input_pair_fields);

static const struct pb_field context_input_fields[] = {
	PB_LIST(1, "pairs", PB_MESSAGE, .message = &context_input_pair),
};
static const struct pb_message context_input = PB_TABLE(context_input_fields);

static const struct pb_field discover_input_fields[] = {
	PB_FIELD(1, "target", PB_MESSAGE, .message = &vector_input),
	PB_FIELD(2, "context", PB_MESSAGE, .message = &context_input),
};
static const struct pb_message discover_input = PB_TABLE(discover_input_fields);

static const struct pb_name direction_names[] = { { 0, "Asc" }, { 1, "Desc" } };
static const struct pb_enum direction = PB_NAMES(direction_names);
static const struct pb_field start_from_fields[] = {
	PB_FIELD(1, "float", PB_DOUBLE),
	PB_FIELD(2, "integer", PB_INT64),
	PB_FIELD(3, "timestamp", PB_TIMESTAMP),
	PB_FIELD(4, "datetime", PB_STRING),
};
static const struct pb_message start_from = PB_TABLE(start_from_fields);

static const struct pb_field order_by_fields[] = {
	PB_FIELD(1, "key", PB_STRING),
	PB_FIELD(2, "direction", PB_ENUM, .names = &direction),
	PB_FIELD(3, "startFrom", PB_MESSAGE, .message = &start_from),
};
static const struct pb_message order_by = PB_TABLE(order_by_fields);

static const struct pb_name fusion_names[] = { { 0, "RRF" }, { 1, "DBSF" } };
static const struct pb_enum fusion = PB_NAMES(fusion_names);
static const struct pb_name sample_names[] = { { 0, "Random" } };
static const struct pb_enum sample = PB_NAMES(sample_names);
static const struct pb_field mmr_fields[] = {
	PB_FIELD(2, "diversity", PB_FLOAT),
	PB_FIELD(3, "candidatesLimit", PB_UINT32),
};
static const struct pb_message mmr = PB_TABLE(mmr_fields);

static const struct pb_field nearest_input_with_mmr_fields[] = {
	PB_FIELD(1, "nearest", PB_MESSAGE, .message = &vector_input),
	PB_FIELD(2, "mmr", PB_MESSAGE, .message = &mmr),
};
static const struct pb_message nearest_input_with_mmr = PB_TABLE(nearest_input_with_mmr_fields);

static const struct pb_field rrf_fields[] = {
	PB_FIELD(1, "k", PB_UINT32),
	PB_LIST(2, "weights", PB_FLOAT),
};
static const struct pb_message rrf = PB_TABLE(rrf_fields);

static const struct pb_field bm25_params_fields[] = {
	PB_FIELD(1, "k", PB_FLOAT),
	PB_FIELD(2, "b", PB_FLOAT),
};
static const struct pb_message bm25_params = PB_TABLE(bm25_params_fields);

static const struct pb_field text_query_fields[] = {
	PB_FIELD(1, "query", PB_STRING),
	PB_FIELD(2, "bm25", PB_MESSAGE, .message = &bm25_params),
};
static const struct pb_message text_query = PB_TABLE(text_query_fields);

static const struct pb_field query_fields[] = {
	PB_FIELD(1, "nearest", PB_MESSAGE, .message = &vector_input),
	PB_FIELD(2, "recommend", PB_MESSAGE, .message = &recommend_input),
	PB_FIELD(3, "discover", PB_MESSAGE, .message = &discover_input),
	PB_FIELD(4, "context", PB_MESSAGE, .message = &context_input),
	PB_FIELD(5, "orderBy", PB_MESSAGE, .message = &order_by),
	PB_FIELD(6, "fusion", PB_ENUM, .names = &fusion),
	PB_FIELD(7, "sample", PB_ENUM, .names = &sample),
	PB_FIELD(8, NULL, PB_HIDDEN),
	PB_FIELD(9, "nearestWithMmr", PB_MESSAGE, .message = &nearest_input_with_mmr),
	PB_FIELD(10, "rrf", PB_MESSAGE, .message = &rrf),
	PB_FIELD(11, NULL, PB_HIDDEN),
	PB_FIELD(12, "text", PB_MESSAGE, .message = &text_query),
};
static const struct pb_message query = PB_TABLE(query_fields);

static const struct pb_field repeated_strings_fields[] = {
	PB_LIST(1, "strings", PB_STRING),
};
static const struct pb_message repeated_strings = PB_TABLE(repeated_strings_fields);

static const struct pb_field repeated_integers_fields[] = {
	PB_LIST(1, "integers", PB_INT64),
};
static const struct pb_message repeated_integers = PB_TABLE(repeated_integers_fields);

static const struct pb_field match_fields[] = {
	PB_FIELD(1, "keyword", PB_STRING),
	PB_FIELD(2, "integer", PB_INT64),
	PB_FIELD(3, "boolean", PB_BOOL),
	PB_FIELD(4, "text", PB_STRING),
	PB_FIELD(5, "keywords", PB_MESSAGE, .message = &repeated_strings),
	PB_FIELD(6, "integers", PB_MESSAGE, .message = &repeated_integers),
	PB_FIELD(7, "exceptIntegers", PB_MESSAGE, .message = &repeated_integers),
	PB_FIELD(8, "exceptKeywords", PB_MESSAGE, .message = &repeated_strings),
	PB_FIELD(9, "phrase", PB_STRING),
	PB_FIELD(10, "textAny", PB_STRING),
	PB_FIELD(11, "prefix", PB_STRING),
	PB_FIELD(12, "substring", PB_STRING),
};
static const struct pb_message match = PB_TABLE(match_fields);

static const struct pb_field range_fields[] = {
	PB_FIELD(1, "lt", PB_DOUBLE),
	PB_FIELD(2, "gt", PB_DOUBLE),
	PB_FIELD(3, "gte", PB_DOUBLE),
	PB_FIELD(4, "lte", PB_DOUBLE),
};
static const struct pb_message range = PB_TABLE(range_fields);

static const struct pb_field geo_point_fields[] = {
	PB_FIELD(1, "lon", PB_DOUBLE),
	PB_FIELD(2, "lat", PB_DOUBLE),
};
static const struct pb_message geo_point = PB_TABLE(geo_point_fields);

static const struct pb_field geo_bounding_box_fields[] = {
	PB_FIELD(1, "topLeft", PB_MESSAGE, .message = &geo_point),
	PB_FIELD(2, "bottomRight", PB_MESSAGE, .message = &geo_point),
};
static const struct pb_message geo_bounding_box = PB_TABLE(geo_bounding_box_fields);

static const struct pb_field geo_radius_fields[] = {
	PB_FIELD(1, "center", PB_MESSAGE, .message = &geo_point),
	PB_FIELD(2, "radius", PB_FLOAT),
};
static const struct pb_message geo_radius = PB_TABLE(geo_radius_fields);

static const struct pb_field values_count_fields[] = {
	PB_FIELD(1, "lt", PB_UINT64),
	PB_FIELD(2, "gt", PB_UINT64),
	PB_FIELD(3, "gte", PB_UINT64),
	PB_FIELD(4, "lte", PB_UINT64),
};
static const struct pb_message values_count = PB_TABLE(values_count_fields);

static const struct pb_field geo_line_string_fields[] = {
	PB_LIST(1, "points", PB_MESSAGE, .message = &geo_point),
};
static const struct pb_message geo_line_string = PB_TABLE(geo_line_string_fields);

static const struct pb_field geo_polygon_fields[] = {
	PB_FIELD(1, "exterior", PB_MESSAGE, .message = &geo_line_string),
	PB_LIST(2, "interiors", PB_MESSAGE, .message = &geo_line_string),
};
static const struct pb_message geo_polygon = PB_TABLE(geo_polygon_fields);

static const struct pb_field datetime_range_fields[] = {
	PB_FIELD(1, "lt", PB_TIMESTAMP),
	PB_FIELD(2, "gt", PB_TIMESTAMP),
	PB_FIELD(3, "gte", PB_TIMESTAMP),
	PB_FIELD(4, "lte", PB_TIMESTAMP),
};
static const struct pb_message datetime_range = PB_TABLE(datetime_range_fields);

static const struct pb_field field_condition_fields[] = {
	PB_FIELD(1, "key", PB_STRING),
	PB_FIELD(2, "match", PB_MESSAGE, .message = &match),
	PB_FIELD(3, "range", PB_MESSAGE, .message = &range),
	PB_FIELD(4, "geoBoundingBox", PB_MESSAGE, .message = &geo_bounding_box),
	PB_FIELD(5, "geoRadius", PB_MESSAGE, .message = &geo_radius),
	PB_FIELD(6, "valuesCount", PB_MESSAGE, .message = &values_count),
	PB_FIELD(7, "geoPolygon", PB_MESSAGE, .message = &geo_polygon),
	PB_FIELD(8, "datetimeRange", PB_MESSAGE, .message = &datetime_range),
	PB_FIELD(9, "isEmpty", PB_BOOL),
	PB_FIELD(10, "isNull", PB_BOOL),
};
static const struct pb_message field_condition = PB_TABLE(field_condition_fields);

static const struct pb_field is_empty_condition_fields[] = {
	PB_FIELD(1, "key", PB_STRING),
};
static const struct pb_message is_empty_condition = PB_TABLE(is_empty_condition_fields);

static const struct pb_field has_id_condition_fields[] = {
	PB_LIST(1, "hasId", PB_MESSAGE, .message = &point_id),
};
static const struct pb_message has_id_condition = PB_TABLE(has_id_condition_fields);

static const struct pb_field is_null_condition_fields[] = {
	PB_FIELD(1, "key", PB_STRING),
};
static const struct pb_message is_null_condition = PB_TABLE(is_null_condition_fields);

static const struct pb_field nested_condition_fields[] = {
	PB_FIELD(1, "key", PB_STRING),
	PB_FIELD(2, "filter", PB_MESSAGE, .message = &filter),
};
static const struct pb_message nested_condition = PB_TABLE(nested_condition_fields);

static const struct pb_field has_vector_condition_fields[] = {
	PB_FIELD(1, "hasVector", PB_STRING),
};
static const struct pb_message has_vector_condition = PB_TABLE(has_vector_condition_fields);

static const struct pb_field slice_condition_fields[] = {
	PB_FIELD(1, "total", PB_UINT32),
	PB_FIELD(2, "index", PB_UINT32),
};
static const struct pb_message slice_condition = PB_TABLE(slice_condition_fields);

static const struct pb_field condition_fields[] = {
	PB_FIELD(1, "field", PB_MESSAGE, .message = &field_condition),
	PB_FIELD(2, "isEmpty", PB_MESSAGE, .message = &is_empty_condition),
	PB_FIELD(3, "hasId", PB_MESSAGE, .message = &has_id_condition),
	PB_FIELD(4, "filter", PB_MESSAGE, .message = &filter),
	PB_FIELD(5, "isNull", PB_MESSAGE, .message = &is_null_condition),
	PB_FIELD(6, "nested", PB_MESSAGE, .message = &nested_condition),
	PB_FIELD(7, "hasVector", PB_MESSAGE, .message = &has_vector_condition),
	PB_FIELD(8, "slice", PB_MESSAGE, .message = &slice_condition),
};
static const struct pb_message condition = PB_TABLE(condition_fields);

static const struct pb_field min_should_fields[] = {
	PB_LIST(1, "conditions", PB_MESSAGE, .message = &condition),
	PB_FIELD(2, "minCount", PB_UINT64),
};
static const struct pb_message min_should = PB_TABLE(min_should_fields);

static const struct pb_field filter_fields[] = {
	PB_LIST(1, "should", PB_MESSAGE, .message = &condition),
	PB_LIST(2, "must", PB_MESSAGE, .message = &condition),
	PB_LIST(3, "mustNot", PB_MESSAGE, .message = &condition),
	PB_FIELD(4, "minShould", PB_MESSAGE, .message = &min_should),
};
static const struct pb_message filter = PB_TABLE(filter_fields);

static const struct pb_field quantization_search_params_fields[] = {
	PB_FIELD(1, "ignore", PB_BOOL),
	PB_FIELD(2, "rescore", PB_BOOL),
	PB_FIELD(3, "oversampling", PB_DOUBLE),
};
static const struct pb_message quantization_search_params = PB_TABLE(quantization_search_params_fields);

static const struct pb_field acorn_search_params_fields[] = {
	PB_FIELD(1, "enable", PB_BOOL),
	PB_FIELD(2, "maxSelectivity", PB_DOUBLE),
};
static const struct pb_message acorn_search_params = PB_TABLE(acorn_search_params_fields);

static const struct pb_field idf_params_fields[] = {
	PB_FIELD(1, "corpus", PB_MESSAGE, .message = &filter),
};
static const struct pb_message idf_params = PB_TABLE(idf_params_fields);

static const struct pb_field search_params_fields[] = {
	PB_FIELD(1, "hnswEf", PB_UINT64),
	PB_FIELD(2, "exact", PB_BOOL),
	PB_FIELD(3, "quantization", PB_MESSAGE, .message = &quantization_search_params),
	PB_FIELD(4, "indexedOnly", PB_BOOL),
	PB_FIELD(5, "acorn", PB_MESSAGE, .message = &acorn_search_params),
	PB_FIELD(6, "idf", PB_MESSAGE, .message = &idf_params),
};
static const struct pb_message search_params = PB_TABLE(search_params_fields);

static const struct pb_field shard_key_fields[] = {
	PB_FIELD(1, "keyword", PB_STRING),
	PB_FIELD(2, "number", PB_UINT64),
};
static const struct pb_message shard_key = PB_TABLE(shard_key_fields);

static const struct pb_field shard_key_selector_fields[] = {
	PB_LIST(1, "shardKeys", PB_MESSAGE, .message = &shard_key),
	PB_FIELD(2, "fallback", PB_MESSAGE, .message = &shard_key),
};
static const struct pb_message shard_key_selector = PB_TABLE(shard_key_selector_fields);

static const struct pb_field lookup_location_fields[] = {
	PB_FIELD(1, "collectionName", PB_STRING),
	PB_FIELD(2, "vectorName", PB_STRING),
	PB_FIELD(3, "shardKeySelector", PB_MESSAGE, .message = &shard_key_selector),
};
static const struct pb_message lookup_location = PB_TABLE(lookup_location_fields);

static const struct pb_field prefetch_query_fields[] = {
	PB_LIST(1, "prefetch", PB_MESSAGE, .message = &prefetch_query),
	PB_FIELD(2, "query", PB_MESSAGE, .message = &query),
	PB_FIELD(3, "using", PB_STRING),
	PB_FIELD(4, "filter", PB_MESSAGE, .message = &filter),
	PB_FIELD(5, "params", PB_MESSAGE, .message = &search_params),
	PB_FIELD(6, "scoreThreshold", PB_FLOAT),
	PB_FIELD(7, "limit", PB_UINT64),
	PB_FIELD(8, "lookupFrom", PB_MESSAGE, .message = &lookup_location),
};
static const struct pb_message prefetch_query = PB_TABLE(prefetch_query_fields);

static const struct pb_field vectors_selector_fields[] = {
	PB_LIST(1, "names", PB_STRING),
};
static const struct pb_message vectors_selector = PB_TABLE(vectors_selector_fields);

static const struct pb_field with_vectors_selector_fields[] = {
	PB_FIELD(1, "enable", PB_BOOL),
	PB_FIELD(2, "include", PB_MESSAGE, .message = &vectors_selector),
};
static const struct pb_message with_vectors_selector = PB_TABLE(with_vectors_selector_fields);

static const struct pb_field payload_include_selector_fields[] = {
	PB_LIST(1, "fields", PB_STRING),
};
static const struct pb_message payload_include_selector = PB_TABLE(payload_include_selector_fields);

static const struct pb_field payload_exclude_selector_fields[] = {
	PB_LIST(1, "fields", PB_STRING),
};
static const struct pb_message payload_exclude_selector = PB_TABLE(payload_exclude_selector_fields);

static const struct pb_field with_payload_selector_fields[] = {
	PB_FIELD(1, "enable", PB_BOOL),
	PB_FIELD(2, "include", PB_MESSAGE, .message = &payload_include_selector),
	PB_FIELD(3, "exclude", PB_MESSAGE, .message = &payload_exclude_selector),
};
static const struct pb_message with_payload_selector = PB_TABLE(with_payload_selector_fields);

static const struct pb_name read_consistency_type_names[] = { { 0, "All" }, { 1, "Majority" }, { 2, "Quorum" } };
static const struct pb_enum read_consistency_type = PB_NAMES(read_consistency_type_names);
static const struct pb_field read_consistency_fields[] = {
	PB_FIELD(1, "type", PB_ENUM, .names = &read_consistency_type),
	PB_FIELD(2, "factor", PB_UINT64),
};
static const struct pb_message read_consistency = PB_TABLE(read_consistency_fields);

static const struct pb_field qdrant_query_fields[] = {
	PB_FIELD(1, "collectionName", PB_STRING),
	PB_LIST(2, "prefetch", PB_MESSAGE, .message = &prefetch_query),
	PB_FIELD(3, "query", PB_MESSAGE, .message = &query),
	PB_FIELD(4, "using", PB_STRING),
	PB_FIELD(5, "filter", PB_MESSAGE, .message = &filter),
	PB_FIELD(6, "params", PB_MESSAGE, .message = &search_params),
	PB_FIELD(7, "scoreThreshold", PB_FLOAT),
	PB_FIELD(8, "limit", PB_UINT64),
	PB_FIELD(9, "offset", PB_UINT64),
	PB_FIELD(10, "withVectors", PB_MESSAGE, .message = &with_vectors_selector),
	PB_FIELD(11, "withPayload", PB_MESSAGE, .message = &with_payload_selector),
	PB_FIELD(12, "readConsistency", PB_MESSAGE, .message = &read_consistency),
	PB_FIELD(13, "shardKeySelector", PB_MESSAGE, .message = &shard_key_selector),
	PB_FIELD(14, "lookupFrom", PB_MESSAGE, .message = &lookup_location),
	PB_FIELD(15, "timeout", PB_UINT64),
};
const struct pb_message qdrant_query = PB_TABLE(qdrant_query_fields);

static const struct pb_field qdrant_search_fields[] = {
	PB_FIELD(1, "collectionName", PB_STRING),
	PB_FIELD(2, NULL, PB_HIDDEN),
	PB_FIELD(3, "filter", PB_MESSAGE, .message = &filter),
	PB_FIELD(4, "limit", PB_UINT64),
	PB_FIELD(6, "withPayload", PB_MESSAGE, .message = &with_payload_selector),
	PB_FIELD(7, "params", PB_MESSAGE, .message = &search_params),
	PB_FIELD(8, "scoreThreshold", PB_FLOAT),
	PB_FIELD(9, "offset", PB_UINT64),
	PB_FIELD(10, "vectorName", PB_STRING),
	PB_FIELD(11, "withVectors", PB_MESSAGE, .message = &with_vectors_selector),
	PB_FIELD(12, "readConsistency", PB_MESSAGE, .message = &read_consistency),
	PB_FIELD(13, "timeout", PB_UINT64),
	PB_FIELD(14, "shardKeySelector", PB_MESSAGE, .message = &shard_key_selector),
	PB_FIELD(15, NULL, PB_HIDDEN),
};
const struct pb_message qdrant_search = PB_TABLE(qdrant_search_fields);

static const struct pb_message value_struct, value_list;

/* Payloads are natural JSON. */
static const struct pb_field value_fields[] = {
	PB_FIELD(2, NULL, PB_DOUBLE),
	PB_FIELD(3, NULL, PB_NUMBER64),
	PB_FIELD(4, NULL, PB_STRING),
	PB_FIELD(5, NULL, PB_BOOL),
	PB_FIELD(6, NULL, PB_MESSAGE, .message = &value_struct),
	PB_FIELD(7, NULL, PB_MESSAGE, .message = &value_list),
	PB_FIELD(1, NULL, PB_HIDDEN),
};
const struct pb_message qdrant_value = PB_BARE(value_fields, "null");
static const struct pb_field value_struct_fields[] = { PB_MAP(1, NULL, PB_MESSAGE, .message = &qdrant_value) };
static const struct pb_message value_struct = PB_BARE(value_struct_fields, "{}");
static const struct pb_field value_list_fields[] = { PB_LIST(1, NULL, PB_MESSAGE, .message = &qdrant_value) };
static const struct pb_message value_list = PB_BARE(value_list_fields, "[]");
