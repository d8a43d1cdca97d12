#include "json.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { JSON_DEPTH = 16 };

static void json_release(void *handle)
{
	json_object_put(handle);
}

/*
 * json-c, as strict as it can be made, still takes 'names' in single quotes, NaN and Infinity, 00
 * and 1., and control characters in strings; it repairs lone surrogates, cuts names at a NUL, and
 * keeps the last of two equal names without a word. So the tokens are checked here first (RFC 8259
 * sections 2, 6 and 7), with the members that were written counted by their colons, and json-c
 * keeps the grammar. Each function returns where its token ends, NULL when it is not well formed.
 */
static const char *json_scan_unit(const char *p, unsigned *unit_r)
{
	char digits[5] = "";

	memcpy(digits, p, strnlen(p, 4));
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return NULL;
	*unit_r = (unsigned)strtoul(digits, NULL, 16);
	return p + 4;
}

/* `p` is behind \u. */
static const char *json_scan_escape(const char *p, bool *nul)
{
	unsigned unit, low;

	p = json_scan_unit(p, &unit);
	if (!p)
		return NULL;
	if (unit == 0)
		*nul = true;
	if (unit < 0xd800 || unit > 0xdfff)
		return p;
	if (unit > 0xdbff || p[0] != '\\' || p[1] != 'u')
		return NULL;
	p = json_scan_unit(p + 2, &low);
	return p && low >= 0xdc00 && low <= 0xdfff ? p : NULL;
}

/* `p` is behind the opening quote. */
static const char *json_scan_string(const char *p, bool *nul_r)
{
	*nul_r = false;
	while (p && *p != '"') {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p++ != '\\')
			continue;
		if (*p == 'u')
			p = json_scan_escape(p + 1, nul_r);
		else
			p = *p && strchr("\"\\/bfnrt", *p) ? p + 1 : NULL;
	}
	return p ? p + 1 : NULL;
}

static const char *json_scan_digits(const char *p)
{
	const size_t count = strspn(p, "0123456789");

	return count ? p + count : NULL;
}

static const char *json_scan_number(const char *p)
{
	p += *p == '-';
	p = *p == '0' ? p + 1 : json_scan_digits(p);
	if (p && *p == '.')
		p = json_scan_digits(p + 1);
	if (p && (*p == 'e' || *p == 'E')) {
		p++;
		p = json_scan_digits(p + (*p == '+' || *p == '-'));
	}
	return p;
}

static const char *json_scan_word(const char *p)
{
	static const char *const words[] = {"true", "false", "null"};
	const size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz");
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (len == strlen(words[i]) && strncmp(p, words[i], len) == 0)
			return p + len;
	return NULL;
}

/* What is wrong with the text, or NULL and the number of members written. */
static const char *json_scan(const char *p, size_t *members_r)
{
	bool nul = false;
	int depth = 0;

	*members_r = 0;
	while (*p) {
		if (strchr(" \t\r\n,", *p)) {
			p++;
		} else if (*p == '{' || *p == '[') {
			if (++depth > JSON_DEPTH)
				return "nesting too deep";
			p++;
		} else if (*p == '}' || *p == ']') {
			depth--;
			p++;
		} else if (*p == ':') {
			if (nul)
				return "a name holds a NUL";
			++*members_r;
			p++;
		} else if (*p == '"') {
			p = json_scan_string(p + 1, &nul);
			if (!p)
				return "a string is not well formed";
		} else {
			p = *p == '-' || isdigit((unsigned char)*p) ? json_scan_number(p)
								    : json_scan_word(p);
			/* A scalar ends at a delimiter or the end of the text. */
			if (!p || !strchr(" \t\r\n,]}", *p))
				return "unexpected character";
		}
	}
	return NULL;
}

static size_t json_count_kept(struct json_object *json)
{
	size_t i, count = 0;

	if (json_object_is_type(json, json_type_object)) {
		json_object_object_foreach(json, key, value)
		{
			(void)key;
			count += 1 + json_count_kept(value);
		}
	} else if (json_object_is_type(json, json_type_array)) {
		for (i = 0; i < json_object_array_length(json); i++)
			count += json_count_kept(json_object_array_get_idx(json, i));
	}
	return count;
}

/*
 * json-c 0.16 takes some characters beyond the BMP for surrogates once they are decoded (U+2D800
 * for one) and makes U+FFFD of them: pairs of escapes become UTF-8 before it sees them. The text
 * has been scanned, so every pair is whole.
 */
static const char *json_decode_pairs(struct arena *arena, const char *p, size_t *len)
{
	char *decoded = arena_alloc(arena, *len + 1), *to = decoded;
	unsigned high, low, point;

	while (*p) {
		if (p[0] != '\\') {
			*to++ = *p++;
		} else if (p[1] == 'u' && json_scan_unit(p + 2, &high) && high >= 0xd800 &&
			   high <= 0xdbff) {
			json_scan_unit(p + 8, &low);
			point = 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
			*to++ = (char)(0xf0 | point >> 18);
			*to++ = (char)(0x80 | (point >> 12 & 0x3f));
			*to++ = (char)(0x80 | (point >> 6 & 0x3f));
			*to++ = (char)(0x80 | (point & 0x3f));
			p += 12;
		} else {
			*to++ = *p++;
			*to++ = *p++;
		}
	}
	*len = (size_t)(to - decoded);
	return decoded;
}

enum err json_parse(struct arena *arena, const char *bytes, size_t len, struct json_object **json_r,
	struct err_info *info)
{
	struct json_tokener *tokener;
	struct json_object *json;
	enum json_tokener_error error;
	const char *wrong;
	size_t members;

	*json_r = NULL;
	if (!utf8_valid(bytes, len, NULL))
		return err_set(info, ERR_MALFORMED, "The body is not valid UTF-8.");
	if (memchr(bytes, '\0', len))
		return err_set(info, ERR_MALFORMED, "The body contains a NUL byte.");
	wrong = json_scan(bytes, &members);
	if (wrong)
		return err_set(info, ERR_MALFORMED, "The body is not JSON: %s.", wrong);
	if (strstr(bytes, "\\u"))
		bytes = json_decode_pairs(arena, bytes, &len);
	/* To json-c a scalar is a level too. */
	tokener = json_tokener_new_ex(JSON_DEPTH + 1);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL behind the bytes tells the tokener that a number at the end is complete. */
	json = json_tokener_parse_ex(tokener, bytes, (int)len + 1);
	error = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	if (error != json_tokener_success) {
		json_object_put(json);
		return err_set(info, ERR_MALFORMED, "The body is not JSON: %s.",
			error == json_tokener_continue ? "it ends too early"
						       : json_tokener_error_desc(error));
	}
	if (json)
		arena_defer(arena, json_release, json);
	if (members != json_count_kept(json))
		return err_set(info, ERR_MALFORMED, "A field is given twice.");
	*json_r = json;
	return ERR_OK;
}
