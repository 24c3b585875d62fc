/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials in command lines and URLs, found by what stands around them (a name that says so before '=' or ':', the
 * user part of a URL, "Bearer") or by their own shape (sk-…, ghp_…). Hiding a word too many costs little, so a doubt
 * is a secret.
 */
#include "base/cleanup.h"
#include "policy/policy.h"

#define HIDDEN SLICE("[redacted]")

struct range {
	size_t from, to; /* empty: nothing found */
};

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_token_char(char c)
{
	return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
}

static bool ends_nocase(struct slice text, struct slice tail)
{
	return text.len >= tail.len && slice_equal_nocase(slice_from(text, text.len - tail.len), tail);
}

/* ---- names ---- */

static const struct slice secret_endings[] = {
	SLICE("password"),         SLICE("passwd"),      SLICE("passphrase"),  SLICE("pwd"),
	SLICE("secret"),           SLICE("token"),       SLICE("apikey"),      SLICE("api_key"),
	SLICE("api-key"),          SLICE("api.key"),     SLICE("accesskey"),   SLICE("access_key"),
	SLICE("access-key"),       SLICE("secret_key"),  SLICE("secret-key"),  SLICE("secretkey"),
	SLICE("auth_key"),         SLICE("auth-key"),    SLICE("authkey"),     SLICE("private_key"),
	SLICE("private-key"),      SLICE("accountkey"),  SLICE("account_key"), SLICE("account-key"),
	SLICE("master_key"),       SLICE("signing_key"), SLICE("signing-key"), SLICE("encryption_key"),
	SLICE("subscription-key"), SLICE("credential"),  SLICE("credentials"), SLICE("authorization"),
	SLICE("bearer"),           SLICE("cookie"),      SLICE("signature"),
};

static const struct slice secret_names[] = { SLICE("key"), SLICE("sig"), SLICE("auth"), SLICE("pass") };

