/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of Google's generative language service, under the names that its REST interface has for them. */
#include "dialect/google_proto.h"

static const struct pb_message schema;
static const struct pb_field blob_fields[] = {
	PB_FIELD(1, "mimeType", PB_STRING),
	PB_FIELD(2, "data", PB_BYTES),
};
static const struct pb_message blob = PB_TABLE(blob_fields);

static const struct pb_field function_call_fields[] = {
	PB_FIELD(1, "name", PB_STRING),
	PB_FIELD(2, "args", PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(3, "id", PB_STRING),
};
static const struct pb_message function_call = PB_TABLE(function_call_fields);

static const struct pb_name scheduling_names[] = {
	{ 0, "SCHEDULING_UNSPECIFIED" }, { 1, "SILENT" }, { 2, "WHEN_IDLE" }, { 3, "INTERRUPT" }
};
static const struct pb_enum scheduling = PB_NAMES(scheduling_names);
static const struct pb_field function_response_blob_fields[] = {
	PB_FIELD(1, "mimeType", PB_STRING),
	PB_FIELD(2, "data", PB_BYTES),
};
static const struct pb_message function_response_blob = PB_TABLE(function_response_blob_fields);

static const struct pb_field function_response_part_fields[] = {
	PB_FIELD(1, "inlineData", PB_MESSAGE, .message = &function_response_blob),
};
static const struct pb_message function_response_part = PB_TABLE(function_response_part_fields);

static const struct pb_field function_response_fields[] = {
	PB_FIELD(1, "name", PB_STRING),
	PB_FIELD(2, "response", PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(3, "id", PB_STRING),
	PB_FIELD(4, "willContinue", PB_BOOL),
	PB_FIELD(5, "scheduling", PB_ENUM, .names = &scheduling),
	PB_LIST(8, "parts", PB_MESSAGE, .message = &function_response_part),
};
static const struct pb_message function_response = PB_TABLE(function_response_fields);

static const struct pb_field file_data_fields[] = {
	PB_FIELD(1, "mimeType", PB_STRING),
	PB_FIELD(2, "fileUri", PB_STRING),
};
static const struct pb_message file_data = PB_TABLE(file_data_fields);

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

static const struct pb_field video_metadata_fields[] = {
	PB_FIELD(1, "startOffset", PB_DURATION),
	PB_FIELD(2, "endOffset", PB_DURATION),
	PB_FIELD(3, "fps", PB_DOUBLE),
};
static const struct pb_message video_metadata = PB_TABLE(video_metadata_fields);

static const struct pb_field part_fields[] = {
	PB_FIELD(2, "text", PB_STRING),
	PB_FIELD(3, "inlineData", PB_MESSAGE, .message = &blob),
	PB_FIELD(4, "functionCall", PB_MESSAGE, .message = &function_call),
	PB_FIELD(5, "functionResponse", PB_MESSAGE, .message = &function_response),
	PB_FIELD(6, "fileData", PB_MESSAGE, .message = &file_data),
	PB_FIELD(8, "partMetadata", PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(9, "executableCode", PB_MESSAGE, .message = &executable_code),
	PB_FIELD(10, "codeExecutionResult", PB_MESSAGE, .message = &code_execution_result),
	PB_FIELD(11, "thought", PB_BOOL),
	PB_FIELD(13, "thoughtSignature", PB_BYTES),
	PB_FIELD(14, "videoMetadata", PB_MESSAGE, .message = &video_metadata),
};
static const struct pb_message part = PB_TABLE(part_fields);

static const struct pb_field content_fields[] = {
	PB_LIST(1, "parts", PB_MESSAGE, .message = &part),
	PB_FIELD(2, "role", PB_STRING),
};
static const struct pb_message content = PB_TABLE(content_fields);

static const struct pb_name harm_category_names[] = { { 0, "HARM_CATEGORY_UNSPECIFIED" },
						      { 1, "HARM_CATEGORY_DEROGATORY" },
						      { 2, "HARM_CATEGORY_TOXICITY" },
						      { 3, "HARM_CATEGORY_VIOLENCE" },
						      { 4, "HARM_CATEGORY_SEXUAL" },
						      { 5, "HARM_CATEGORY_MEDICAL" },
						      { 6, "HARM_CATEGORY_DANGEROUS" },
						      { 7, "HARM_CATEGORY_HARASSMENT" },
						      { 8, "HARM_CATEGORY_HATE_SPEECH" },
						      { 9, "HARM_CATEGORY_SEXUALLY_EXPLICIT" },
						      { 10, "HARM_CATEGORY_DANGEROUS_CONTENT" },
						      { 11, "HARM_CATEGORY_CIVIC_INTEGRITY" } };
static const struct pb_enum harm_category = PB_NAMES(harm_category_names);
static const struct pb_name harm_block_threshold_names[] = { { 0, "HARM_BLOCK_THRESHOLD_UNSPECIFIED" },
							     { 1, "BLOCK_LOW_AND_ABOVE" },
							     { 2, "BLOCK_MEDIUM_AND_ABOVE" },
							     { 3, "BLOCK_ONLY_HIGH" },
							     { 4, "BLOCK_NONE" },
							     { 5, "OFF" } };
static const struct pb_enum harm_block_threshold = PB_NAMES(harm_block_threshold_names);
static const struct pb_field safety_setting_fields[] = {
	PB_FIELD(3, "category", PB_ENUM, .names = &harm_category),
	PB_FIELD(4, "threshold", PB_ENUM, .names = &harm_block_threshold),
};
static const struct pb_message safety_setting = PB_TABLE(safety_setting_fields);

static const struct pb_name type_names[] = { { 0, "TYPE_UNSPECIFIED" }, { 1, "STRING" },  { 2, "NUMBER" },
					     { 3, "INTEGER" },          { 4, "BOOLEAN" }, { 5, "ARRAY" },
					     { 6, "OBJECT" },           { 7, "NULL" } };
static const struct pb_enum type = PB_NAMES(type_names);
static const struct pb_field schema_fields[] = {
	PB_FIELD(1, "type", PB_ENUM, .names = &type),
	PB_FIELD(2, "format", PB_STRING),
	PB_FIELD(3, "description", PB_STRING),
	PB_FIELD(4, "nullable", PB_BOOL),
	PB_LIST(5, "enum", PB_STRING),
	PB_FIELD(6, "items", PB_MESSAGE, .message = &schema),
	PB_MAP(7, "properties", PB_MESSAGE, .message = &schema),
	PB_LIST(8, "required", PB_STRING),
	PB_FIELD(9, "minProperties", PB_INT64),
	PB_FIELD(10, "maxProperties", PB_INT64),
	PB_FIELD(11, "minimum", PB_DOUBLE),
	PB_FIELD(12, "maximum", PB_DOUBLE),
	PB_FIELD(13, "minLength", PB_INT64),
	PB_FIELD(14, "maxLength", PB_INT64),
	PB_FIELD(15, "pattern", PB_STRING),
	PB_FIELD(16, "example", PB_MESSAGE, .message = &pb_value),
	PB_LIST(18, "anyOf", PB_MESSAGE, .message = &schema),
	PB_FIELD(21, "maxItems", PB_INT64),
	PB_FIELD(22, "minItems", PB_INT64),
	PB_LIST(23, "propertyOrdering", PB_STRING),
	PB_FIELD(24, "title", PB_STRING),
	PB_FIELD(25, "default", PB_MESSAGE, .message = &pb_value),
};
static const struct pb_message schema = PB_TABLE(schema_fields);

static const struct pb_name modality_names[] = {
	{ 0, "MODALITY_UNSPECIFIED" }, { 1, "TEXT" }, { 2, "IMAGE" }, { 3, "AUDIO" }
};
static const struct pb_enum modality = PB_NAMES(modality_names);
static const struct pb_field thinking_config_fields[] = {
	PB_FIELD(1, "includeThoughts", PB_BOOL),
	PB_FIELD(2, "thinkingBudget", PB_INT32),
};
static const struct pb_message thinking_config = PB_TABLE(thinking_config_fields);

static const struct pb_name media_resolution_names[] = { { 0, "MEDIA_RESOLUTION_UNSPECIFIED" },
							 { 1, "MEDIA_RESOLUTION_LOW" },
							 { 2, "MEDIA_RESOLUTION_MEDIUM" },
							 { 3, "MEDIA_RESOLUTION_HIGH" } };
static const struct pb_enum media_resolution = PB_NAMES(media_resolution_names);
static const struct pb_field image_config_fields[] = {
	PB_FIELD(1, "aspectRatio", PB_STRING),
};
static const struct pb_message image_config = PB_TABLE(image_config_fields);

static const struct pb_field generation_config_fields[] = {
	PB_FIELD(1, "candidateCount", PB_INT32),
	PB_LIST(2, "stopSequences", PB_STRING),
	PB_FIELD(4, "maxOutputTokens", PB_INT32),
	PB_FIELD(5, "temperature", PB_FLOAT),
	PB_FIELD(6, "topP", PB_FLOAT),
	PB_FIELD(7, "topK", PB_INT32),
	PB_FIELD(8, "seed", PB_INT32),
	PB_FIELD(13, "responseMimeType", PB_STRING),
	PB_FIELD(14, "responseSchema", PB_MESSAGE, .message = &schema),
	PB_FIELD(15, "presencePenalty", PB_FLOAT),
	PB_FIELD(16, "frequencyPenalty", PB_FLOAT),
	PB_FIELD(17, "responseLogprobs", PB_BOOL),
	PB_FIELD(18, "logprobs", PB_INT32),
	PB_FIELD(19, "enableEnhancedCivicAnswers", PB_BOOL),
	PB_LIST(20, "responseModalities", PB_ENUM, .names = &modality),
	PB_FIELD(21, NULL, PB_HIDDEN),
	PB_FIELD(22, "thinkingConfig", PB_MESSAGE, .message = &thinking_config),
	PB_FIELD(23, "mediaResolution", PB_ENUM, .names = &media_resolution),
	PB_FIELD(24, "responseJsonSchema", PB_MESSAGE, .message = &pb_value),
	PB_FIELD(27, "imageConfig", PB_MESSAGE, .message = &image_config),
	PB_FIELD(28, "responseJsonSchemaOrdered", PB_MESSAGE, .message = &pb_value),
};
static const struct pb_message generation_config = PB_TABLE(generation_config_fields);

static const struct pb_name behavior_names[] = { { 0, "UNSPECIFIED" }, { 1, "BLOCKING" }, { 2, "NON_BLOCKING" } };
static const struct pb_enum behavior = PB_NAMES(behavior_names);
static const struct pb_field function_declaration_fields[] = {
	PB_FIELD(1, "name", PB_STRING),
	PB_FIELD(2, "description", PB_STRING),
	PB_FIELD(3, "parameters", PB_MESSAGE, .message = &schema),
	PB_FIELD(4, "response", PB_MESSAGE, .message = &schema),
	PB_FIELD(5, "behavior", PB_ENUM, .names = &behavior),
	PB_FIELD(6, "parametersJsonSchema", PB_MESSAGE, .message = &pb_value),
	PB_FIELD(7, "responseJsonSchema", PB_MESSAGE, .message = &pb_value),
};
static const struct pb_message function_declaration = PB_TABLE(function_declaration_fields);

static const struct pb_name mode_names[] = { { 0, "MODE_UNSPECIFIED" }, { 1, "MODE_DYNAMIC" } };
static const struct pb_enum mode = PB_NAMES(mode_names);
static const struct pb_field dynamic_retrieval_config_fields[] = {
	PB_FIELD(1, "mode", PB_ENUM, .names = &mode),
	PB_FIELD(2, "dynamicThreshold", PB_FLOAT),
};
static const struct pb_message dynamic_retrieval_config = PB_TABLE(dynamic_retrieval_config_fields);

static const struct pb_field google_search_retrieval_fields[] = {
	PB_FIELD(1, "dynamicRetrievalConfig", PB_MESSAGE, .message = &dynamic_retrieval_config),
};
static const struct pb_message google_search_retrieval = PB_TABLE(google_search_retrieval_fields);

static const struct pb_message code_execution;

static const struct pb_field interval_fields[] = {
	PB_FIELD(1, "startTime", PB_TIMESTAMP),
	PB_FIELD(2, "endTime", PB_TIMESTAMP),
};
static const struct pb_message interval = PB_TABLE(interval_fields);

static const struct pb_field google_search_fields[] = {
	PB_FIELD(2, "timeRangeFilter", PB_MESSAGE, .message = &interval),
};
static const struct pb_message google_search = PB_TABLE(google_search_fields);

static const struct pb_message url_context;

static const struct pb_field retrieval_resource_fields[] = {
	PB_FIELD(1, "ragStoreName", PB_STRING),
};
static const struct pb_message retrieval_resource = PB_TABLE(retrieval_resource_fields);

static const struct pb_field retrieval_config_fields[] = {
	PB_FIELD(1, "topK", PB_INT32),
	PB_FIELD(3, "metadataFilter", PB_STRING),
};
static const struct pb_message retrieval_config = PB_TABLE(retrieval_config_fields);

static const struct pb_field file_search_fields[] = {
	PB_LIST(1, "retrievalResources", PB_MESSAGE, .message = &retrieval_resource),
	PB_FIELD(2, "retrievalConfig", PB_MESSAGE, .message = &retrieval_config),
};
static const struct pb_message file_search = PB_TABLE(file_search_fields);

static const struct pb_field google_maps_fields[] = {
	PB_FIELD(1, "enableWidget", PB_BOOL),
};
static const struct pb_message google_maps = PB_TABLE(google_maps_fields);

static const struct pb_field tool_fields[] = {
	PB_LIST(1, "functionDeclarations", PB_MESSAGE, .message = &function_declaration),
	PB_FIELD(2, "googleSearchRetrieval", PB_MESSAGE, .message = &google_search_retrieval),
	PB_FIELD(3, "codeExecution", PB_MESSAGE, .message = &code_execution),
	PB_FIELD(4, "googleSearch", PB_MESSAGE, .message = &google_search),
	PB_FIELD(6, NULL, PB_HIDDEN),
	PB_FIELD(8, "urlContext", PB_MESSAGE, .message = &url_context),
	PB_FIELD(9, "fileSearch", PB_MESSAGE, .message = &file_search),
	PB_FIELD(11, "googleMaps", PB_MESSAGE, .message = &google_maps),
};
static const struct pb_message tool = PB_TABLE(tool_fields);

static const struct pb_name function_calling_config_mode_names[] = {
	{ 0, "MODE_UNSPECIFIED" }, { 1, "AUTO" }, { 2, "ANY" }, { 3, "NONE" }, { 4, "VALIDATED" }
};
static const struct pb_enum function_calling_config_mode = PB_NAMES(function_calling_config_mode_names);
static const struct pb_field function_calling_config_fields[] = {
	PB_FIELD(1, "mode", PB_ENUM, .names = &function_calling_config_mode),
	PB_LIST(2, "allowedFunctionNames", PB_STRING),
};
static const struct pb_message function_calling_config = PB_TABLE(function_calling_config_fields);

static const struct pb_field lat_lng_fields[] = {
	PB_FIELD(1, "latitude", PB_DOUBLE),
	PB_FIELD(2, "longitude", PB_DOUBLE),
};
static const struct pb_message lat_lng = PB_TABLE(lat_lng_fields);

static const struct pb_field other_retrieval_config_fields[] = {
	PB_FIELD(1, "latLng", PB_MESSAGE, .message = &lat_lng),
	PB_FIELD(2, "languageCode", PB_STRING),
};
static const struct pb_message other_retrieval_config = PB_TABLE(other_retrieval_config_fields);

static const struct pb_field tool_config_fields[] = {
	PB_FIELD(1, "functionCallingConfig", PB_MESSAGE, .message = &function_calling_config),
	PB_FIELD(2, "retrievalConfig", PB_MESSAGE, .message = &other_retrieval_config),
};
static const struct pb_message tool_config = PB_TABLE(tool_config_fields);

static const struct pb_field google_request_fields[] = {
	PB_FIELD(1, "model", PB_STRING),
	PB_LIST(2, "contents", PB_MESSAGE, .message = &content),
	PB_LIST(3, "safetySettings", PB_MESSAGE, .message = &safety_setting),
	PB_FIELD(4, "generationConfig", PB_MESSAGE, .message = &generation_config),
	PB_LIST(5, "tools", PB_MESSAGE, .message = &tool),
	PB_FIELD(7, "toolConfig", PB_MESSAGE, .message = &tool_config),
	PB_FIELD(8, "systemInstruction", PB_MESSAGE, .message = &content),
	PB_FIELD(9, "cachedContent", PB_STRING),
};
const struct pb_message google_request = PB_TABLE(google_request_fields);

static const struct pb_name finish_reason_names[] = { { 0, "FINISH_REASON_UNSPECIFIED" },
						      { 1, "STOP" },
						      { 2, "MAX_TOKENS" },
						      { 3, "SAFETY" },
						      { 4, "RECITATION" },
						      { 5, "OTHER" },
						      { 6, "LANGUAGE" },
						      { 7, "BLOCKLIST" },
						      { 8, "PROHIBITED_CONTENT" },
						      { 9, "SPII" },
						      { 10, "MALFORMED_FUNCTION_CALL" },
						      { 11, "IMAGE_SAFETY" },
						      { 12, "UNEXPECTED_TOOL_CALL" },
						      { 13, "TOO_MANY_TOOL_CALLS" },
						      { 14, "IMAGE_PROHIBITED_CONTENT" },
						      { 15, "IMAGE_OTHER" },
						      { 16, "NO_IMAGE" },
						      { 17, "IMAGE_RECITATION" } };
static const struct pb_enum finish_reason = PB_NAMES(finish_reason_names);
static const struct pb_name harm_probability_names[] = {
	{ 0, "HARM_PROBABILITY_UNSPECIFIED" }, { 1, "NEGLIGIBLE" }, { 2, "LOW" }, { 3, "MEDIUM" }, { 4, "HIGH" }
};
static const struct pb_enum harm_probability = PB_NAMES(harm_probability_names);
static const struct pb_field safety_rating_fields[] = {
	PB_FIELD(3, "category", PB_ENUM, .names = &harm_category),
	PB_FIELD(4, "probability", PB_ENUM, .names = &harm_probability),
	PB_FIELD(5, "blocked", PB_BOOL),
};
static const struct pb_message safety_rating = PB_TABLE(safety_rating_fields);

static const struct pb_field citation_source_fields[] = {
	PB_FIELD(1, "startIndex", PB_INT32),
	PB_FIELD(2, "endIndex", PB_INT32),
	PB_FIELD(3, "uri", PB_STRING),
	PB_FIELD(4, "license", PB_STRING),
};
static const struct pb_message citation_source = PB_TABLE(citation_source_fields);

static const struct pb_field citation_metadata_fields[] = {
	PB_LIST(1, "citationSources", PB_MESSAGE, .message = &citation_source),
};
static const struct pb_message citation_metadata = PB_TABLE(citation_metadata_fields);

static const struct pb_field search_entry_point_fields[] = {
	PB_FIELD(1, "renderedContent", PB_STRING),
	PB_FIELD(2, NULL, PB_HIDDEN),
};
static const struct pb_message search_entry_point = PB_TABLE(search_entry_point_fields);

static const struct pb_field web_fields[] = {
	PB_FIELD(1, "uri", PB_STRING),
	PB_FIELD(2, "title", PB_STRING),
};
static const struct pb_message web = PB_TABLE(web_fields);

static const struct pb_field retrieved_context_fields[] = {
	PB_FIELD(1, "uri", PB_STRING),
	PB_FIELD(2, "title", PB_STRING),
	PB_FIELD(3, "text", PB_STRING),
};
static const struct pb_message retrieved_context = PB_TABLE(retrieved_context_fields);

static const struct pb_field maps_fields[] = {
	PB_FIELD(1, "uri", PB_STRING),     PB_FIELD(2, "title", PB_STRING), PB_FIELD(3, "text", PB_STRING),
	PB_FIELD(4, "placeId", PB_STRING), PB_FIELD(5, NULL, PB_HIDDEN),
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

static const struct pb_field grounding_metadata_fields[] = {
	PB_FIELD(1, "searchEntryPoint", PB_MESSAGE, .message = &search_entry_point),
	PB_LIST(2, "groundingChunks", PB_MESSAGE, .message = &grounding_chunk),
	PB_LIST(3, "groundingSupports", PB_MESSAGE, .message = &grounding_support),
	PB_FIELD(4, "retrievalMetadata", PB_MESSAGE, .message = &retrieval_metadata),
	PB_LIST(5, "webSearchQueries", PB_STRING),
	PB_FIELD(7, "googleMapsWidgetContextToken", PB_STRING),
};
static const struct pb_message grounding_metadata = PB_TABLE(grounding_metadata_fields);

static const struct pb_name url_retrieval_status_names[] = { { 0, "URL_RETRIEVAL_STATUS_UNSPECIFIED" },
							     { 1, "URL_RETRIEVAL_STATUS_SUCCESS" },
							     { 2, "URL_RETRIEVAL_STATUS_ERROR" },
							     { 3, "URL_RETRIEVAL_STATUS_PAYWALL" },
							     { 4, "URL_RETRIEVAL_STATUS_UNSAFE" } };
static const struct pb_enum url_retrieval_status = PB_NAMES(url_retrieval_status_names);
static const struct pb_field url_metadata_fields[] = {
	PB_FIELD(1, "retrievedUrl", PB_STRING),
	PB_FIELD(2, "urlRetrievalStatus", PB_ENUM, .names = &url_retrieval_status),
};
static const struct pb_message url_metadata = PB_TABLE(url_metadata_fields);

static const struct pb_field url_context_metadata_fields[] = {
	PB_LIST(1, "urlMetadata", PB_MESSAGE, .message = &url_metadata),
};
static const struct pb_message url_context_metadata = PB_TABLE(url_context_metadata_fields);

static const struct pb_field candidate_fields[] = {
	PB_FIELD(1, "content", PB_MESSAGE, .message = &content),
	PB_FIELD(2, "finishReason", PB_ENUM, .names = &finish_reason),
	PB_FIELD(3, "index", PB_INT32),
	PB_FIELD(4, "finishMessage", PB_STRING),
	PB_LIST(5, "safetyRatings", PB_MESSAGE, .message = &safety_rating),
	PB_FIELD(6, "citationMetadata", PB_MESSAGE, .message = &citation_metadata),
	PB_FIELD(7, "tokenCount", PB_INT32),
	PB_FIELD(8, NULL, PB_HIDDEN),
	PB_FIELD(9, "groundingMetadata", PB_MESSAGE, .message = &grounding_metadata),
	PB_FIELD(10, "avgLogprobs", PB_DOUBLE),
	PB_FIELD(11, NULL, PB_HIDDEN),
	PB_FIELD(13, "urlContextMetadata", PB_MESSAGE, .message = &url_context_metadata),
};
static const struct pb_message candidate = PB_TABLE(candidate_fields);

static const struct pb_name block_reason_names[] = {
	{ 0, "BLOCK_REASON_UNSPECIFIED" }, { 1, "SAFETY" },      { 2, "OTHER" }, { 3, "BLOCKLIST" },
	{ 4, "PROHIBITED_CONTENT" },       { 5, "IMAGE_SAFETY" }
};
static const struct pb_enum block_reason = PB_NAMES(block_reason_names);
static const struct pb_field prompt_feedback_fields[] = {
	PB_FIELD(1, "blockReason", PB_ENUM, .names = &block_reason),
	PB_LIST(2, "safetyRatings", PB_MESSAGE, .message = &safety_rating),
};
static const struct pb_message prompt_feedback = PB_TABLE(prompt_feedback_fields);

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
	PB_FIELD(4, "cachedContentTokenCount", PB_INT32),
	PB_LIST(5, "promptTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_LIST(6, "cacheTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_LIST(7, "candidatesTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_FIELD(8, "toolUsePromptTokenCount", PB_INT32),
	PB_LIST(9, "toolUsePromptTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_FIELD(10, "thoughtsTokenCount", PB_INT32),
};
static const struct pb_message usage_metadata = PB_TABLE(usage_metadata_fields);

static const struct pb_field google_answer_fields[] = {
	PB_LIST(1, "candidates", PB_MESSAGE, .message = &candidate),
	PB_FIELD(2, "promptFeedback", PB_MESSAGE, .message = &prompt_feedback),
	PB_FIELD(3, "usageMetadata", PB_MESSAGE, .message = &usage_metadata),
	PB_FIELD(4, "modelVersion", PB_STRING),
	PB_FIELD(5, "responseId", PB_STRING),
};
const struct pb_message google_answer = PB_TABLE(google_answer_fields);

static const struct pb_name task_type_names[] = { { 0, "TASK_TYPE_UNSPECIFIED" }, { 1, "RETRIEVAL_QUERY" },
						  { 2, "RETRIEVAL_DOCUMENT" },    { 3, "SEMANTIC_SIMILARITY" },
						  { 4, "CLASSIFICATION" },        { 5, "CLUSTERING" },
						  { 6, "QUESTION_ANSWERING" },    { 7, "FACT_VERIFICATION" },
						  { 8, "CODE_RETRIEVAL_QUERY" } };
static const struct pb_enum task_type = PB_NAMES(task_type_names);
static const struct pb_field google_embed_request_fields[] = {
	PB_FIELD(1, "model", PB_STRING),
	PB_FIELD(2, "content", PB_MESSAGE, .message = &content),
	PB_FIELD(3, "taskType", PB_ENUM, .names = &task_type),
	PB_FIELD(4, "title", PB_STRING),
	PB_FIELD(5, "outputDimensionality", PB_INT32),
};
const struct pb_message google_embed_request = PB_TABLE(google_embed_request_fields);

static const struct pb_field content_embedding_fields[] = {
	PB_LIST(1, "values", PB_FLOAT),
};
static const struct pb_message content_embedding = PB_TABLE(content_embedding_fields);

static const struct pb_field google_embed_answer_fields[] = {
	PB_FIELD(1, "embedding", PB_MESSAGE, .message = &content_embedding),
};
const struct pb_message google_embed_answer = PB_TABLE(google_embed_answer_fields);

static const struct pb_field google_batch_request_fields[] = {
	PB_FIELD(1, "model", PB_STRING),
	PB_LIST(2, "requests", PB_MESSAGE, .message = &google_embed_request),
};
const struct pb_message google_batch_request = PB_TABLE(google_batch_request_fields);

static const struct pb_field google_batch_answer_fields[] = {
	PB_LIST(1, "embeddings", PB_MESSAGE, .message = &content_embedding),
};
const struct pb_message google_batch_answer = PB_TABLE(google_batch_answer_fields);

static const struct pb_field google_count_request_fields[] = {
	PB_FIELD(1, "model", PB_STRING),
	PB_LIST(2, "contents", PB_MESSAGE, .message = &content),
	PB_FIELD(3, "generateContentRequest", PB_MESSAGE, .message = &google_request),
};
const struct pb_message google_count_request = PB_TABLE(google_count_request_fields);

static const struct pb_field google_count_answer_fields[] = {
	PB_FIELD(1, "totalTokens", PB_INT32),
	PB_FIELD(5, "cachedContentTokenCount", PB_INT32),
	PB_LIST(6, "promptTokensDetails", PB_MESSAGE, .message = &modality_token_count),
	PB_LIST(7, "cacheTokensDetails", PB_MESSAGE, .message = &modality_token_count),
};
const struct pb_message google_count_answer = PB_TABLE(google_count_answer_fields);
