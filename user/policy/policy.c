/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace is written over into a protobuf message node by node, and every text on the way goes through one door,
 * seal_slice(): what is not clean, or is the credential, cannot get around it. The message is then packed into the
 * record.
 */
#include "policy/policy.h"
#include "base/utf8.h"
#include "model/otlp.pb-c.h"
#include "policy/clean.h"
#include <errno.h>

enum { TEXT_MAX = 192 << 20, SCRATCH_KEPT = 128 << 10 };

struct policy {
	struct policy_opts opts;
	struct cleaner cleaner;
};

struct sealer {
	struct policy *policy;
	struct arena *arena;
	bool failed;
};

int policy_new(const struct policy_opts *opts, struct policy **ret)
{
	struct policy *policy = alloc_get(opts->alloc, sizeof(*policy));

	if (!policy)
		return -ENOMEM;
	policy->opts = *opts;
	policy->cleaner = CLEANER(opts->alloc, TEXT_MAX);
	*ret = policy;
	return 0;
}

struct policy *policy_free(struct policy *policy)
{
	if (!policy)
		return NULL;
	cleaner_trim(&policy->cleaner, 0);
	alloc_put(policy->opts.alloc, policy, sizeof(*policy));
	return NULL;
}

/* ---- texts ---- */

static void *seal_room(struct sealer *sealer, size_t len)
{
	void *room = arena_alloc(sealer->arena, len);

	if (!room)
		sealer->failed = true;
	return room;
}

/* A megabyte that is clean is packed from where it lies. */
static struct slice seal_slice(struct sealer *sealer, struct slice text, size_t max_characters)
{
	struct slice clean;
	bool is_kept;

	if (!text.len)
		return SLICE_NONE;
	if (!clean_text(&sealer->policy->cleaner, text, &clean)) {
		sealer->failed = true;
		return SLICE_NONE;
	}
	is_kept = clean.data == text.data;
	if (max_characters)
		clean = utf8_head(clean, max_characters);
	if (is_kept)
		return clean;
	clean = arena_dup(sealer->arena, clean);
	if (!clean.data)
		sealer->failed = true;
	return clean;
}

/* protobuf-c reads names to the NUL that arena_dup() puts behind; cleaning took those inside away. Never NULL. */
static char *seal_text(struct sealer *sealer, struct slice text)
{
	struct slice copy = arena_dup(sealer->arena, seal_slice(sealer, text, 0));

	if (!copy.data)
		sealer->failed = true;
	return copy.data ? (char *)copy.data : (char *)"";
}

/* Attributes that a server refuses when long, or that may carry credentials of their own. */
static const struct rule {
	struct slice name;
	size_t max_characters;
	bool is_argument;
} rules[] = {
	{ SLICE("session.id"), 250, false }, { SLICE("gen_ai.conversation.id"), 250, false },
	{ SLICE("user.id"), 250, false },    { SLICE("process.command_args"), 0, true },
	{ SLICE("url.path"), 0, true },      { SLICE("url.query"), 0, true },
};

static const struct rule *rule_of(struct slice name)
{
	static const struct rule none;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (slice_equal(name, rules[i].name))
			return &rules[i];
	return &none;
}

/* ---- values ---- */

static Otlp__AnyValue *text_value(struct sealer *sealer, const struct rule *rule, struct slice previous,
				  struct slice text)
{
	Otlp__AnyValue *value = seal_room(sealer, sizeof(*value));

	if (!value)
		return NULL;
	if (rule->is_argument && text.len) {
		text = policy_redact_argument(sealer->arena, previous, text);
		if (!text.data)
			sealer->failed = true;
	}
	*value = (Otlp__AnyValue)OTLP__ANY_VALUE__INIT;
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	text = seal_slice(sealer, text, rule->max_characters);
	value->string_value = (ProtobufCBinaryData){ .len = text.len, .data = (uint8_t *)text.data };
	return value;
}

