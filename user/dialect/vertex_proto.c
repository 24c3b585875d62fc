/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of Vertex AI's prediction service, under the names that its REST interface has for them. */
#include "dialect/google_proto.h"

static const struct pb_message schema;
static const struct pb_field blob_fields[] = {
	PB_FIELD(1, "mimeType", PB_STRING),
	PB_FIELD(2, "data", PB_BYTES),
};
static const struct pb_message blob = PB_TABLE(blob_fields);

static const struct pb_field file_data_fields[] = {
	PB_FIELD(1, "mimeType", PB_STRING),
	PB_FIELD(2, "fileUri", PB_STRING),
};
static const struct pb_message file_data = PB_TABLE(file_data_fields);

static const struct pb_field video_metadata_fields[] = {
	PB_FIELD(1, "startOffset", PB_DURATION),
	PB_FIELD(2, "endOffset", PB_DURATION),
	PB_FIELD(3, "fps", PB_DOUBLE),
};
static const struct pb_message video_metadata = PB_TABLE(video_metadata_fields);

static const struct pb_name null_value_names[] = { { 0, "NULL_VALUE" } };
static const struct pb_enum null_value = PB_NAMES(null_value_names);
static const struct pb_field partial_arg_fields[] = {
	PB_FIELD(1, "jsonPath", PB_STRING),    PB_FIELD(2, "nullValue", PB_ENUM, .names = &null_value),
	PB_FIELD(3, "numberValue", PB_DOUBLE), PB_FIELD(4, "stringValue", PB_STRING),
	PB_FIELD(5, "boolValue", PB_BOOL),     PB_FIELD(6, "willContinue", PB_BOOL),
};
static const struct pb_message partial_arg = PB_TABLE(partial_arg_fields);

static const struct pb_field function_call_fields[] = {
	PB_FIELD(1, "name", PB_STRING),
	PB_FIELD(2, "args", PB_MESSAGE, .message = &pb_struct),
	PB_LIST(4, "partialArgs", PB_MESSAGE, .message = &partial_arg),
	PB_FIELD(5, "willContinue", PB_BOOL),
};
static const struct pb_message function_call = PB_TABLE(function_call_fields);

static const struct pb_field function_response_blob_fields[] = {
	PB_FIELD(1, "mimeType", PB_STRING),
	PB_FIELD(2, "data", PB_BYTES),
	PB_FIELD(4, "displayName", PB_STRING),
};
static const struct pb_message function_response_blob = PB_TABLE(function_response_blob_fields);

static const struct pb_field function_response_file_data_fields[] = {
	PB_FIELD(1, "mimeType", PB_STRING),
	PB_FIELD(2, "fileUri", PB_STRING),
	PB_FIELD(3, "displayName", PB_STRING),
};
static const struct pb_message function_response_file_data = PB_TABLE(function_response_file_data_fields);

static const struct pb_field function_response_part_fields[] = {
	PB_FIELD(1, "inlineData", PB_MESSAGE, .message = &function_response_blob),
	PB_FIELD(2, "fileData", PB_MESSAGE, .message = &function_response_file_data),
};
static const struct pb_message function_response_part = PB_TABLE(function_response_part_fields);

static const struct pb_field function_response_fields[] = {
	PB_FIELD(1, "name", PB_STRING),
	PB_FIELD(2, "response", PB_MESSAGE, .message = &pb_struct),
	PB_LIST(4, "parts", PB_MESSAGE, .message = &function_response_part),
};
static const struct pb_message function_response = PB_TABLE(function_response_fields);

static const struct pb_name language_names[] = { { 0, "LANGUAGE_UNSPECIFIED" }, { 1, "PYTHON" } };
static const struct pb_enum language = PB_NAMES(language_names);
static const struct pb_field executable_code_fields[] = {
	PB_FIELD(1, "language", PB_ENUM, .names = &language),
	PB_FIELD(2, "code", PB_STRING),
};
static const struct pb_message executable_code = PB_TABLE(executable_code_fields);

