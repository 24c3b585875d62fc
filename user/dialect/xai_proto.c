/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of xAI's chat service, as far as they are shown: what a client hands on to a server of tools to be let in
 * (MCP.authorization) is known and hidden, the server's own notes for debugging too.
 */
#include "dialect/xai_proto.h"

static const struct pb_name image_detail_names[] = {
	{ 0, "DETAIL_INVALID" }, { 1, "DETAIL_AUTO" }, { 2, "DETAIL_LOW" }, { 3, "DETAIL_HIGH" }
};
static const struct pb_enum image_detail = PB_NAMES(image_detail_names);
static const struct pb_field image_url_content_fields[] = {
	PB_FIELD(1, "imageUrl", PB_STRING),
	PB_FIELD(2, "detail", PB_ENUM, .names = &image_detail),
	PB_FIELD(3, "fileId", PB_STRING),
};
static const struct pb_message image_url_content = PB_TABLE(image_url_content_fields);

static const struct pb_field file_content_fields[] = {
	PB_FIELD(1, "fileId", PB_STRING),   PB_FIELD(2, "data", PB_BYTES), PB_FIELD(3, "filename", PB_STRING),
	PB_FIELD(4, "mimeType", PB_STRING), PB_FIELD(5, "url", PB_STRING),
};
static const struct pb_message file_content = PB_TABLE(file_content_fields);

static const struct pb_field content_fields[] = {
	PB_FIELD(1, "text", PB_STRING),
	PB_FIELD(2, "imageUrl", PB_MESSAGE, .message = &image_url_content),
	PB_FIELD(3, "file", PB_MESSAGE, .message = &file_content),
};
static const struct pb_message content = PB_TABLE(content_fields);

static const struct pb_name message_role_names[] = { { 0, "INVALID_ROLE" },   { 1, "ROLE_USER" },
						     { 2, "ROLE_ASSISTANT" }, { 3, "ROLE_SYSTEM" },
						     { 4, "ROLE_FUNCTION" },  { 5, "ROLE_TOOL" },
						     { 6, "ROLE_DEVELOPER" } };
static const struct pb_enum message_role = PB_NAMES(message_role_names);
static const struct pb_name tool_call_type_names[] = { { 0, "TOOL_CALL_TYPE_INVALID" },
						       { 1, "TOOL_CALL_TYPE_CLIENT_SIDE_TOOL" },
						       { 2, "TOOL_CALL_TYPE_WEB_SEARCH_TOOL" },
						       { 3, "TOOL_CALL_TYPE_X_SEARCH_TOOL" },
						       { 4, "TOOL_CALL_TYPE_CODE_EXECUTION_TOOL" },
						       { 5, "TOOL_CALL_TYPE_COLLECTIONS_SEARCH_TOOL" },
						       { 6, "TOOL_CALL_TYPE_MCP_TOOL" },
						       { 7, "TOOL_CALL_TYPE_ATTACHMENT_SEARCH_TOOL" },
						       { 10, "TOOL_CALL_TYPE_IMAGE_GENERATION_TOOL" } };
static const struct pb_enum tool_call_type = PB_NAMES(tool_call_type_names);
static const struct pb_name tool_call_status_names[] = { { 0, "TOOL_CALL_STATUS_IN_PROGRESS" },
							 { 1, "TOOL_CALL_STATUS_COMPLETED" },
							 { 2, "TOOL_CALL_STATUS_INCOMPLETE" },
							 { 3, "TOOL_CALL_STATUS_FAILED" } };
static const struct pb_enum tool_call_status = PB_NAMES(tool_call_status_names);
static const struct pb_field function_call_fields[] = {
	PB_FIELD(1, "name", PB_STRING),
	PB_FIELD(2, "arguments", PB_STRING),
};
static const struct pb_message function_call = PB_TABLE(function_call_fields);

static const struct pb_field tool_call_fields[] = {
	PB_FIELD(1, "id", PB_STRING),
	PB_FIELD(2, "type", PB_ENUM, .names = &tool_call_type),
	PB_FIELD(3, "status", PB_ENUM, .names = &tool_call_status),
	PB_FIELD(4, "errorMessage", PB_STRING),
	PB_FIELD(10, "function", PB_MESSAGE, .message = &function_call),
};
static const struct pb_message tool_call = PB_TABLE(tool_call_fields);

