/* SPDX-License-Identifier: Apache-2.0 */
/* A file is taken as a whole or not at all: the first thing in it that makes no sense refuses it. */
#include "cost/table.h"
#include "base/json.h"
#include <errno.h>

enum { TABLE_BYTES_MAX = 16 << 20, YEAR_MIN = 1970, YEAR_MAX = 9999 };

static const struct {
	struct slice name;
	int64_t per; /* tokens */
} price_names[_PRICE_MAX] = {
	[PRICE_INPUT] = { SLICE("input"), 1000000 },
	[PRICE_OUTPUT] = { SLICE("output"), 1000000 },
	[PRICE_CACHE_READ] = { SLICE("cache_read"), 1000000 },
	[PRICE_CACHE_WRITE] = { SLICE("cache_write"), 1000000 },
	[PRICE_CACHE_WRITE_1H] = { SLICE("cache_write_1h"), 1000000 },
	[PRICE_INPUT_AUDIO] = { SLICE("input_audio"), 1000000 },
	[PRICE_OUTPUT_AUDIO] = { SLICE("output_audio"), 1000000 },
	[PRICE_INPUT_IMAGE] = { SLICE("input_image"), 1000000 },
	[PRICE_OUTPUT_IMAGE] = { SLICE("output_image"), 1000000 },
	[PRICE_SEARCH] = { SLICE("search"), 1 },
};

struct parser {
	struct cost_table *table;
	const char *error;
};

static bool wrong(struct parser *parser, const char *error)
{
	parser->error = error;
	return false;
}

static void *room(struct parser *parser, size_t len)
{
	void *room = arena_alloc(parser->table->arena, len);

	if (!room)
		parser->error = "";
	return room;
}