static const struct pb_name outcome_names[] = {
	{ 0, "OUTCOME_UNSPECIFIED" }, { 1, "OUTCOME_OK" }, { 2, "OUTCOME_FAILED" }, { 3, "OUTCOME_DEADLINE_EXCEEDED" }
};
static const struct pb_enum outcome = PB_NAMES(outcome_names);
static const struct pb_field code_execution_result_fields[] = {
	PB_FIELD(1, "outcome", PB_ENUM, .names = &outcome),
	PB_FIELD(2, "output", PB_STRING),
};
static const struct pb_message code_execution_result = PB_TABLE(code_execution_result_fields);

static const struct pb_name level_names[] = { { 0, "MEDIA_RESOLUTION_UNSPECIFIED" },
					      { 1, "MEDIA_RESOLUTION_LOW" },
					      { 2, "MEDIA_RESOLUTION_MEDIUM" },
					      { 3, "MEDIA_RESOLUTION_HIGH" },
					      { 4, "MEDIA_RESOLUTION_ULTRA_HIGH" } };
static const struct pb_enum level = PB_NAMES(level_names);
static const struct pb_field media_resolution_fields[] = {
	PB_FIELD(1, "level", PB_ENUM, .names = &level),
};
static const struct pb_message media_resolution = PB_TABLE(media_resolution_fields);

static const struct pb_field part_fields[] = {
	PB_FIELD(1, "text", PB_STRING),
	PB_FIELD(2, "inlineData", PB_MESSAGE, .message = &blob),
	PB_FIELD(3, "fileData", PB_MESSAGE, .message = &file_data),
	PB_FIELD(4, "videoMetadata", PB_MESSAGE, .message = &video_metadata),
	PB_FIELD(5, "functionCall", PB_MESSAGE, .message = &function_call),
	PB_FIELD(6, "functionResponse", PB_MESSAGE, .message = &function_response),
	PB_FIELD(8, "executableCode", PB_MESSAGE, .message = &executable_code),
	PB_FIELD(9, "codeExecutionResult", PB_MESSAGE, .message = &code_execution_result),
	PB_FIELD(10, "thought", PB_BOOL),
	PB_FIELD(11, "thoughtSignature", PB_BYTES),
	PB_FIELD(12, "mediaResolution", PB_MESSAGE, .message = &media_resolution),
};
static const struct pb_message part = PB_TABLE(part_fields);

static const struct pb_field content_fields[] = {
	PB_FIELD(1, "role", PB_STRING),
	PB_LIST(2, "parts", PB_MESSAGE, .message = &part),
};
static const struct pb_message content = PB_TABLE(content_fields);

static const struct pb_name harm_category_names[] = {
	{ 0, "HARM_CATEGORY_UNSPECIFIED" },       { 1, "HARM_CATEGORY_HATE_SPEECH" },
	{ 2, "HARM_CATEGORY_DANGEROUS_CONTENT" }, { 3, "HARM_CATEGORY_HARASSMENT" },
	{ 4, "HARM_CATEGORY_SEXUALLY_EXPLICIT" }, { 5, "HARM_CATEGORY_CIVIC_INTEGRITY" },
	{ 6, "HARM_CATEGORY_JAILBREAK" }
};
static const struct pb_enum harm_category = PB_NAMES(harm_category_names);
static const struct pb_name harm_block_threshold_names[] = { { 0, "HARM_BLOCK_THRESHOLD_UNSPECIFIED" },
							     { 1, "BLOCK_LOW_AND_ABOVE" },
							     { 2, "BLOCK_MEDIUM_AND_ABOVE" },
							     { 3, "BLOCK_ONLY_HIGH" },
							     { 4, "BLOCK_NONE" },
							     { 5, "OFF" } };
static const struct pb_enum harm_block_threshold = PB_NAMES(harm_block_threshold_names);
static const struct pb_name harm_block_method_names[] = { { 0, "HARM_BLOCK_METHOD_UNSPECIFIED" },
							  { 1, "SEVERITY" },
							  { 2, "PROBABILITY" } };
