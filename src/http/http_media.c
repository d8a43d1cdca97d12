#include "http_media.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { HTTP_MAX_LANGUAGE = 35 }; /* RFC 5646 section 4.4.1 */

static const char http_spaces[] = " \t";
static const char http_language_characters[] = "abcdefghijklmnopqrstuvwxyz"
					       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

/* The length of a list element or parameter: up to one of `ends` outside quotes. */
static size_t http_media_span(const char *text, const char *ends)
{
	bool quoted = false;
	size_t i;

	for (i = 0; text[i] && (quoted || !strchr(ends, text[i])); i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted && text[i] == '\\' && text[i + 1])
			i++;
	}
	return i;
}

/* 1000 times a weight of at most 3 decimals (RFC 9110 section 12.4.2), or -1. */
static int http_media_weight(const char *text, size_t len)
{
	int weight, unit = 100;
	size_t i;

	if (len == 0 || len > 5 || (text[0] != '0' && text[0] != '1') ||
		(len > 1 && text[1] != '.'))
		return -1;
	weight = (text[0] - '0') * 1000;
	for (i = 2; i < len; i++, unit /= 10) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		weight += (text[i] - '0') * unit;
	}
	return weight <= 1000 ? weight : -1;
}

/* The weight that the parameters of one range give: 1000 unless they say q. */
static int http_media_range_weight(const char *range, size_t len)
{
	size_t at = http_media_span(range, ";,"), start, part;

	while (at < len) {
		start = at + 1 + strspn(range + at + 1, http_spaces);
		part = http_media_span(range + start, ";,");
		at = start + part;
		while (part > 0 && strchr(http_spaces, range[start + part - 1]))
			part--;
		if (part >= 2 && strncasecmp(range + start, "q=", 2) == 0)
			return http_media_weight(range + start + 2, part - 2);
	}
	return 1000;
}

/* How closely a range names the type: 0 not at all, 1 by any type, 2 by its type, 3 by both. */
static int http_media_closeness(const char *range, size_t name_len, const char *type)
{
	const size_t major = strcspn(type, "/") + 1;

	if (name_len == strlen(type) && strncasecmp(range, type, name_len) == 0)
		return 3;
	if (name_len == major + 1 && strncasecmp(range, type, major) == 0 && range[major] == '*')
		return 2;
	return name_len == 3 && strncmp(range, "*/*", 3) == 0 ? 1 : 0;
}

bool http_media_accepted(const char *accept, const char *type)
{
	int closest = 0, weight = 0, closeness, range_weight;
	size_t len;

	if (!accept || accept[strspn(accept, http_spaces)] == '\0')
		return true;
	for (; *accept; accept += len + (accept[len] == ',')) {
		accept += strspn(accept, http_spaces);
		len = http_media_span(accept, ",");
		closeness = http_media_closeness(accept, strcspn(accept, " \t;,"), type);
		range_weight = http_media_range_weight(accept, len);
		if (closeness > closest || (closeness == closest && range_weight > weight)) {
			closest = closeness;
			weight = range_weight;
		}
	}
	return closest > 0 && weight > 0;
}

/* The length of the language range that an element begins with; 0 when it does not. */
static size_t http_media_language_span(const char *element, size_t len)
{
	size_t range = *element == '*' ? 1 : strspn(element, http_language_characters), end;

	end = range + strspn(element + range, http_spaces);
	return range <= HTTP_MAX_LANGUAGE && (end >= len || element[end] == ';') ? range : 0;
}

size_t http_media_languages(struct arena *arena, const char *accept,
	struct http_language languages_r[HTTP_MAX_LANGUAGES])
{
	size_t count = 0, i, len, range;
	int weight;

	for (; accept && *accept && count < HTTP_MAX_LANGUAGES;
		accept += len + (accept[len] == ',')) {
		accept += strspn(accept, http_spaces);
		len = http_media_span(accept, ",");
		range = http_media_language_span(accept, len);
		weight = http_media_range_weight(accept, len);
		if (range == 0 || weight < 0)
			continue;
		for (i = count++; i > 0 && languages_r[i - 1].weight < weight; i--)
			languages_r[i] = languages_r[i - 1];
		languages_r[i] = (struct http_language){
			.range = arena_strndup(arena, accept, range), .weight = weight};
	}
	return count;
}

bool http_media_is_json(const char *content_type)
{
	static const char json[] = "application/json", charset[] = "charset=";
	const char *rest, *value;
	size_t len;

	if (!content_type || strncasecmp(content_type, json, strlen(json)) != 0)
		return false;
	rest = content_type + strlen(json);
	rest += strspn(rest, http_spaces);
	while (*rest == ';') {
		rest += 1 + strspn(rest + 1, http_spaces);
		if (strncasecmp(rest, charset, strlen(charset)) == 0) {
			value = rest + strlen(charset);
			len = http_media_span(value, "; \t");
			if (!(len == 5 && strncasecmp(value, "utf-8", 5) == 0) &&
				!(len == 7 && strncasecmp(value, "\"utf-8\"", 7) == 0))
				return false;
		}
		rest += http_media_span(rest, ";");
	}
	return *rest == '\0';
}