static const struct pb_field message_fields[] = {
	PB_LIST(1, "content", PB_MESSAGE, .message = &content),
	PB_FIELD(2, "role", PB_ENUM, .names = &message_role),
	PB_FIELD(3, "name", PB_STRING),
	PB_LIST(4, "toolCalls", PB_MESSAGE, .message = &tool_call),
	PB_FIELD(5, "reasoningContent", PB_STRING),
	PB_FIELD(6, "encryptedContent", PB_STRING),
	PB_FIELD(7, "toolCallId", PB_STRING),
};
static const struct pb_message message = PB_TABLE(message_fields);

static const struct pb_name format_type_names[] = { { 0, "FORMAT_TYPE_INVALID" },
						    { 1, "FORMAT_TYPE_TEXT" },
						    { 2, "FORMAT_TYPE_JSON_OBJECT" },
						    { 3, "FORMAT_TYPE_JSON_SCHEMA" } };
static const struct pb_enum format_type = PB_NAMES(format_type_names);
static const struct pb_field response_format_fields[] = {
	PB_FIELD(1, "formatType", PB_ENUM, .names = &format_type),
	PB_FIELD(2, "schema", PB_STRING),
};
static const struct pb_message response_format = PB_TABLE(response_format_fields);

static const struct pb_field function_fields[] = {
	PB_FIELD(1, "name", PB_STRING),
	PB_FIELD(2, "description", PB_STRING),
	PB_FIELD(3, "strict", PB_BOOL),
	PB_FIELD(4, "parameters", PB_STRING),
};
static const struct pb_message function = PB_TABLE(function_fields);

static const struct pb_field web_search_user_location_fields[] = {
	PB_FIELD(1, "country", PB_STRING),
	PB_FIELD(2, "city", PB_STRING),
	PB_FIELD(3, "region", PB_STRING),
	PB_FIELD(4, "timezone", PB_STRING),
};
static const struct pb_message web_search_user_location = PB_TABLE(web_search_user_location_fields);

static const struct pb_field web_search_fields[] = {
	PB_LIST(1, "excludedDomains", PB_STRING),
	PB_LIST(2, "allowedDomains", PB_STRING),
	PB_FIELD(3, "enableImageUnderstanding", PB_BOOL),
	PB_FIELD(4, "userLocation", PB_MESSAGE, .message = &web_search_user_location),
	PB_FIELD(5, "enableImageSearch", PB_BOOL),
};
static const struct pb_message web_search = PB_TABLE(web_search_fields);

static const struct pb_field xsearch_fields[] = {
	PB_FIELD(1, "fromDate", PB_TIMESTAMP),
	PB_FIELD(2, "toDate", PB_TIMESTAMP),
	PB_LIST(3, "allowedXHandles", PB_STRING),
	PB_LIST(4, "excludedXHandles", PB_STRING),
	PB_FIELD(5, "enableImageUnderstanding", PB_BOOL),
	PB_FIELD(6, "enableVideoUnderstanding", PB_BOOL),
};
static const struct pb_message xsearch = PB_TABLE(xsearch_fields);

static const struct pb_message code_execution;

static const struct pb_field reranker_model_fields[] = {
	PB_FIELD(1, "model", PB_STRING),
	PB_FIELD(2, "instructions", PB_STRING),
};
static const struct pb_message reranker_model = PB_TABLE(reranker_model_fields);

static const struct pb_field reciprocal_rank_fusion_fields[] = {
	PB_FIELD(1, "k", PB_INT32),
	PB_FIELD(3, "embeddingWeight", PB_FLOAT),
	PB_FIELD(4, "textWeight", PB_FLOAT),
};
static const struct pb_message reciprocal_rank_fusion = PB_TABLE(reciprocal_rank_fusion_fields);

static const struct pb_field hybrid_retrieval_fields[] = {
	PB_FIELD(1, "searchMultiplier", PB_INT32),
	PB_FIELD(2, "rerankerModel", PB_MESSAGE, .message = &reranker_model),
	PB_FIELD(3, "reciprocalRankFusion", PB_MESSAGE, .message = &reciprocal_rank_fusion),
};
static const struct pb_message hybrid_retrieval = PB_TABLE(hybrid_retrieval_fields);

static const struct pb_field semantic_retrieval_fields[] = {
	PB_FIELD(1, "reranker", PB_MESSAGE, .message = &reranker_model),
};
static const struct pb_message semantic_retrieval = PB_TABLE(semantic_retrieval_fields);