static const struct pb_enum harm_block_method = PB_NAMES(harm_block_method_names);
static const struct pb_field safety_setting_fields[] = {
	PB_FIELD(1, "category", PB_ENUM, .names = &harm_category),
	PB_FIELD(2, "threshold", PB_ENUM, .names = &harm_block_threshold),
	PB_FIELD(4, "method", PB_ENUM, .names = &harm_block_method),
};
static const struct pb_message safety_setting = PB_TABLE(safety_setting_fields);

static const struct pb_name type_names[] = {
	{ 0, "TYPE_UNSPECIFIED" }, { 1, "STRING" }, { 2, "NUMBER" }, { 3, "INTEGER" },
	{ 4, "BOOLEAN" },          { 5, "ARRAY" },  { 6, "OBJECT" }
};
static const struct pb_enum type = PB_NAMES(type_names);
static const struct pb_field schema_fields[] = {
	PB_FIELD(1, "type", PB_ENUM, .names = &type),
	PB_FIELD(2, "items", PB_MESSAGE, .message = &schema),
	PB_MAP(3, "properties", PB_MESSAGE, .message = &schema),
	PB_FIELD(4, "example", PB_MESSAGE, .message = &pb_value),
	PB_LIST(5, "required", PB_STRING),
	PB_FIELD(6, "nullable", PB_BOOL),
	PB_FIELD(7, "format", PB_STRING),
	PB_FIELD(8, "description", PB_STRING),
	PB_LIST(9, "enum", PB_STRING),
	PB_LIST(11, "anyOf", PB_MESSAGE, .message = &schema),
	PB_FIELD(14, "minProperties", PB_INT64),
	PB_FIELD(15, "maxProperties", PB_INT64),
	PB_FIELD(16, "minimum", PB_DOUBLE),
	PB_FIELD(17, "maximum", PB_DOUBLE),
	PB_FIELD(18, "minLength", PB_INT64),
	PB_FIELD(19, "maxLength", PB_INT64),
	PB_FIELD(20, "pattern", PB_STRING),
	PB_FIELD(21, "minItems", PB_INT64),
	PB_FIELD(22, "maxItems", PB_INT64),
	PB_FIELD(23, "default", PB_MESSAGE, .message = &pb_value),
	PB_FIELD(24, "title", PB_STRING),
	PB_LIST(25, "propertyOrdering", PB_STRING),
	PB_FIELD(26, "additionalProperties", PB_MESSAGE, .message = &pb_value),
	PB_FIELD(27, "ref", PB_STRING),
	PB_MAP(28, "defs", PB_MESSAGE, .message = &schema),
};
static const struct pb_message schema = PB_TABLE(schema_fields);

static const struct pb_name modality_names[] = {
	{ 0, "MODALITY_UNSPECIFIED" }, { 1, "TEXT" }, { 2, "IMAGE" }, { 3, "AUDIO" }
};
static const struct pb_enum modality = PB_NAMES(modality_names);
static const struct pb_name generation_config_media_resolution_names[] = { { 0, "MEDIA_RESOLUTION_UNSPECIFIED" },
									   { 1, "MEDIA_RESOLUTION_LOW" },
									   { 2, "MEDIA_RESOLUTION_MEDIUM" },
									   { 3, "MEDIA_RESOLUTION_HIGH" } };
static const struct pb_enum generation_config_media_resolution = PB_NAMES(generation_config_media_resolution_names);
static const struct pb_name thinking_level_names[] = {
	{ 0, "THINKING_LEVEL_UNSPECIFIED" }, { 1, "LOW" }, { 2, "MEDIUM" }, { 3, "HIGH" }, { 4, "MINIMAL" }
};
static const struct pb_enum thinking_level = PB_NAMES(thinking_level_names);
static const struct pb_field thinking_config_fields[] = {
	PB_FIELD(1, "includeThoughts", PB_BOOL),
	PB_FIELD(3, "thinkingBudget", PB_INT32),
	PB_FIELD(4, "thinkingLevel", PB_ENUM, .names = &thinking_level),
};
static const struct pb_message thinking_config = PB_TABLE(thinking_config_fields);

