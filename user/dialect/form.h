/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that upload a file are forms (multipart/form-data): read as the JSON object that they would be. */
#pragma once
#include "dialect/common.h"

/* The body is a form, not JSON. */
bool form_is(struct slice body);
/* {"model":"…","file":{"filename":"…","type":"…","bytes":n}}: fields as text, files by what they are. A name that
 * comes twice, or ends in [], is a list. SLICE_NONE when there is no field, or memory ran out. */
struct slice form_object(struct call *call, struct slice body);
/* request_open() for either form or JSON. */
bool form_request_open(struct call *call, const char *vendor);