static const struct pb_field keyword_retrieval_fields[] = {
	PB_FIELD(1, "reranker", PB_MESSAGE, .message = &reranker_model),
};
static const struct pb_message keyword_retrieval = PB_TABLE(keyword_retrieval_fields);

static const struct pb_field collections_search_fields[] = {
	PB_LIST(1, "collectionIds", PB_STRING),
	PB_FIELD(2, "limit", PB_INT32),
	PB_FIELD(3, "instructions", PB_STRING),
	PB_FIELD(4, "hybridRetrieval", PB_MESSAGE, .message = &hybrid_retrieval),
	PB_FIELD(5, "semanticRetrieval", PB_MESSAGE, .message = &semantic_retrieval),
	PB_FIELD(6, "keywordRetrieval", PB_MESSAGE, .message = &keyword_retrieval),
};
static const struct pb_message collections_search = PB_TABLE(collections_search_fields);

static const struct pb_field mcp_fields[] = {
	PB_FIELD(1, "serverLabel", PB_STRING), PB_FIELD(2, "serverDescription", PB_STRING),
	PB_FIELD(3, "serverUrl", PB_STRING),   PB_LIST(4, "allowedToolNames", PB_STRING),
	PB_FIELD(5, NULL, PB_HIDDEN),          PB_FIELD(6, NULL, PB_HIDDEN),
};
static const struct pb_message mcp = PB_TABLE(mcp_fields);

static const struct pb_field attachment_search_fields[] = {
	PB_FIELD(2, "limit", PB_INT32),
};
static const struct pb_message attachment_search = PB_TABLE(attachment_search_fields);

static const struct pb_field image_generation_fields[] = {
	PB_FIELD(1, "action", PB_STRING),
};
static const struct pb_message image_generation = PB_TABLE(image_generation_fields);

static const struct pb_field tool_fields[] = {
	PB_FIELD(1, "function", PB_MESSAGE, .message = &function),
	PB_FIELD(3, "webSearch", PB_MESSAGE, .message = &web_search),
	PB_FIELD(4, "xSearch", PB_MESSAGE, .message = &xsearch),
	PB_FIELD(5, "codeExecution", PB_MESSAGE, .message = &code_execution),
	PB_FIELD(6, "collectionsSearch", PB_MESSAGE, .message = &collections_search),
	PB_FIELD(7, "mcp", PB_MESSAGE, .message = &mcp),
	PB_FIELD(8, "attachmentSearch", PB_MESSAGE, .message = &attachment_search),
	PB_FIELD(10, "imageGeneration", PB_MESSAGE, .message = &image_generation),
};
static const struct pb_message tool = PB_TABLE(tool_fields);

static const struct pb_name tool_mode_names[] = {
	{ 0, "TOOL_MODE_INVALID" }, { 1, "TOOL_MODE_AUTO" }, { 2, "TOOL_MODE_NONE" }, { 3, "TOOL_MODE_REQUIRED" }
};
static const struct pb_enum tool_mode = PB_NAMES(tool_mode_names);
static const struct pb_field tool_choice_fields[] = {
	PB_FIELD(1, "mode", PB_ENUM, .names = &tool_mode),
	PB_FIELD(2, "functionName", PB_STRING),
};
static const struct pb_message tool_choice = PB_TABLE(tool_choice_fields);

static const struct pb_name reasoning_effort_names[] = { { 0, "INVALID_EFFORT" }, { 1, "EFFORT_LOW" },
							 { 2, "EFFORT_MEDIUM" },  { 3, "EFFORT_HIGH" },
							 { 4, "EFFORT_NONE" },    { 5, "EFFORT_XHIGH" } };
static const struct pb_enum reasoning_effort = PB_NAMES(reasoning_effort_names);
static const struct pb_name search_mode_names[] = {
	{ 0, "INVALID_SEARCH_MODE" }, { 1, "OFF_SEARCH_MODE" }, { 2, "ON_SEARCH_MODE" }, { 3, "AUTO_SEARCH_MODE" }
};
static const struct pb_enum search_mode = PB_NAMES(search_mode_names);
static const struct pb_field web_source_fields[] = {
	PB_LIST(2, "excludedWebsites", PB_STRING),
	PB_FIELD(3, "country", PB_STRING),
	PB_FIELD(4, "safeSearch", PB_BOOL),
	PB_LIST(5, "allowedWebsites", PB_STRING),
};
static const struct pb_message web_source = PB_TABLE(web_source_fields);