static const struct pb_field generation_config_fields[] = {
	PB_FIELD(1, "temperature", PB_FLOAT),
	PB_FIELD(2, "topP", PB_FLOAT),
	PB_FIELD(3, "topK", PB_FLOAT),
	PB_FIELD(4, "candidateCount", PB_INT32),
	PB_FIELD(5, "maxOutputTokens", PB_INT32),
	PB_LIST(6, "stopSequences", PB_STRING),
	PB_FIELD(7, "logprobs", PB_INT32),
	PB_FIELD(8, "presencePenalty", PB_FLOAT),
	PB_FIELD(9, "frequencyPenalty", PB_FLOAT),
	PB_FIELD(12, "seed", PB_INT32),
	PB_FIELD(13, "responseMimeType", PB_STRING),
	PB_FIELD(16, "responseSchema", PB_MESSAGE, .message = &schema),
	PB_FIELD(17, NULL, PB_HIDDEN),
	PB_FIELD(18, "responseLogprobs", PB_BOOL),
	PB_FIELD(20, "audioTimestamp", PB_BOOL),
	PB_LIST(21, "responseModalities", PB_ENUM, .names = &modality),
	PB_FIELD(22, "mediaResolution", PB_ENUM, .names = &generation_config_media_resolution),
	PB_FIELD(23, NULL, PB_HIDDEN),
	PB_FIELD(25, "thinkingConfig", PB_MESSAGE, .message = &thinking_config),
	PB_FIELD(28, "responseJsonSchema", PB_MESSAGE, .message = &pb_value),
	PB_FIELD(30, NULL, PB_HIDDEN),
};
static const struct pb_message generation_config = PB_TABLE(generation_config_fields);

static const struct pb_field function_declaration_fields[] = {
	PB_FIELD(1, "name", PB_STRING),
	PB_FIELD(2, "description", PB_STRING),
	PB_FIELD(3, "parameters", PB_MESSAGE, .message = &schema),
	PB_FIELD(4, "response", PB_MESSAGE, .message = &schema),
	PB_FIELD(5, "parametersJsonSchema", PB_MESSAGE, .message = &pb_value),
	PB_FIELD(6, "responseJsonSchema", PB_MESSAGE, .message = &pb_value),
};
static const struct pb_message function_declaration = PB_TABLE(function_declaration_fields);

static const struct pb_field google_search_retrieval_fields[] = {
	PB_FIELD(2, NULL, PB_HIDDEN),
};
static const struct pb_message google_search_retrieval = PB_TABLE(google_search_retrieval_fields);

static const struct pb_message code_execution;
static const struct pb_name phish_block_threshold_names[] = {
	{ 0, "PHISH_BLOCK_THRESHOLD_UNSPECIFIED" }, { 30, "BLOCK_LOW_AND_ABOVE" },
	{ 40, "BLOCK_MEDIUM_AND_ABOVE" },           { 50, "BLOCK_HIGH_AND_ABOVE" },
	{ 55, "BLOCK_HIGHER_AND_ABOVE" },           { 60, "BLOCK_VERY_HIGH_AND_ABOVE" },
	{ 100, "BLOCK_ONLY_EXTREMELY_HIGH" }
};
static const struct pb_enum phish_block_threshold = PB_NAMES(phish_block_threshold_names);
static const struct pb_field google_search_fields[] = {
	PB_LIST(3, "excludeDomains", PB_STRING),
	PB_FIELD(4, "blockingConfidence", PB_ENUM, .names = &phish_block_threshold),
};
static const struct pb_message google_search = PB_TABLE(google_search_fields);

static const struct pb_message url_context;
static const struct pb_field exa_ai_search_fields[] = {
	PB_FIELD(1, NULL, PB_HIDDEN),
	PB_FIELD(2, "customConfigs", PB_MESSAGE, .message = &pb_struct),
};
static const struct pb_message exa_ai_search = PB_TABLE(exa_ai_search_fields);