static Otlp__AnyValue *texts_value(struct sealer *sealer, const struct rule *rule, const struct value *texts)
{
	size_t count = texts->texts.count;
	Otlp__AnyValue *value = seal_room(sealer, sizeof(*value));
	Otlp__ArrayValue *array = seal_room(sealer, sizeof(*array));
	Otlp__AnyValue **list = seal_room(sealer, MAX(count, (size_t)1) * sizeof(*list));
	struct slice previous = SLICE_NONE;

	if (!value || !array || !list)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		list[i] = text_value(sealer, rule, previous, texts->texts.list[i]);
		previous = texts->texts.list[i];
	}
	*array = (Otlp__ArrayValue)OTLP__ARRAY_VALUE__INIT;
	array->values = list;
	array->n_values = count;
	*value = (Otlp__AnyValue)OTLP__ANY_VALUE__INIT;
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = array;
	return value;
}

static Otlp__AnyValue *seal_value(struct sealer *sealer, const struct rule *rule, const struct value *from)
{
	Otlp__AnyValue *value;

	if (from->type == VALUE_TEXT)
		return text_value(sealer, rule, SLICE_NONE, from->text);
	if (from->type == VALUE_TEXTS)
		return texts_value(sealer, rule, from);
	value = seal_room(sealer, sizeof(*value));
	if (!value)
		return NULL;
	*value = (Otlp__AnyValue)OTLP__ANY_VALUE__INIT;
	if (from->type == VALUE_INT) {
		value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		value->int_value = from->integer;
	} else if (from->type == VALUE_DOUBLE) {
		value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		value->double_value = from->number;
	} else {
		value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		value->bool_value = from->truth;
	}
	return value;
}

static Otlp__KeyValue *seal_attribute(struct sealer *sealer, const struct attribute *attribute)
{
	Otlp__KeyValue *pair = seal_room(sealer, sizeof(*pair));

	if (!pair)
		return NULL;
	*pair = (Otlp__KeyValue)OTLP__KEY_VALUE__INIT;
	pair->key = seal_text(sealer, attribute->name);
	pair->value = seal_value(sealer, rule_of(attribute->name), &attribute->value);
	return pair;
}

/* The list, and @extra behind it when there is one. */
static size_t seal_attributes(struct sealer *sealer, const struct attribute *list, const struct attribute *extra,
			      Otlp__KeyValue ***ret)
{
	size_t count = extra != NULL;
	Otlp__KeyValue **pairs;

	for (const struct attribute *a = list; a; a = a->next)
		count++;
	*ret = pairs = count ? seal_room(sealer, count * sizeof(*pairs)) : NULL;
	if (!pairs)
		return 0;
	for (const struct attribute *a = list; a; a = a->next)
		*pairs++ = seal_attribute(sealer, a);
	if (extra)
		*pairs = seal_attribute(sealer, extra);
	return count;
}

/* ---- spans ---- */

/* Servers keep times as signed numbers, and take a span that ends before it begins for a trace of minus 57 years. */
static uint64_t clamp_time(uint64_t ns, uint64_t least)
{
	return MIN(MAX(ns, least), (uint64_t)INT64_MAX);
}

static ProtobufCBinaryData seal_id(const uint8_t *id, size_t len)
{
	return (ProtobufCBinaryData){ .len = len, .data = (uint8_t *)id };
}

static Otlp__SpanEvent *seal_event(struct sealer *sealer, const struct span_event *from)
{
	Otlp__SpanEvent *event = seal_room(sealer, sizeof(*event));

	if (!event)
		return NULL;
	*event = (Otlp__SpanEvent)OTLP__SPAN_EVENT__INIT;
	event->time_unix_nano = clamp_time(from->time_unix_ns, 1);
	event->name = seal_text(sealer, from->name);
	event->n_attributes = seal_attributes(sealer, from->attributes, NULL, &event->attributes);
	return event;
}