/* Days since 1970 of a date of the proleptic Gregorian calendar. */
static int64_t day_number(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool date_read(struct parser *parser, struct slice value, int64_t *ret)
{
	struct slice text = json_raw_text(value);
	int64_t numbers[3] = { 0 };

	if (!value.data)
		return true;
	if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-')
		return wrong(parser, "a date is not of the form \"YYYY-MM-DD\"");
	for (size_t i = 0, field = 0; i < 10; i++) {
		if (i == 4 || i == 7) {
			field++;
			continue;
		}
		if (text.data[i] < '0' || text.data[i] > '9')
			return wrong(parser, "a date is not of the form \"YYYY-MM-DD\"");
		numbers[field] = numbers[field] * 10 + (text.data[i] - '0');
	}
	if (numbers[0] < YEAR_MIN || numbers[1] < 1 || numbers[1] > 12 || numbers[2] < 1 || numbers[2] > 31)
		return wrong(parser, "a date is none of the calendar's");
	*ret = day_number(numbers[0], numbers[1], numbers[2]);
	return true;
}

static bool price_read(struct parser *parser, struct slice value, int64_t per, int64_t *ret)
{
	double usd;

	if (json_type(value) != JSON_NUMBER || json_double(value, &usd) < 0 || !(usd >= 0 && usd < 1e6))
		return wrong(parser, "a price is not a number from 0 to 1000000");
	*ret = (int64_t)(usd * (1e12 / (double)per) + 0.5);
	return true;
}

static bool prices_read(struct parser *parser, struct slice object, struct prices *ret)
{
	for (size_t i = 0; i < _PRICE_MAX; i++) {
		struct slice value = json_get(object, price_names[i].name);

		ret->pico[i] = -1;
		if (value.data && !price_read(parser, value, price_names[i].per, &ret->pico[i]))
			return false;
	}
	return true;
}

static bool variants_read(struct parser *parser, struct slice list, struct price_variant **tail)
{
	json_foreach_element(item, list) {
		struct price_variant *variant = room(parser, sizeof(*variant));

		if (!variant)
			return false;
		if (json_type(item.value) != JSON_OBJECT)
			return wrong(parser, "a variant is not an object");
		variant->tier = json_text(parser->table->arena, json_get(item.value, SLICE("tier")));
		json_int(json_get(item.value, SLICE("above")), &variant->above);
		if (!prices_read(parser, item.value, &variant->prices))
			return false;
		*tail = variant;
		tail = &variant->next;
	}
	return true;
}

static bool row_read(struct parser *parser, struct slice model, struct slice object, struct price_provider *provider)
{
	struct price_row *row = room(parser, sizeof(*row));

	if (!row)
		return false;
	if (json_type(object) != JSON_OBJECT)
		return wrong(parser, "the prices of a model are not an object");
	row->model = model;
	row->until_day = INT64_MAX;
	if (!date_read(parser, json_get(object, SLICE("from")), &row->from_day) ||
	    !date_read(parser, json_get(object, SLICE("until")), &row->until_day) ||
	    !prices_read(parser, object, &row->base) ||
	    !variants_read(parser, json_get(object, SLICE("variants")), &row->variants))
		return false;
	if (row->base.pico[PRICE_INPUT] < 0)
		return wrong(parser, "a model has no price of its input");
	row->next = provider->rows;
	provider->rows = row;
	return true;
}

static bool provider_read(struct parser *parser, struct slice name, struct slice value)
{
	struct price_provider *provider = room(parser, sizeof(*provider));

	if (!provider)
		return false;
	provider->name = name;
	provider->next = parser->table->providers;
	parser->table->providers = provider;
	if (json_type(value) == JSON_STRING) {
		provider->same_as = json_raw_text(value);
		return true;
	}
	if (json_type(value) != JSON_OBJECT)
		return wrong(parser, "a provider is neither an object of models nor another provider's name");
	json_foreach_member(model, value) {
		if (json_type(model.value) != JSON_ARRAY) {
			if (!row_read(parser, model.name, model.value, provider))
				return false;
			continue;
		}
		json_foreach_element(dated, model.value)
			if (!row_read(parser, model.name, dated.value, provider))
				return false;
	}
	return true;
}

static bool file_read(struct parser *parser, struct slice text)
{
	struct slice providers = json_get(text, SLICE("providers"));
	int64_t schema = 0;

	if (json_check(text, JSON_DEPTH_MAX) < 0 || json_type(text) != JSON_OBJECT)
		return wrong(parser, "it is not a JSON object");
	json_int(json_get(text, SLICE("schema")), &schema);
	if (schema != 1)
		return wrong(parser, "its \"schema\" is not 1");
	parser->table->version = json_text(parser->table->arena, json_get(text, SLICE("version")));
	if (!parser->table->version.len)
		return wrong(parser, "it has no \"version\"");
	if (json_type(providers) != JSON_OBJECT || json_count(providers) == 0)
		return wrong(parser, "it has no \"providers\"");
	json_foreach_member(provider, providers)
		if (!provider_read(parser, provider.name, provider.value))
			return false;
	return true;
}

int cost_table_new(struct alloc *alloc, struct slice text, struct cost_table **ret, const char **ret_error)
{
	CLEANUP(cost_table_free) struct cost_table *table = alloc_get(alloc, sizeof(*table));
	struct parser parser = { .table = table, .error = "out of memory" };

	*ret_error = parser.error;
	if (!table)
		return -ENOMEM;
	table->alloc = alloc;
	table->arena = arena_new(alloc, TABLE_BYTES_MAX);
	text = table->arena ? arena_dup(table->arena, json_trim(text))
			    : SLICE_NONE; /* names and patterns are views of it */
	if (!text.data)
		return -ENOMEM;
	parser.error = "";
	if (!file_read(&parser, text)) {
		*ret_error = *parser.error ? parser.error : "out of memory";
		return *parser.error ? -EINVAL : -ENOMEM;
	}
	*ret = TAKE_PTR(table);
	return 0;
}

struct cost_table *cost_table_free(struct cost_table *table)
{
	if (!table)
		return NULL;
	arena_free(table->arena);
	alloc_put(table->alloc, table, sizeof(*table));
	return NULL;
}

/* ---- asking ---- */

static bool is_number(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] < '0' || word.data[i] > '9')
			return false;
	return word.len;
}