static const struct pb_field tool_fields[] = {
	PB_LIST(1, "functionDeclarations", PB_MESSAGE, .message = &function_declaration),
	PB_FIELD(2, NULL, PB_HIDDEN),
	PB_FIELD(3, "googleSearchRetrieval", PB_MESSAGE, .message = &google_search_retrieval),
	PB_FIELD(4, "codeExecution", PB_MESSAGE, .message = &code_execution),
	PB_FIELD(5, NULL, PB_HIDDEN),
	PB_FIELD(6, NULL, PB_HIDDEN),
	PB_FIELD(7, "googleSearch", PB_MESSAGE, .message = &google_search),
	PB_FIELD(10, "urlContext", PB_MESSAGE, .message = &url_context),
	PB_FIELD(11, NULL, PB_HIDDEN),
	PB_FIELD(13, NULL, PB_HIDDEN),
	PB_FIELD(15, "exaAiSearch", PB_MESSAGE, .message = &exa_ai_search),
};
static const struct pb_message tool = PB_TABLE(tool_fields);

static const struct pb_name mode_names[] = {
	{ 0, "MODE_UNSPECIFIED" }, { 1, "AUTO" }, { 2, "ANY" }, { 3, "NONE" }, { 5, "VALIDATED" }
};
static const struct pb_enum mode = PB_NAMES(mode_names);
static const struct pb_field function_calling_config_fields[] = {
	PB_FIELD(1, "mode", PB_ENUM, .names = &mode),
	PB_LIST(2, "allowedFunctionNames", PB_STRING),
	PB_FIELD(4, "streamFunctionCallArguments", PB_BOOL),
};
static const struct pb_message function_calling_config = PB_TABLE(function_calling_config_fields);

static const struct pb_field tool_config_fields[] = {
	PB_FIELD(1, "functionCallingConfig", PB_MESSAGE, .message = &function_calling_config),
	PB_FIELD(2, NULL, PB_HIDDEN),
};
static const struct pb_message tool_config = PB_TABLE(tool_config_fields);

static const struct pb_field vertex_request_fields[] = {
	PB_LIST(2, "contents", PB_MESSAGE, .message = &content),
	PB_LIST(3, "safetySettings", PB_MESSAGE, .message = &safety_setting),
	PB_FIELD(4, "generationConfig", PB_MESSAGE, .message = &generation_config),
	PB_FIELD(5, "model", PB_STRING),
	PB_LIST(6, "tools", PB_MESSAGE, .message = &tool),
	PB_FIELD(7, "toolConfig", PB_MESSAGE, .message = &tool_config),
	PB_FIELD(8, "systemInstruction", PB_MESSAGE, .message = &content),
	PB_FIELD(9, "cachedContent", PB_STRING),
	PB_MAP(10, "labels", PB_STRING),
	PB_FIELD(11, NULL, PB_HIDDEN),
};
const struct pb_message vertex_request = PB_TABLE(vertex_request_fields);

static const struct pb_name finish_reason_names[] = { { 0, "FINISH_REASON_UNSPECIFIED" },
						      { 1, "STOP" },
						      { 2, "MAX_TOKENS" },
						      { 3, "SAFETY" },
						      { 4, "RECITATION" },
						      { 5, "OTHER" },
						      { 6, "BLOCKLIST" },
						      { 7, "PROHIBITED_CONTENT" },
						      { 8, "SPII" },
						      { 9, "MALFORMED_FUNCTION_CALL" },
						      { 10, "MODEL_ARMOR" } };
