/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bill is a list of (tokens, price): input is what is neither cached nor of a kind that is priced apart. Anthropic's
 * iterations are bills of their own, each with the model that it names.
 */
#include "base/json.h"
#include "cost/table.h"

static const uint64_t day_ns = 86400ull * 1000000000;

struct bill {
	int64_t input_pico, output_pico;
	bool is_unknown;   /* some model has no price */
	bool lacks_search; /* searches that have no price */
};

/* Names of places and makers before a model's own: "us.anthropic.", "openai/". They are words without digits. */
static struct slice model_plain(struct slice model)
{
	for (size_t i = model.len; i-- > 0;)
		if (model.data[i] == '/') {
			model = slice_from(model, i + 1);
			break;
		}
	for (;;) {
		size_t len = 0;

		while (len < model.len &&
		       ((model.data[len] >= 'a' && model.data[len] <= 'z') || model.data[len] == '-'))
			len++;
		if (!len || len >= model.len || model.data[len] != '.')
			return model;
		model = slice_from(model, len + 1);
	}
}

static const struct price_row *row_of(const struct cost_table *table, const struct call *call, struct slice model,
				      int64_t day)
{
	const struct price_row *row = model.len ? price_find(table, call->vendor, model, day) : NULL;

	return row || !model.len ? row : price_find(table, call->vendor, model_plain(model), day);
}

/* Of @part tokens of *rest, as far as they are told and there. */
static int64_t take(int64_t part, int64_t *rest)
{
	int64_t taken = MIN(MAX(part, (int64_t)0), *rest);

	*rest -= taken;
	return taken;
}

