/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dialects over gRPC share: the path names the method and nothing else does, messages become JSON by their tables, and
 * how a call went stands in the trailers, whatever the HTTP status says.
 */
#pragma once
#include "base/pb.h"
#include "dialect/common.h"

/* One method that a dialect takes for its own. */
struct grpc_method {
	struct slice
		path; /* "/package.Service/Method", or only its end from the '/' before the service's last word on */
	const struct pb_message *request, *answer;
	enum call_operation operation;
};

/* The row of @path; NULL when there is none. Rows with a '*' at the package's version match any one. */
const struct grpc_method *grpc_method_find(const struct grpc_method *methods, size_t count, struct slice path);
/* A request by gRPC (its content type says so) for one of @methods. */
unsigned grpc_score(const struct grpc_method *methods, size_t count, const struct dialect_hint *hint);

/* A message as JSON in the call's arena; SLICE_NONE when there is no room. What could not be read is told on the call. */
struct slice grpc_json(struct call *call, const struct pb_message *message, struct slice bytes);
/* The request becomes JSON (call->request_body, call->inputs); vendor, model, session of it. false when it is empty. */
bool grpc_request_open(struct call *call, const struct pb_message *message, const char *vendor);
/* The status from the trailers: an error where it is one. To be called at the end. */
void grpc_status_read(struct call *call);