static const struct pb_enum finish_reason = PB_NAMES(finish_reason_names);
static const struct pb_name harm_probability_names[] = {
	{ 0, "HARM_PROBABILITY_UNSPECIFIED" }, { 1, "NEGLIGIBLE" }, { 2, "LOW" }, { 3, "MEDIUM" }, { 4, "HIGH" }
};
static const struct pb_enum harm_probability = PB_NAMES(harm_probability_names);
static const struct pb_name harm_severity_names[] = { { 0, "HARM_SEVERITY_UNSPECIFIED" },
						      { 1, "HARM_SEVERITY_NEGLIGIBLE" },
						      { 2, "HARM_SEVERITY_LOW" },
						      { 3, "HARM_SEVERITY_MEDIUM" },
						      { 4, "HARM_SEVERITY_HIGH" } };
static const struct pb_enum harm_severity = PB_NAMES(harm_severity_names);
static const struct pb_field safety_rating_fields[] = {
	PB_FIELD(1, "category", PB_ENUM, .names = &harm_category),
	PB_FIELD(2, "probability", PB_ENUM, .names = &harm_probability),
	PB_FIELD(3, "blocked", PB_BOOL),
	PB_FIELD(5, "probabilityScore", PB_FLOAT),
	PB_FIELD(6, "severity", PB_ENUM, .names = &harm_severity),
	PB_FIELD(7, "severityScore", PB_FLOAT),
};
static const struct pb_message safety_rating = PB_TABLE(safety_rating_fields);

static const struct pb_field date_fields[] = {
	PB_FIELD(1, "year", PB_INT32),
	PB_FIELD(2, "month", PB_INT32),
	PB_FIELD(3, "day", PB_INT32),
};
static const struct pb_message date = PB_TABLE(date_fields);

static const struct pb_field citation_fields[] = {
	PB_FIELD(1, "startIndex", PB_INT32), PB_FIELD(2, "endIndex", PB_INT32),
	PB_FIELD(3, "uri", PB_STRING),       PB_FIELD(4, "title", PB_STRING),
	PB_FIELD(5, "license", PB_STRING),   PB_FIELD(6, "publicationDate", PB_MESSAGE, .message = &date),
};
static const struct pb_message citation = PB_TABLE(citation_fields);

static const struct pb_field citation_metadata_fields[] = {
	PB_LIST(1, "citations", PB_MESSAGE, .message = &citation),
};
static const struct pb_message citation_metadata = PB_TABLE(citation_metadata_fields);

static const struct pb_field search_entry_point_fields[] = {
	PB_FIELD(1, "renderedContent", PB_STRING),
	PB_FIELD(2, "sdkBlob", PB_BYTES),
};
static const struct pb_message search_entry_point = PB_TABLE(search_entry_point_fields);

static const struct pb_field web_fields[] = {
	PB_FIELD(1, "uri", PB_STRING),
	PB_FIELD(2, "title", PB_STRING),
};
static const struct pb_message web = PB_TABLE(web_fields);

static const struct pb_field retrieved_context_fields[] = {
	PB_FIELD(1, "uri", PB_STRING), PB_FIELD(2, "title", PB_STRING),        PB_FIELD(3, "text", PB_STRING),
	PB_FIELD(4, NULL, PB_HIDDEN),  PB_FIELD(6, "documentName", PB_STRING),
};
static const struct pb_message retrieved_context = PB_TABLE(retrieved_context_fields);

static const struct pb_field route_fields[] = {
	PB_FIELD(1, "distanceMeters", PB_INT32),
	PB_FIELD(2, "duration", PB_DURATION),
	PB_FIELD(3, "encodedPolyline", PB_STRING),
};
static const struct pb_message route = PB_TABLE(route_fields);

static const struct pb_field maps_fields[] = {
	PB_FIELD(1, "uri", PB_STRING),  PB_FIELD(2, "title", PB_STRING),
	PB_FIELD(3, "text", PB_STRING), PB_FIELD(4, "placeId", PB_STRING),
	PB_FIELD(5, NULL, PB_HIDDEN),   PB_FIELD(6, "route", PB_MESSAGE, .message = &route),
};
static const struct pb_message maps = PB_TABLE(maps_fields);