/* "-2024-07-18", "@20250929", "-001", "-latest", "-v1:0" are versions of one model; "-mini" or "-4" would be another one,
 * with other prices. */
static bool is_version(struct slice rest)
{
	bool goes_on = false;

	while (rest.len) {
		size_t len = 1;
		struct slice word;

		if (!strchr("-@:", rest.data[0]) || !rest.data[0])
			return false;
		while (len < rest.len && !strchr("-@:", rest.data[len]))
			len++;
		word = slice_from(slice_head(rest, len), 1);
		rest = slice_from(rest, len);
		if (!slice_equal(word, SLICE("latest")) && !(is_number(word) && (word.len >= 3 || goes_on)) &&
		    !(word.len && word.data[0] == 'v' && is_number(slice_from(word, 1))))
			return false;
		goes_on = true;
	}
	return true;
}

/* How well @pattern fits: its length, and one more without a star; 0: not at all. */
static size_t model_fits(struct slice pattern, struct slice model)
{
	struct slice name = slice_head(pattern, pattern.len - 1);

	if (pattern.len && pattern.data[name.len] == '*')
		return slice_starts(model, name) && is_version(slice_from(model, name.len)) ? pattern.len : 0;
	return pattern.len && slice_equal(pattern, model) ? pattern.len + 1 : 0;
}

static const struct price_row *provider_find(const struct price_provider *provider, struct slice model, int64_t day)
{
	const struct price_row *best = NULL;
	size_t best_fit = 0;

	for (const struct price_row *row = provider->rows; row; row = row->next) {
		size_t fit = model_fits(row->model, model);

		if (!fit || day < row->from_day || day >= row->until_day)
			continue;
		if (fit > best_fit || (fit == best_fit && row->from_day > best->from_day)) {
			best = row;
			best_fit = fit;
		}
	}
	return best;
}

static const struct price_provider *provider_named(const struct cost_table *table, struct slice name)
{
	const struct price_provider *provider = table->providers;

	while (provider && !slice_equal(provider->name, name))
		provider = provider->next;
	return provider;
}

const struct price_row *price_find(const struct cost_table *table, struct slice provider, struct slice model,
				   int64_t day)
{
	const struct price_provider *list = provider_named(table, provider);
	const struct price_row *row = NULL;

	if (list && list->same_as.len)
		list = provider_named(table, list->same_as);
	if (list)
		return provider_find(list, model, day);
	for (list = table->providers; list && !row; list = list->next)
		row = provider_find(list, model, day);
	return row;
}

struct prices price_pick(const struct price_row *row, struct slice tier, int64_t input_tokens)
{
	static const uint8_t kin[_PRICE_MAX] = {
		[PRICE_CACHE_READ] = PRICE_INPUT,           [PRICE_CACHE_WRITE] = PRICE_INPUT,
		[PRICE_CACHE_WRITE_1H] = PRICE_CACHE_WRITE, [PRICE_INPUT_AUDIO] = PRICE_INPUT,
		[PRICE_OUTPUT_AUDIO] = PRICE_OUTPUT,        [PRICE_INPUT_IMAGE] = PRICE_INPUT,
		[PRICE_OUTPUT_IMAGE] = PRICE_OUTPUT,        [PRICE_SEARCH] = PRICE_SEARCH,
	};
	struct prices prices = row->base;

	for (const struct price_variant *variant = row->variants; variant; variant = variant->next) {
		if ((variant->tier.len && !slice_equal(variant->tier, tier)) ||
		    (variant->above && input_tokens <= variant->above))
			continue;
		for (size_t i = 0; i < _PRICE_MAX; i++)
			if (variant->prices.pico[i] >= 0)
				prices.pico[i] = variant->prices.pico[i];
	}
	for (size_t i = PRICE_CACHE_READ; i < _PRICE_MAX; i++)
		if (prices.pico[i] < 0)
			prices.pico[i] = MAX(prices.pico[kin[i]], (int64_t)0);
	return prices;
}