static const struct pb_field news_source_fields[] = {
	PB_LIST(2, "excludedWebsites", PB_STRING),
	PB_FIELD(3, "country", PB_STRING),
	PB_FIELD(4, "safeSearch", PB_BOOL),
};
static const struct pb_message news_source = PB_TABLE(news_source_fields);

static const struct pb_field xsource_fields[] = {
	PB_LIST(7, "includedXHandles", PB_STRING),
	PB_LIST(8, "excludedXHandles", PB_STRING),
	PB_FIELD(9, "postFavoriteCount", PB_INT32),
	PB_FIELD(10, "postViewCount", PB_INT32),
};
static const struct pb_message xsource = PB_TABLE(xsource_fields);

static const struct pb_field rss_source_fields[] = {
	PB_LIST(1, "links", PB_STRING),
};
static const struct pb_message rss_source = PB_TABLE(rss_source_fields);

static const struct pb_field source_fields[] = {
	PB_FIELD(1, "web", PB_MESSAGE, .message = &web_source),
	PB_FIELD(2, "news", PB_MESSAGE, .message = &news_source),
	PB_FIELD(3, "x", PB_MESSAGE, .message = &xsource),
	PB_FIELD(4, "rss", PB_MESSAGE, .message = &rss_source),
};
static const struct pb_message source = PB_TABLE(source_fields);

static const struct pb_field search_parameters_fields[] = {
	PB_FIELD(1, "mode", PB_ENUM, .names = &search_mode),
	PB_FIELD(4, "fromDate", PB_TIMESTAMP),
	PB_FIELD(5, "toDate", PB_TIMESTAMP),
	PB_FIELD(7, "returnCitations", PB_BOOL),
	PB_FIELD(8, "maxSearchResults", PB_INT32),
	PB_LIST(9, "sources", PB_MESSAGE, .message = &source),
};
static const struct pb_message search_parameters = PB_TABLE(search_parameters_fields);

static const struct pb_name include_option_names[] = { { 0, "INCLUDE_OPTION_INVALID" },
						       { 1, "INCLUDE_OPTION_WEB_SEARCH_CALL_OUTPUT" },
						       { 2, "INCLUDE_OPTION_X_SEARCH_CALL_OUTPUT" },
						       { 3, "INCLUDE_OPTION_CODE_EXECUTION_CALL_OUTPUT" },
						       { 4, "INCLUDE_OPTION_COLLECTIONS_SEARCH_CALL_OUTPUT" },
						       { 5, "INCLUDE_OPTION_ATTACHMENT_SEARCH_CALL_OUTPUT" },
						       { 6, "INCLUDE_OPTION_MCP_CALL_OUTPUT" },
						       { 7, "INCLUDE_OPTION_INLINE_CITATIONS" },
						       { 8, "INCLUDE_OPTION_VERBOSE_STREAMING" },
						       { 9, "INCLUDE_OPTION_CODE_EXECUTION_FILES_OUTPUT" } };
static const struct pb_enum include_option = PB_NAMES(include_option_names);
static const struct pb_name agent_count_names[] = { { 0, "AGENT_COUNT_UNSPECIFIED" },
						    { 1, "AGENT_COUNT_4" },
						    { 2, "AGENT_COUNT_16" } };
static const struct pb_enum agent_count = PB_NAMES(agent_count_names);
static const struct pb_name service_tier_names[] = { { 0, "SERVICE_TIER_UNSPECIFIED" },
						     { 1, "SERVICE_TIER_DEFAULT" },
						     { 2, "SERVICE_TIER_PRIORITY" } };
static const struct pb_enum service_tier = PB_NAMES(service_tier_names);
static const struct pb_name guideline_category_names[] = { { 0, "GUIDELINE_CATEGORY_INVALID" },
							   { 1, "GUIDELINE_CATEGORY_NSFW" },
							   { 2, "GUIDELINE_CATEGORY_VIOLENCE" },
							   { 5, "GUIDELINE_CATEGORY_PROFANITY" } };
static const struct pb_enum guideline_category = PB_NAMES(guideline_category_names);
static const struct pb_name guideline_behavior_names[] = { { 0, "GUIDELINE_BEHAVIOR_INVALID" },
							   { 1, "GUIDELINE_BEHAVIOR_DECLINE" } };