static const struct pb_field grounding_chunk_fields[] = {
	PB_FIELD(1, "web", PB_MESSAGE, .message = &web),
	PB_FIELD(2, "retrievedContext", PB_MESSAGE, .message = &retrieved_context),
	PB_FIELD(3, "maps", PB_MESSAGE, .message = &maps),
};
static const struct pb_message grounding_chunk = PB_TABLE(grounding_chunk_fields);

static const struct pb_field segment_fields[] = {
	PB_FIELD(1, "partIndex", PB_INT32),
	PB_FIELD(2, "startIndex", PB_INT32),
	PB_FIELD(3, "endIndex", PB_INT32),
	PB_FIELD(4, "text", PB_STRING),
};
static const struct pb_message segment = PB_TABLE(segment_fields);

static const struct pb_field grounding_support_fields[] = {
	PB_FIELD(1, "segment", PB_MESSAGE, .message = &segment),
	PB_LIST(2, "groundingChunkIndices", PB_INT32),
	PB_LIST(3, "confidenceScores", PB_FLOAT),
};
static const struct pb_message grounding_support = PB_TABLE(grounding_support_fields);

static const struct pb_field retrieval_metadata_fields[] = {
	PB_FIELD(2, "googleSearchDynamicRetrievalScore", PB_FLOAT),
};
static const struct pb_message retrieval_metadata = PB_TABLE(retrieval_metadata_fields);

static const struct pb_field source_flagging_uri_fields[] = {
	PB_FIELD(1, "sourceId", PB_STRING),
	PB_FIELD(2, "flagContentUri", PB_STRING),
};
static const struct pb_message source_flagging_uri = PB_TABLE(source_flagging_uri_fields);

static const struct pb_field grounding_metadata_fields[] = {
	PB_LIST(1, "webSearchQueries", PB_STRING),
	PB_LIST(3, "retrievalQueries", PB_STRING),
	PB_FIELD(4, "searchEntryPoint", PB_MESSAGE, .message = &search_entry_point),
	PB_LIST(5, "groundingChunks", PB_MESSAGE, .message = &grounding_chunk),
	PB_LIST(6, "groundingSupports", PB_MESSAGE, .message = &grounding_support),
	PB_FIELD(7, "retrievalMetadata", PB_MESSAGE, .message = &retrieval_metadata),
	PB_FIELD(8, "googleMapsWidgetContextToken", PB_STRING),
	PB_LIST(9, "sourceFlaggingUris", PB_MESSAGE, .message = &source_flagging_uri),
};
static const struct pb_message grounding_metadata = PB_TABLE(grounding_metadata_fields);

static const struct pb_field candidate_fields[] = {
	PB_FIELD(1, "index", PB_INT32),
	PB_FIELD(2, "content", PB_MESSAGE, .message = &content),
	PB_FIELD(3, "finishReason", PB_ENUM, .names = &finish_reason),
	PB_LIST(4, "safetyRatings", PB_MESSAGE, .message = &safety_rating),
	PB_FIELD(5, "finishMessage", PB_STRING),
	PB_FIELD(6, "citationMetadata", PB_MESSAGE, .message = &citation_metadata),
	PB_FIELD(7, "groundingMetadata", PB_MESSAGE, .message = &grounding_metadata),
	PB_FIELD(8, "score", PB_DOUBLE),
	PB_FIELD(9, "avgLogprobs", PB_DOUBLE),
	PB_FIELD(10, NULL, PB_HIDDEN),
	PB_FIELD(11, NULL, PB_HIDDEN),
};
static const struct pb_message candidate = PB_TABLE(candidate_fields);

static const struct pb_name blocked_reason_names[] = {
	{ 0, "BLOCKED_REASON_UNSPECIFIED" }, { 1, "SAFETY" },      { 2, "OTHER" },    { 3, "BLOCKLIST" },
	{ 4, "PROHIBITED_CONTENT" },         { 5, "MODEL_ARMOR" }, { 6, "JAILBREAK" }
};
static const struct pb_enum blocked_reason = PB_NAMES(blocked_reason_names);
static const struct pb_field prompt_feedback_fields[] = {
	PB_FIELD(1, "blockReason", PB_ENUM, .names = &blocked_reason),
	PB_LIST(2, "safetyRatings", PB_MESSAGE, .message = &safety_rating),
	PB_FIELD(3, "blockReasonMessage", PB_STRING),
};
static const struct pb_message prompt_feedback = PB_TABLE(prompt_feedback_fields);

