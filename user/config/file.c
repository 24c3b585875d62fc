/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcyaml fills C structs from a schema. Ours is built from the option table at run time, and all its values are
 * texts, so that what a file says passes the same readers as what the command line says. A group ("mlflow:") is the
 * same struct once more, so one set of offsets serves every level.
 *
 *	values { text[row], list[row], count[row], group[first row of it] -> values { ... } }
 */
#include "base/log.h"
#include "config/option.h"
#include <cyaml/cyaml.h>
#include <errno.h>
#include <sys/stat.h>

enum { FILE_BYTES_MAX = 256 << 10 };

struct values {
	char *text[OPTIONS_MAX];
	char **list[OPTIONS_MAX];
	uint32_t count[OPTIONS_MAX];
	struct values *group[OPTIONS_MAX];
};

struct schema {
	cyaml_schema_field_t top[OPTIONS_MAX + 1];
	cyaml_schema_field_t inner[OPTIONS_MAX * 2]; /* the fields of all groups, each closed by an empty one */
	cyaml_schema_value_t root;
	char group_names[OPTIONS_MAX][32];
};

/* What libcyaml says goes through here: the first line is the cause, the first place is the nearest. */
struct complaint {
	char cause[256];
	unsigned line;
};

static const cyaml_schema_value_t item_schema = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED) };

static cyaml_schema_field_t field_of(size_t row, const char *key)
{
	cyaml_schema_field_t field = { .key = key,
				       .value = { .flags = CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER_NULL } };

	if (option_is_list(&option_table[row])) {
		field.data_offset = (uint32_t)(offsetof(struct values, list) + row * sizeof(char **));
		field.count_offset = (uint32_t)(offsetof(struct values, count) + row * sizeof(uint32_t));
		field.count_size = sizeof(uint32_t);
		field.value.type = CYAML_SEQUENCE;
		field.value.data_size = sizeof(char *);
		field.value.sequence.entry = &item_schema;
		field.value.sequence.max = CONFIG_LIST_MAX;
		return field;
	}
	field.data_offset = (uint32_t)(offsetof(struct values, text) + row * sizeof(char *));
	field.value.type = CYAML_STRING;
	field.value.data_size = sizeof(char);
	field.value.string.max = CYAML_UNLIMITED;
	return field;
}

static cyaml_schema_field_t group_of(size_t row, const char *key, const cyaml_schema_field_t *fields)
{
	cyaml_schema_field_t field = { .key = key,
				       .value = { .type = CYAML_MAPPING, .data_size = sizeof(struct values) } };

	field.value.flags = CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER_NULL;
	field.value.mapping.fields = fields;
	field.data_offset = (uint32_t)(offsetof(struct values, group) + row * sizeof(struct values *));
	return field;
}

/* Rows of one group stand together in the table. *ret_first: of each row, the row its group begins with. */
static void schema_build(struct schema *schema, size_t ret_first[OPTIONS_MAX])
{
	size_t top = 0, inner = 0, first = 0;
	struct slice group = SLICE_NONE;

	for (size_t i = 0; i < option_count; i++) {
		struct slice key = slice_of(option_table[i].key), head = slice_cut(&key, '.');

		ret_first[i] = OPTIONS_MAX;
		if (head.len == 0)
			continue;
		if (key.len == 0) {
			schema->top[top++] = field_of(i, option_table[i].key);
			continue;
		}
		if (!slice_equal(group, head)) {
			inner += group.len ? 1 : 0;
			group = head;
			first = i;
			snprintf(schema->group_names[i], sizeof(schema->group_names[i]), "%.*s", SLICE_FMT(head));
			schema->top[top++] = group_of(i, schema->group_names[i], &schema->inner[inner]);
		}
		schema->inner[inner++] = field_of(i, key.data);
		ret_first[i] = first;
	}
	schema->root.type = CYAML_MAPPING;
	schema->root.flags = CYAML_FLAG_POINTER;
	schema->root.data_size = sizeof(struct values);
	schema->root.mapping.fields = schema->top;
}

static void complaint_note(cyaml_log_t level, void *user, const char *format, va_list args)
{
	struct complaint *complaint = user;
	char text[256];
	const char *line;

	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = 0;
	line = strstr(text, "(line: ");
	if (line && complaint->cause[0] && !complaint->line)
		complaint->line = (unsigned)strtoul(line + 7, NULL, 10);
	else if (!complaint->cause[0])
		snprintf(complaint->cause, sizeof(complaint->cause), "%s", text);
}

/* libcyaml gives the line where the mapping begins; a key is looked for from there. */
static unsigned key_line(struct slice text, unsigned from, const char *key)
{
	for (unsigned line = 1; text.len; line++) {
		struct slice words = slice_trim(slice_cut(&text, '\n'));

		if (line >= from && slice_starts(words, slice_of(key)) &&
		    slice_starts(slice_trim(slice_from(words, strlen(key))), SLICE(":")))
			return line;
	}
	return from;
}