static const struct pb_enum guideline_behavior = PB_NAMES(guideline_behavior_names);
static const struct pb_field policy_guideline_fields[] = {
	PB_FIELD(1, "category", PB_ENUM, .names = &guideline_category),
	PB_FIELD(2, "behavior", PB_ENUM, .names = &guideline_behavior),
};
static const struct pb_message policy_guideline = PB_TABLE(policy_guideline_fields);

static const struct pb_field guideline_fields[] = {
	PB_FIELD(1, "policy", PB_MESSAGE, .message = &policy_guideline),
};
static const struct pb_message guideline = PB_TABLE(guideline_fields);

static const struct pb_field xai_request_fields[] = {
	PB_LIST(1, "messages", PB_MESSAGE, .message = &message),
	PB_FIELD(2, "model", PB_STRING),
	PB_FIELD(3, "frequencyPenalty", PB_FLOAT),
	PB_FIELD(5, "logprobs", PB_BOOL),
	PB_FIELD(6, "topLogprobs", PB_INT32),
	PB_FIELD(7, "maxTokens", PB_INT32),
	PB_FIELD(8, "n", PB_INT32),
	PB_FIELD(9, "presencePenalty", PB_FLOAT),
	PB_FIELD(10, "responseFormat", PB_MESSAGE, .message = &response_format),
	PB_FIELD(11, "seed", PB_INT32),
	PB_LIST(12, "stop", PB_STRING),
	PB_FIELD(14, "temperature", PB_FLOAT),
	PB_FIELD(15, "topP", PB_FLOAT),
	PB_FIELD(16, "user", PB_STRING),
	PB_LIST(17, "tools", PB_MESSAGE, .message = &tool),
	PB_FIELD(18, "toolChoice", PB_MESSAGE, .message = &tool_choice),
	PB_FIELD(19, "reasoningEffort", PB_ENUM, .names = &reasoning_effort),
	PB_FIELD(20, "searchParameters", PB_MESSAGE, .message = &search_parameters),
	PB_FIELD(21, "parallelToolCalls", PB_BOOL),
	PB_FIELD(22, "previousResponseId", PB_STRING),
	PB_FIELD(23, "storeMessages", PB_BOOL),
	PB_FIELD(24, "useEncryptedContent", PB_BOOL),
	PB_FIELD(25, "maxTurns", PB_INT32),
	PB_LIST(26, "include", PB_ENUM, .names = &include_option),
	PB_FIELD(29, "agentCount", PB_ENUM, .names = &agent_count),
	PB_FIELD(31, "serviceTier", PB_ENUM, .names = &service_tier),
	PB_FIELD(34, "safetyIdentifier", PB_STRING),
	PB_LIST(39, "guidelines", PB_MESSAGE, .message = &guideline),
};
const struct pb_message xai_request = PB_TABLE(xai_request_fields);

static const struct pb_name finish_reason_names[] = { { 0, "REASON_INVALID" },     { 1, "REASON_MAX_LEN" },
						      { 2, "REASON_MAX_CONTEXT" }, { 3, "REASON_STOP" },
						      { 4, "REASON_TOOL_CALLS" },  { 5, "REASON_TIME_LIMIT" } };
static const struct pb_enum finish_reason = PB_NAMES(finish_reason_names);
static const struct pb_field web_citation_fields[] = {
	PB_FIELD(1, "url", PB_STRING),
};
static const struct pb_message web_citation = PB_TABLE(web_citation_fields);

static const struct pb_field xcitation_fields[] = {
	PB_FIELD(1, "url", PB_STRING),
};
static const struct pb_message xcitation = PB_TABLE(xcitation_fields);

static const struct pb_field collections_citation_fields[] = {
	PB_FIELD(1, "fileId", PB_STRING),       PB_FIELD(2, "chunkId", PB_STRING),
	PB_FIELD(3, "chunkContent", PB_STRING), PB_FIELD(4, "score", PB_FLOAT),
	PB_LIST(5, "collectionIds", PB_STRING),
};
static const struct pb_message collections_citation = PB_TABLE(collections_citation_fields);