static const struct pb_name traffic_type_names[] = { { 0, "TRAFFIC_TYPE_UNSPECIFIED" },
						     { 1, "ON_DEMAND" },
						     { 2, "PROVISIONED_THROUGHPUT" },
						     { 3, "ON_DEMAND_PRIORITY" },
						     { 4, "ON_DEMAND_FLEX" } };
static const struct pb_enum traffic_type = PB_NAMES(traffic_type_names);
static const struct pb_name other_modality_names[] = {
	{ 0, "MODALITY_UNSPECIFIED" }, { 1, "TEXT" }, { 2, "IMAGE" }, { 3, "VIDEO" }, { 4, "AUDIO" }, { 5, "DOCUMENT" }
};
static const struct pb_enum other_modality = PB_NAMES(other_modality_names);
static const struct pb_field modality_token_count_fields[] = {
	PB_FIELD(1, "modality", PB_ENUM, .names = &other_modality),
	PB_FIELD(2, "tokenCount", PB_INT32),
};
static const struct pb_message modality_token_count = PB_TABLE(modality_token_count_fields);

static const struct pb_field usage_metadata_fields[] = {
	PB_FIELD(1, "promptTokenCount", PB_INT32),
	PB_FIELD(2, "candidatesTokenCount", PB_INT32),
	PB_FIELD(3, "totalTokenCount", PB_INT32),
	PB_FIELD(5, "cachedContentTokenCount", PB_INT32),
	PB_FIELD(8, "trafficType", PB_ENUM, .names = &traffic_type),
	PB_LIST(9, "promptTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_LIST(10, "cacheTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_LIST(11, "candidatesTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_LIST(12, "toolUsePromptTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_FIELD(14, "thoughtsTokenCount", PB_INT32),
};
static const struct pb_message usage_metadata = PB_TABLE(usage_metadata_fields);

static const struct pb_field vertex_answer_fields[] = {
	PB_LIST(2, "candidates", PB_MESSAGE, .message = &candidate),
	PB_FIELD(3, "promptFeedback", PB_MESSAGE, .message = &prompt_feedback),
	PB_FIELD(4, "usageMetadata", PB_MESSAGE, .message = &usage_metadata),
	PB_FIELD(11, "modelVersion", PB_STRING),
	PB_FIELD(12, "createTime", PB_TIMESTAMP),
	PB_FIELD(13, "responseId", PB_STRING),
};
const struct pb_message vertex_answer = PB_TABLE(vertex_answer_fields);

static const struct pb_field vertex_count_request_fields[] = {
	PB_FIELD(1, "endpoint", PB_STRING),
	PB_LIST(2, "instances", PB_MESSAGE, .message = &pb_value),
	PB_FIELD(3, "model", PB_STRING),
	PB_LIST(4, "contents", PB_MESSAGE, .message = &content),
	PB_FIELD(5, "systemInstruction", PB_MESSAGE, .message = &content),
	PB_LIST(6, "tools", PB_MESSAGE, .message = &tool),
	PB_FIELD(7, "generationConfig", PB_MESSAGE, .message = &generation_config),
};
const struct pb_message vertex_count_request = PB_TABLE(vertex_count_request_fields);

static const struct pb_field vertex_count_answer_fields[] = {
	PB_FIELD(1, "totalTokens", PB_INT32),
	PB_FIELD(2, "totalBillableCharacters", PB_INT32),
	PB_LIST(3, "promptTokensDetails", PB_MESSAGE, .message = &modality_token_count),
};
const struct pb_message vertex_count_answer = PB_TABLE(vertex_count_answer_fields);