static int file_wrong(const char *path, struct slice text, struct complaint *complaint)
{
	static const struct {
		const char *head, *cause, *remedy;
		bool names_key;
	} words[] = {
		{ "Load: Unexpected key: ", "unknown key ", "the keys are in spantap(1), CONFIGURATION FILE", true },
		{ "Load: Mapping field already seen: ", "a second time the key ", "keep one of them", true },
		{ "Load: Expecting SEQUENCE", "a list is wanted here", "write [VALUE, ...]", false },
		{ "Load: Expecting STRING", "one value is wanted here", "write KEY: VALUE", false },
		{ "Load: Expecting MAPPING", "keys are wanted here", "write KEY: VALUE lines", false },
		{ "Load: Excessive entries", "too many values in this list", "use globs to say the same with fewer",
		  false },
		{ "Load: libyaml: ", "not YAML: ", "mend or quote what stands there", true },
		{ "Ignoring documents", "a second document", "keep one in a file", false },
		{ "Load: ", "", "see spantap(1), CONFIGURATION FILE", true },
	};
	const char *cause = complaint->cause;
	size_t i = 0;

	while (i < ARRAY_SIZE(words) - 1 && strncmp(cause, words[i].head, strlen(words[i].head)) != 0)
		i++;
	cause += MIN(strlen(words[i].head), strlen(cause));
	if (words[i].names_key && i < 2)
		complaint->line = key_line(text, complaint->line, cause);
	if (complaint->line)
		return config_wrong("%s:%u: %s%s\n%s", path, complaint->line, words[i].cause,
				    words[i].names_key ? cause : "", words[i].remedy);
	return config_wrong("%s: %s%s\n%s", path, words[i].cause, words[i].names_key ? cause : "", words[i].remedy);
}

static int values_take(struct loaded *loaded, const struct values *top, const size_t *first, const char *path)
{
	struct origin origin = { .kind = ORIGIN_FILE, .where = path };

	for (size_t i = 0; i < option_count; i++) {
		const struct values *values = first[i] < OPTIONS_MAX ? top->group[first[i]] : top;
		const struct option_row *row = &option_table[i];
		int r = 0;

		if (!values || !option_is_of(row, loaded->config.command))
			continue;
		if (values->text[i])
			r = option_set(loaded, row, values->text[i], origin);
		for (uint32_t j = 0; j < values->count[i] && r == 0; j++)
			r = option_set(loaded, row, values->list[i][j], origin);
		if (r < 0)
			return r;
	}
	return 0;
}

static int text_take(struct loaded *loaded, const char *path, struct slice text)
{
	struct schema *schema = arena_alloc(loaded->arena, sizeof(*schema));
	struct complaint complaint = { 0 };
	cyaml_config_t cyaml = {
		.log_fn = complaint_note, .log_ctx = &complaint, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_WARNING
	};
	size_t first[OPTIONS_MAX];
	cyaml_data_t *values = NULL;
	int r;

	if (!schema)
		return -ENOMEM;
	schema_build(schema, first);
	r = cyaml_load_data((const uint8_t *)text.data, text.len, &cyaml, &schema->root, &values, NULL);
	if (r == CYAML_ERR_OOM)
		return -ENOMEM;
	if (r != CYAML_OK || complaint.cause[0])
		r = file_wrong(path, text, &complaint);
	else
		r = values ? values_take(loaded, values, first, path) : 0;
	cyaml_free(&cyaml, &schema->root, values, 0);
	return r;
}

/* A secret that others can read is used all the same: the harm is done, and the log says so. */
static void secrets_check(const struct loaded *loaded, const char *path)
{
	struct stat stat_;

	if (stat(path, &stat_) < 0 || !(stat_.st_mode & (S_IRGRP | S_IROTH)))
		return;
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].secrecy && loaded->origins[i].kind == ORIGIN_FILE) {
			log_warn(0, "%s holds secrets that others can read; chmod 600 it", path);
			return;
		}
}

/* Where the file is: the option or the variable, which must be right; else the usual place, if there is a file. */
int file_read(struct loaded *loaded)
{
	const struct option_row *row = option_table;
	struct origin usual = { .kind = ORIGIN_DEFAULT };
	struct slice text;
	const char *path;
	bool is_chosen;
	int r;

	while (!row->name || strcmp(row->name, "config") != 0)
		row++;
	is_chosen = option_origin(loaded, row)->kind;
	path = is_chosen ? loaded->config.config_file : row->by_default;
	r = text_read(loaded, path, FILE_BYTES_MAX, &text);
	if (!is_chosen && (r == -ENOENT || r == -EACCES)) {
		if (r == -EACCES)
			log_warn(r, "cannot read %s, going on without it", path);
		usual.where = r == -EACCES ? "not readable" : "not there";
		return option_set(loaded, row, path, usual);
	}
	if (r < 0 && r != -ENOMEM)
		return config_wrong("cannot read %s: %s\nname a file that can be read: --config FILE", path,
				    strerror(-r));
	if (r == 0 && !is_chosen)
		r = option_set(loaded, row, path, usual);
	if (r == 0)
		r = text_take(loaded, path, text);
	if (r == 0)
		secrets_check(loaded, path);
	return r;
}