static const struct pb_field inline_citation_fields[] = {
	PB_FIELD(1, "id", PB_STRING),
	PB_FIELD(2, "startIndex", PB_INT32),
	PB_FIELD(3, "webCitation", PB_MESSAGE, .message = &web_citation),
	PB_FIELD(4, "xCitation", PB_MESSAGE, .message = &xcitation),
	PB_FIELD(5, "collectionsCitation", PB_MESSAGE, .message = &collections_citation),
	PB_FIELD(6, "endIndex", PB_INT32),
};
static const struct pb_message inline_citation = PB_TABLE(inline_citation_fields);

static const struct pb_field completion_message_fields[] = {
	PB_FIELD(1, "content", PB_STRING),
	PB_FIELD(2, "role", PB_ENUM, .names = &message_role),
	PB_LIST(3, "toolCalls", PB_MESSAGE, .message = &tool_call),
	PB_FIELD(4, "reasoningContent", PB_STRING),
	PB_FIELD(5, "encryptedContent", PB_STRING),
	PB_LIST(6, "citations", PB_MESSAGE, .message = &inline_citation),
};
static const struct pb_message completion_message = PB_TABLE(completion_message_fields);

static const struct pb_field top_log_prob_fields[] = {
	PB_FIELD(1, "token", PB_STRING),
	PB_FIELD(2, "logprob", PB_FLOAT),
	PB_FIELD(3, "bytes", PB_BYTES),
};
static const struct pb_message top_log_prob = PB_TABLE(top_log_prob_fields);

static const struct pb_field log_prob_fields[] = {
	PB_FIELD(1, "token", PB_STRING),
	PB_FIELD(2, "logprob", PB_FLOAT),
	PB_FIELD(3, "bytes", PB_BYTES),
	PB_LIST(4, "topLogprobs", PB_MESSAGE, .message = &top_log_prob),
};
static const struct pb_message log_prob = PB_TABLE(log_prob_fields);

static const struct pb_field log_probs_fields[] = {
	PB_LIST(1, "content", PB_MESSAGE, .message = &log_prob),
};
static const struct pb_message log_probs = PB_TABLE(log_probs_fields);

static const struct pb_field completion_output_fields[] = {
	PB_FIELD(1, "finishReason", PB_ENUM, .names = &finish_reason),
	PB_FIELD(2, "index", PB_INT32),
	PB_FIELD(3, "message", PB_MESSAGE, .message = &completion_message),
	PB_FIELD(4, "logprobs", PB_MESSAGE, .message = &log_probs),
};
static const struct pb_message completion_output = PB_TABLE(completion_output_fields);

static const struct pb_name server_side_tool_names[] = { { 0, "SERVER_SIDE_TOOL_INVALID" },
							 { 1, "SERVER_SIDE_TOOL_WEB_SEARCH" },
							 { 2, "SERVER_SIDE_TOOL_X_SEARCH" },
							 { 3, "SERVER_SIDE_TOOL_CODE_EXECUTION" },
							 { 4, "SERVER_SIDE_TOOL_VIEW_IMAGE" },
							 { 5, "SERVER_SIDE_TOOL_VIEW_X_VIDEO" },
							 { 6, "SERVER_SIDE_TOOL_COLLECTIONS_SEARCH" },
							 { 7, "SERVER_SIDE_TOOL_MCP" },
							 { 8, "SERVER_SIDE_TOOL_ATTACHMENT_SEARCH" },
							 { 10, "SERVER_SIDE_TOOL_IMAGE_SEARCH" },
							 { 11, "SERVER_SIDE_TOOL_IMAGE_GENERATION" } };
static const struct pb_enum server_side_tool = PB_NAMES(server_side_tool_names);
static const struct pb_field sampling_usage_fields[] = {
	PB_FIELD(1, "completionTokens", PB_INT32),
	PB_FIELD(2, "promptTokens", PB_INT32),
	PB_FIELD(3, "totalTokens", PB_INT32),
	PB_FIELD(4, "promptTextTokens", PB_INT32),
	PB_FIELD(5, "promptImageTokens", PB_INT32),
	PB_FIELD(6, "reasoningTokens", PB_INT32),
	PB_FIELD(7, "cachedPromptTextTokens", PB_INT32),
	PB_FIELD(8, "numSourcesUsed", PB_INT32),
	PB_LIST(9, "serverSideToolsUsed", PB_ENUM, .names = &server_side_tool),
	PB_FIELD(11, "costInUsdTicks", PB_INT64),
};
static const struct pb_message sampling_usage = PB_TABLE(sampling_usage_fields);

