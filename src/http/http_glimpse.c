#include "http_glimpse.h"

#include <stdbool.h>
#include <string.h>

enum { RECORD_HEAD = 8, RECORD_VERSION = 1 };
enum record_type { RECORD_BEGIN = 1, RECORD_PARAMS = 4, RECORD_STDIN = 5 };

struct span {
	const unsigned char *at;
	size_t len;
};

struct record {
	enum record_type type;
	unsigned id;
	struct span content;
};

static bool span_skip(struct span *span, size_t len)
{
	if (span->len < len)
		return false;
	span->at += len;
	span->len -= len;
	return true;
}

/* False when the record is not whole. */
static bool record_take(struct span *bytes, struct record *record_r)
{
	const unsigned char *head = bytes->at;

	if (!span_skip(bytes, RECORD_HEAD))
		return false;
	*record_r = (struct record){
		.type = (enum record_type)head[1],
		.id = (unsigned)head[2] << 8 | head[3],
		.content = {bytes->at, (size_t)head[4] << 8 | head[5]},
	};
	return span_skip(bytes, record_r->content.len + head[6]);
}

/* Section 3.4: one byte below 128, or four with the highest bit set. */
static bool pair_length(struct span *pairs, size_t *length_r)
{
	const unsigned char *at = pairs->at;

	if (!span_skip(pairs, 1))
		return false;
	*length_r = at[0];
	if (at[0] < 128)
		return true;
	*length_r = (size_t)(at[0] & 127) << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	return span_skip(pairs, 3);
}

/* FNV-1a, folded: of the last product alone the low bits would know little. */
static uint32_t glimpse_hash(const struct span *value)
{
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < value->len; i++)
		hash = (hash ^ value->at[i]) * 16777619u;
	return hash ^ hash >> 16;
}

static bool glimpse_is(const struct span *name, const char *wanted)
{
	return name->len == strlen(wanted) && memcmp(name->at, wanted, name->len) == 0;
}

static void glimpse_note(
	struct http_glimpse *glimpse, const struct span *name, const struct span *value)
{
	if (glimpse_is(name, "REQUEST_METHOD")) {
		glimpse->method = (const char *)value->at;
		glimpse->method_len = value->len;
	} else if (glimpse_is(name, "REQUEST_URI")) {
		glimpse->uri = (const char *)value->at;
		glimpse->uri_len = value->len;
	} else if (glimpse_is(name, "REMOTE_ADDR")) {
		glimpse->address = glimpse_hash(value);
	} else if (glimpse_is(name, "HTTP_AUTHORIZATION")) {
		glimpse->token = glimpse_hash(value);
	}
}

static void glimpse_read(struct http_glimpse *glimpse, struct span pairs)
{
	struct span name, value;

	while (pair_length(&pairs, &name.len) && pair_length(&pairs, &value.len)) {
		name.at = pairs.at;
		if (!span_skip(&pairs, name.len))
			return;
		value.at = pairs.at;
		if (!span_skip(&pairs, value.len))
			return;
		glimpse_note(glimpse, &name, &value);
	}
}

enum http_arrival http_glimpse(
	const unsigned char *bytes, size_t len, struct http_glimpse *glimpse_r)
{
	struct span rest = {bytes, len};
	struct record record;
	bool begun = false, told = false;
	unsigned id = 0;

	*glimpse_r = (struct http_glimpse){0};
	while (rest.len) {
		if (rest.at[0] != RECORD_VERSION)
			return HTTP_NO_REQUEST;
		if (!record_take(&rest, &record))
			return HTTP_ARRIVES;
		if (record.type == RECORD_BEGIN && !begun) {
			id = record.id;
			begun = true;
		} else if (begun && record.id == id && record.type == RECORD_PARAMS) {
			if (!told)
				glimpse_read(glimpse_r, record.content);
			told = true;
		} else if (begun && record.id == id && record.type == RECORD_STDIN) {
			if (record.content.len == 0)
				return HTTP_ARRIVED;
		}
	}
	return HTTP_ARRIVES;
}