static void bill_add(struct bill *bill, const struct prices *prices, const struct usage *usage)
{
	int64_t input = MAX(usage->input, (int64_t)0), output = MAX(usage->output, (int64_t)0);
	int64_t write = MAX(usage->cache_write, (int64_t)0), hour = take(usage->cache_write_1h, &write);
	const struct {
		int64_t tokens;
		enum price price;
	} inputs[] = {
		{ take(usage->cache_read, &input), PRICE_CACHE_READ },
		{ take(write, &input), PRICE_CACHE_WRITE },
		{ take(hour, &input), PRICE_CACHE_WRITE_1H },
		{ take(usage->input_audio, &input), PRICE_INPUT_AUDIO },
		{ take(usage->input_image, &input), PRICE_INPUT_IMAGE },
		{ MAX(usage->searches, (int64_t)0), PRICE_SEARCH },
	}, outputs[] = {
		{ take(usage->output_audio, &output), PRICE_OUTPUT_AUDIO },
		{ take(usage->output_image, &output), PRICE_OUTPUT_IMAGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
		bill->input_pico += inputs[i].tokens * prices->pico[inputs[i].price];
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++)
		bill->output_pico += outputs[i].tokens * prices->pico[outputs[i].price];
	bill->lacks_search |= usage->searches > 0 && !prices->pico[PRICE_SEARCH];
	bill->input_pico += input * prices->pico[PRICE_INPUT];
	bill->output_pico += output * MAX(prices->pico[PRICE_OUTPUT], (int64_t)0);
}

static void bill_model(const struct cost_table *table, const struct call *call, struct slice model,
		       const struct usage *usage, int64_t day, struct bill *bill)
{
	const struct price_row *row = row_of(table, call, model, day);
	struct prices prices;

	if (!row) {
		bill->is_unknown = true;
		return;
	}
	prices = price_pick(row, call->service_tier, usage->input);
	bill_add(bill, &prices, usage);
}

static int64_t count_of(struct slice object, struct slice name)
{
	int64_t count = -1;

	json_int(json_get(object, name), &count);
	return count;
}

/* Anthropic's usage by iteration: its input leaves the cache's part out. */
static struct usage iteration_usage(struct slice object)
{
	struct usage usage = USAGE_NONE;

	usage.cache_read = count_of(object, SLICE("cache_read_input_tokens"));
	usage.cache_write = count_of(object, SLICE("cache_creation_input_tokens"));
	usage.cache_write_1h = count_of(json_get(object, SLICE("cache_creation")), SLICE("ephemeral_1h_input_tokens"));
	usage.input = MAX(count_of(object, SLICE("input_tokens")), (int64_t)0) + MAX(usage.cache_read, (int64_t)0) +
		      MAX(usage.cache_write, (int64_t)0);
	usage.output = count_of(object, SLICE("output_tokens"));
	return usage;
}

static struct bill bill_make(const struct cost_table *table, const struct call *call, int64_t day)
{
	struct slice model = call->response_model, iterations = json_get(call->usage_raw, SLICE("iterations"));
	int64_t searches = call->usage.searches; /* of the whole answer: billed with its first iteration */
	struct bill bill = { 0 };

	if (!row_of(table, call, model, day))
		model = call->request_model;
	if (json_type(iterations) != JSON_ARRAY || json_count(iterations) == 0) {
		bill_model(table, call, model, &call->usage, day, &bill);
		return bill;
	}
	json_foreach_element(item, iterations) {
		struct slice own = json_raw_text(json_get(item.value, SLICE("model")));
		struct usage usage = iteration_usage(item.value);

		usage.searches = searches;
		searches = -1;
		bill_model(table, call, own.len ? own : model, &usage, day, &bill);
	}
	return bill;
}

/* ---- telling ---- */

static bool call_has_price(const struct call *call)
{
	static const bool has[_OPERATION_MAX] = {
		[OPERATION_UNKNOWN] = true,    [OPERATION_CHAT] = true,          [OPERATION_TEXT_COMPLETION] = true,
		[OPERATION_EMBEDDINGS] = true, [OPERATION_RERANK] = true,        [OPERATION_IMAGE] = true,
		[OPERATION_SPEECH] = true,     [OPERATION_TRANSCRIPTION] = true, [OPERATION_COMPACT] = true,
		[OPERATION_GENERATE] = true,
	};

	return has[call->operation] && call->status < 400 && (call->request_model.len || call->response_model.len);
}

static bool writes_nothing(const struct call *call)
{
	return call->operation == OPERATION_EMBEDDINGS || call->operation == OPERATION_RERANK;
}

static void mlflow_put(const struct cost_table *table, struct call *call, const struct bill *bill, int64_t nano)
{
	double total = (double)nano / 1e9, input = (double)bill->input_pico / 1e12,
	       output = (double)bill->output_pico / 1e12;
	struct buf text = BUF(table->alloc, 256);

	json_open(&text, '{');
	json_put_name(&text, SLICE("input_cost"));
	json_put_double(&text, input);
	json_put_name(&text, SLICE("output_cost"));
	json_put_double(&text, bill->input_pico + bill->output_pico ? output : total);
	json_put_name(&text, SLICE("total_cost"));
	json_put_double(&text, bill->input_pico + bill->output_pico ? input + output : total);
	json_close(&text, '}');
	call_put_text(call, "mlflow.llm.cost", arena_dup(call->arena, buf_slice(&text)));
	buf_free(&text);
}

/* What a cost from the price file leaves out; empty: nothing. */
static struct slice bill_lacks(const struct cost_table *table, const struct call *call, int64_t day, struct bill *ret)
{
	if (call->usage.input < 0 || (call->usage.output < 0 && !writes_nothing(call)))
		return SLICE("usage_missing");
	*ret = bill_make(table, call, day);
	if (ret->is_unknown)
		return SLICE("unknown_model");
	if (ret->lacks_search || (call->steps && call->usage.searches <= 0))
		return SLICE("server_tools");
	return SLICE_NONE;
}

static void told_put(const struct cost_table *table, struct call *call)
{
	call_put_count(call, "spantap.cost.nano_usd", call->cost_told_nano);
	call_put_text(call, "spantap.cost.source", SLICE("provider"));
	mlflow_put(table, call, &(struct bill){ 0 }, call->cost_told_nano);
}

void cost_put(const struct cost_table *table, struct call *call, uint64_t unix_ns)
{
	struct bill bill = { 0 };
	struct slice lacks;
	int64_t nano;

	if (!call_has_price(call))
		return;
	if (call->cost_told_nano >= 0)
		return told_put(table, call);
	lacks = bill_lacks(table, call, (int64_t)(unix_ns / day_ns), &bill);
	call_put_text(call, "spantap.cost.incomplete", lacks);
	if (lacks.len && !slice_equal(lacks, SLICE("server_tools")))
		return;
	nano = (bill.input_pico + bill.output_pico + 500) / 1000;
	call_put_count(call, "spantap.cost.nano_usd", nano);
	call_put_text(call, "spantap.cost.source", SLICE("prices"));
	call_put_text(call, "spantap.cost.prices", table->version);
	if (!lacks.len)
		mlflow_put(table, call, &bill, nano);
}