static const struct pb_field request_settings_fields[] = {
	PB_FIELD(1, "maxTokens", PB_INT32),
	PB_FIELD(2, "parallelToolCalls", PB_BOOL),
	PB_FIELD(3, "previousResponseId", PB_STRING),
	PB_FIELD(4, "reasoningEffort", PB_ENUM, .names = &reasoning_effort),
	PB_FIELD(5, "temperature", PB_FLOAT),
	PB_FIELD(6, "responseFormat", PB_MESSAGE, .message = &response_format),
	PB_FIELD(7, "toolChoice", PB_MESSAGE, .message = &tool_choice),
	PB_LIST(8, "tools", PB_MESSAGE, .message = &tool),
	PB_FIELD(9, "topP", PB_FLOAT),
	PB_FIELD(10, "user", PB_STRING),
	PB_FIELD(11, "searchParameters", PB_MESSAGE, .message = &search_parameters),
	PB_FIELD(12, "storeMessages", PB_BOOL),
	PB_FIELD(13, "useEncryptedContent", PB_BOOL),
	PB_LIST(14, "include", PB_ENUM, .names = &include_option),
};
static const struct pb_message request_settings = PB_TABLE(request_settings_fields);

static const struct pb_field output_file_fields[] = {
	PB_FIELD(1, "fileId", PB_STRING),
	PB_FIELD(2, "name", PB_STRING),
};
static const struct pb_message output_file = PB_TABLE(output_file_fields);

static const struct pb_field xai_answer_fields[] = {
	PB_FIELD(1, "id", PB_STRING),
	PB_LIST(2, "outputs", PB_MESSAGE, .message = &completion_output),
	PB_FIELD(5, "created", PB_TIMESTAMP),
	PB_FIELD(6, "model", PB_STRING),
	PB_FIELD(7, "systemFingerprint", PB_STRING),
	PB_FIELD(9, "usage", PB_MESSAGE, .message = &sampling_usage),
	PB_LIST(10, "citations", PB_STRING),
	PB_FIELD(11, "settings", PB_MESSAGE, .message = &request_settings),
	PB_FIELD(12, NULL, PB_HIDDEN),
	PB_LIST(13, "outputFiles", PB_MESSAGE, .message = &output_file),
	PB_FIELD(15, "serviceTier", PB_ENUM, .names = &service_tier),
};
const struct pb_message xai_answer = PB_TABLE(xai_answer_fields);

static const struct pb_field delta_fields[] = {
	PB_FIELD(1, "content", PB_STRING),
	PB_FIELD(2, "role", PB_ENUM, .names = &message_role),
	PB_LIST(3, "toolCalls", PB_MESSAGE, .message = &tool_call),
	PB_FIELD(4, "reasoningContent", PB_STRING),
	PB_FIELD(5, "encryptedContent", PB_STRING),
	PB_LIST(6, "citations", PB_MESSAGE, .message = &inline_citation),
};
static const struct pb_message delta = PB_TABLE(delta_fields);

static const struct pb_field completion_output_chunk_fields[] = {
	PB_FIELD(1, "delta", PB_MESSAGE, .message = &delta),
	PB_FIELD(2, "logprobs", PB_MESSAGE, .message = &log_probs),
	PB_FIELD(3, "finishReason", PB_ENUM, .names = &finish_reason),
	PB_FIELD(4, "index", PB_INT32),
};
static const struct pb_message completion_output_chunk = PB_TABLE(completion_output_chunk_fields);

static const struct pb_field xai_chunk_fields[] = {
	PB_FIELD(1, "id", PB_STRING),
	PB_LIST(2, "outputs", PB_MESSAGE, .message = &completion_output_chunk),
	PB_FIELD(3, "created", PB_TIMESTAMP),
	PB_FIELD(4, "model", PB_STRING),
	PB_FIELD(5, "systemFingerprint", PB_STRING),
	PB_FIELD(6, "usage", PB_MESSAGE, .message = &sampling_usage),
	PB_LIST(7, "citations", PB_STRING),
	PB_FIELD(10, NULL, PB_HIDDEN),
	PB_LIST(11, "outputFiles", PB_MESSAGE, .message = &output_file),
	PB_FIELD(12, "serviceTier", PB_ENUM, .names = &service_tier),
};
const struct pb_message xai_chunk = PB_TABLE(xai_chunk_fields);