static void seal_events(struct sealer *sealer, const struct span *from, Otlp__Span *span)
{
	size_t count = 0;

	for (const struct span_event *e = from->events; e; e = e->next)
		count++;
	span->events = count ? seal_room(sealer, count * sizeof(*span->events)) : NULL;
	if (!span->events)
		return;
	for (const struct span_event *e = from->events; e; e = e->next)
		span->events[span->n_events++] = seal_event(sealer, e);
}

static Otlp__SpanLink *seal_link(struct sealer *sealer, const struct span_link *from)
{
	Otlp__SpanLink *link = seal_room(sealer, sizeof(*link));

	if (!link)
		return NULL;
	*link = (Otlp__SpanLink)OTLP__SPAN_LINK__INIT;
	link->trace_id = seal_id(from->trace_id, sizeof(from->trace_id));
	link->span_id = seal_id(from->span_id, sizeof(from->span_id));
	return link;
}

static void seal_links(struct sealer *sealer, const struct span *from, Otlp__Span *span)
{
	size_t count = 0;

	for (const struct span_link *l = from->links; l; l = l->next)
		count++;
	span->links = count ? seal_room(sealer, count * sizeof(*span->links)) : NULL;
	if (!span->links)
		return;
	for (const struct span_link *l = from->links; l; l = l->next)
		span->links[span->n_links++] = seal_link(sealer, l);
}

static Otlp__Status *seal_status(struct sealer *sealer, const struct span *from)
{
	enum { STATUS_OK = 1, STATUS_ERROR = 2 }; /* OTLP's numbers */
	Otlp__Status *status = seal_room(sealer, sizeof(*status));

	if (!status)
		return NULL;
	*status = (Otlp__Status)OTLP__STATUS__INIT;
	status->code = from->status == SPAN_ERROR ? STATUS_ERROR : STATUS_OK;
	status->message = seal_text(sealer, from->status_message);
	return status;
}

static Otlp__Span *seal_span(struct sealer *sealer, const struct trace *trace, const struct span *from,
			     const struct attribute *extra)
{
	static const uint8_t none[sizeof(from->parent_id)];
	bool is_root = memcmp(from->parent_id, none, sizeof(none)) == 0;
	Otlp__Span *span = seal_room(sealer, sizeof(*span));

	if (!span)
		return NULL;
	*span = (Otlp__Span)OTLP__SPAN__INIT;
	span->trace_id = seal_id(trace->id, sizeof(trace->id));
	span->span_id = seal_id(from->id, sizeof(from->id));
	span->parent_span_id = seal_id(from->parent_id, is_root ? 0 : sizeof(from->parent_id));
	span->name = seal_text(sealer, from->name);
	span->kind = from->kind;
	span->start_time_unix_nano = clamp_time(from->start_unix_ns, 1);
	span->end_time_unix_nano = clamp_time(from->end_unix_ns, span->start_time_unix_nano);
	span->n_attributes = seal_attributes(sealer, from->attributes, extra, &span->attributes);
	seal_events(sealer, from, span);
	seal_links(sealer, from, span);
	span->status = seal_status(sealer, from);
	return span;
}

/* ---- the whole ---- */