static bool name_is_secret(struct slice name)
{
	while (name.len && name.data[0] == '-')
		name = slice_from(name, 1);
	for (size_t i = 0; i < ARRAY_SIZE(secret_names); i++)
		if (slice_equal_nocase(name, secret_names[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(secret_endings); i++)
		if (ends_nocase(name, secret_endings[i]))
			return true;
	return slice_ends(name, SLICE("_KEY")); /* an environment variable's manner */
}

/* The name that ends before @at: over quotes, as JSON has them. Empty when there is none. */
static struct slice name_before(struct slice text, size_t at)
{
	size_t end = at, from;

	while (end && memchr("\"'\\ ", text.data[end - 1], 4))
		end--;
	for (from = end; from && is_token_char(text.data[from - 1]);)
		from--;
	return (struct slice){ text.data + from, end - from };
}

/* ---- what hides ---- */

/* Length of "Bearer " and the like at the start of @text, or 0. */
static size_t scheme_len(struct slice text)
{
	static const struct slice schemes[] = { SLICE("bearer "), SLICE("basic "), SLICE("token ") };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (slice_starts_nocase(text, schemes[i]))
			return schemes[i].len;
	return 0;
}

/* What stands behind a name's '=' or ':' at @at. */
static struct range value_after(struct slice text, size_t at, struct slice name)
{
	bool is_first = name.data == text.data;
	bool is_whole = is_first && (text.data[at] == ':' || !memchr(text.data, ' ', text.len));
	size_t from = at + 1, to;
	bool is_quoted = false;

	while (from < text.len && memchr("\"'\\ ", text.data[from], 4))
		is_quoted = text.data[from++] != ' ' || is_quoted;
	for (to = from + scheme_len(slice_from(text, from)); to < text.len; to++)
		if (is_quoted ? memchr("\"'\\", text.data[to], 3) != NULL
			      : !is_whole && memchr(" \t\n&\"',;", text.data[to], 8))
			break;
	return (struct range){ from, to };
}

/* "scheme://user:password@host": all before the '@'. @at: of the ':'. */
static struct range url_user(struct slice text, size_t at)
{
	size_t from = at + 3, end = from, sign = 0;

	for (; end < text.len && !memchr("/?# \t\n\"'", text.data[end], 8); end++)
		if (text.data[end] == '@')
			sign = end;
	return (struct range){ from, MAX(sign, from) };
}

static struct range by_context(struct slice text, size_t at)
{
	struct slice name;

	if (text.data[at] != '=' && text.data[at] != ':')
		return (struct range){ 0 };
	if (slice_starts(slice_from(text, at), SLICE("://")))
		return url_user(text, at);
	name = name_before(text, at);
	return name.len && name_is_secret(name) ? value_after(text, at, name) : (struct range){ 0 };
}

static const struct {
	struct slice head;
	size_t rest_min; /* fewer characters behind it are a word, not a key */
} shapes[] = {
	{ SLICE("sk-"), 8 },          { SLICE("sk_"), 12 },    { SLICE("pk-"), 16 },  { SLICE("rk_"), 12 },
	{ SLICE("ghp_"), 12 },        { SLICE("gho_"), 12 },   { SLICE("ghu_"), 12 }, { SLICE("ghs_"), 12 },
	{ SLICE("github_pat_"), 12 }, { SLICE("glpat-"), 12 }, { SLICE("hf_"), 12 },  { SLICE("xoxb-"), 12 },
	{ SLICE("xoxp-"), 12 },       { SLICE("xapp-"), 12 },  { SLICE("AIza"), 20 }, { SLICE("AKIA"), 12 },
	{ SLICE("ASIA"), 12 },        { SLICE("gsk_"), 12 },   { SLICE("xai-"), 12 }, { SLICE("nvapi-"), 12 },
	{ SLICE("r8_"), 12 },         { SLICE("pplx-"), 12 },  { SLICE("dapi"), 20 }, { SLICE("eyJ"), 20 },
	{ SLICE("ya29."), 12 },       { SLICE("fw_"), 12 },    { SLICE("tgp_"), 12 }, { SLICE("pcsk_"), 12 },
};

static size_t token_end(struct slice text, size_t at)
{
	while (at < text.len && is_token_char(text.data[at]))
		at++;
	return at;
}

/* A word that begins at @at. */
static struct range by_shape(struct slice text, size_t at)
{
	struct slice rest = slice_from(text, at);
	size_t end;

	if (at && is_letter_or_digit(text.data[at - 1]))
		return (struct range){ 0 };
	if (slice_starts_nocase(rest, SLICE("bearer "))) {
		size_t from = at + SLICE("bearer ").len;

		for (end = from; end < text.len && !memchr(" \t\n\"'", text.data[end], 5);)
			end++;
		return end - from >= 8 ? (struct range){ from, end } : (struct range){ 0 };
	}
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (slice_starts(rest, shapes[i].head)) {
			end = token_end(text, at);
			if (end - at >= shapes[i].head.len + shapes[i].rest_min)
				return (struct range){ at, end };
		}
	return (struct range){ 0 };
}

static struct range next_secret(struct slice text, size_t at)
{
	struct range range;

	for (; at < text.len; at++) {
		range = by_shape(text, at);
		if (range.to == range.from)
			range = by_context(text, at);
		if (range.to > range.from)
			return range;
	}
	return (struct range){ text.len, text.len };
}

/* Writes @text without its secrets; with @out NULL only counts. Returns the length. */
static size_t redact(struct slice text, char *out)
{
	size_t len = 0, at = 0;

	while (at < text.len) {
		struct range range = next_secret(text, at);
		struct slice plain = { text.data + at, range.from - at };

		if (out)
			memcpy(out + len, plain.data, plain.len);
		len += plain.len;
		if (range.to > range.from) {
			if (out)
				memcpy(out + len, HIDDEN.data, HIDDEN.len);
			len += HIDDEN.len;
		}
		at = range.to;
	}
	return len;
}

/* curl's "-u user:password": the user may stay. */
static bool is_user_option(struct slice option)
{
	return slice_equal(option, SLICE("-u")) || slice_equal(option, SLICE("--user")) ||
	       slice_equal(option, SLICE("--proxy-user"));
}

struct slice policy_redact_argument(struct arena *arena, struct slice previous, struct slice argument)
{
	struct range first;
	struct slice rest = argument, user;
	size_t len;
	char *out;

	if (slice_starts(previous, SLICE("-")) && !slice_contains(previous, SLICE("=")) && name_is_secret(previous) &&
	    argument.len && argument.data[0] != '-')
		return HIDDEN;
	if (is_user_option(previous) && slice_contains(argument, SLICE(":"))) {
		user = slice_cut(&rest, ':');
		return arena_printf(arena, "%.*s:[redacted]", SLICE_FMT(user));
	}
	first = next_secret(argument, 0);
	if (first.to == first.from)
		return argument;
	len = redact(argument, NULL);
	out = arena_alloc(arena, len + 1);
	if (!out)
		return SLICE_NONE;
	redact(argument, out);
	return (struct slice){ out, len };
}