/* Which key was used, for those who know the key already, and for no one else. */
static const struct attribute *fingerprint(struct sealer *sealer, struct slice credential)
{
	const struct policy_opts *opts = &sealer->policy->opts;
	struct attribute *attribute;
	enum { SHOWN = 12 }; /* bytes: 96 bits tell the keys of any installation apart */
	char text[2 * SHOWN + 1];
	uint8_t hash[32];

	if (!credential.len)
		return NULL;
	attribute = seal_room(sealer, sizeof(*attribute));
	if (!attribute)
		return NULL;
	opts->keyed_hash(opts->user, credential, hash);
	for (size_t i = 0; i < SHOWN; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	attribute->name = SLICE("spantap.api_key.fingerprint");
	attribute->value = (struct value){ VALUE_TEXT, .text = arena_printf(sealer->arena, "hmac-sha256:%s", text) };
	if (!attribute->value.text.data)
		sealer->failed = true;
	return attribute;
}

static bool has_attribute(const struct attribute *list, struct slice name)
{
	for (; list; list = list->next)
		if (slice_equal(list->name, name))
			return true;
	return false;
}

static Otlp__Resource *seal_resource(struct sealer *sealer, const struct trace *trace)
{
	struct slice node = sealer->policy->opts.node;
	struct attribute host = { SLICE("host.name"), { VALUE_TEXT, .text = node }, NULL };
	bool needs_host = node.len && !has_attribute(trace->resource, host.name);
	Otlp__Resource *resource = seal_room(sealer, sizeof(*resource));

	if (!resource)
		return NULL;
	*resource = (Otlp__Resource)OTLP__RESOURCE__INIT;
	resource->n_attributes =
		seal_attributes(sealer, trace->resource, needs_host ? &host : NULL, &resource->attributes);
	return resource;
}

static void seal_spans(struct sealer *sealer, const struct trace *trace, Otlp__ScopeSpans *scope)
{
	const struct attribute *extra = fingerprint(sealer, trace->credential);

	scope->spans = seal_room(sealer, MAX(trace->span_count, (size_t)1) * sizeof(*scope->spans));
	if (!scope->spans)
		return;
	for (const struct span *span = trace->spans; span && scope->n_spans < trace->span_count; span = span->next)
		scope->spans[scope->n_spans++] = seal_span(sealer, trace, span, extra);
}

/* Not before it is known that nothing failed: a NULL within the message would be followed. */
static int seal_pack(struct sealer *sealer, const Otlp__ResourceSpans *message, struct slice *ret)
{
	size_t len;
	uint8_t *body;

	if (sealer->failed)
		return -ENOMEM;
	len = otlp__resource_spans__get_packed_size(message);
	body = seal_room(sealer, len);
	if (!body)
		return -ENOMEM;
	*ret = (struct slice){ (const char *)body, otlp__resource_spans__pack(message, body) };
	return 0;
}

int policy_clean_aside(struct policy *policy, struct slice credential, struct slice text, struct aside_id *ret_id,
		       struct slice *ret_text)
{
	uint8_t hash[32];
	bool is_clean;

	policy->cleaner.secret = credential;
	is_clean = clean_string(&policy->cleaner, text, ret_text);
	policy->cleaner.secret = SLICE_NONE;
	if (!is_clean)
		return -ENOMEM;
	/* Of what leaves: the same words may hold the key of one call and not of another. */
	policy->opts.keyed_hash(policy->opts.user, *ret_text, hash);
	memcpy(ret_id->bytes, hash, ASIDE_ID_LEN);
	return 0;
}

int policy_seal(struct policy *policy, const struct trace *trace, uint64_t sequence, struct arena *arena,
		struct record *ret)
{
	struct sealer sealer = { .policy = policy, .arena = arena };
	Otlp__InstrumentationScope origin = OTLP__INSTRUMENTATION_SCOPE__INIT;
	Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT, *scopes[] = { &scope };
	Otlp__ResourceSpans message = OTLP__RESOURCE_SPANS__INIT;
	struct record record = { .sequence = sequence, .span_count = (uint32_t)trace->span_count };
	int r;

	policy->cleaner.secret = trace->credential;
	origin.name = (char *)"spantap";
	origin.version = (char *)SPANTAP_VERSION;
	scope.scope = &origin;
	seal_spans(&sealer, trace, &scope);
	message.resource = seal_resource(&sealer, trace);
	message.scope_spans = scopes;
	message.n_scope_spans = 1;
	policy->cleaner.secret = SLICE_NONE;
	cleaner_trim(&policy->cleaner, SCRATCH_KEPT); /* what was in it is in the arena */
	r = seal_pack(&sealer, &message, &record.body);
	if (r < 0)
		return r;
	memcpy(record.trace_id, trace->id, sizeof(record.trace_id));
	for (const struct span *span = trace->spans; span; span = span->next)
		record.created_unix_ns = MAX(record.created_unix_ns, span->end_unix_ns);
	*ret = record;
	return 0;
}
