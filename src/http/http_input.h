#ifndef HTTP_INPUT_H
#define HTTP_INPUT_H
/*
 * What a request brings, checked and turned into a route's models. For the engine: handlers find
 * the result in their exchange, unless they read a body themselves (HTTP_BODY_RAW).
 */
#include "http_exchange.h"
#include "model.h"

enum http_decode {
	HTTP_DECODE_PATH, /* but %2F and %25, so that a segment stays one, to be decoded then */
	HTTP_DECODE_SEGMENT,
	HTTP_DECODE_FORM, /* + is a space (application/x-www-form-urlencoded) */
};

/* NULL for a broken escape, a NUL, or what is not UTF-8 once decoded. RFC 3986 section 2.1. */
char *http_percent_decode(
	struct arena *arena, const char *text, size_t len, enum http_decode decode);

/* The query string as a new struct of `model` (NULL: every parameter is unknown). ERR_MALFORMED
 * when it cannot be decoded, ERR_INVALID with pointers like "/limit". */
enum err http_query_read(struct arena *arena, const char *query, const struct model *model,
	const void **query_r, struct err_info *info);

/* The body as a new struct of `model` (NULL: a model without fields). With `optional` an empty body
 * is an empty object. ERR_MALFORMED when it is not JSON, ERR_INVALID with pointers. */
enum err http_body_read(struct arena *arena, const char *body, size_t len,
	const struct model *model, bool optional, void **input_r, struct err_info *info);

/* The body as any JSON value (null is NULL); with `optional` an empty body is an empty object.
 * ERR_MALFORMED. */
enum err http_json_read(struct arena *arena, const char *body, size_t len, bool optional,
	struct json_object **json_r, struct err_info *info);

/* 1 to 128 printable ASCII characters, bare or as a quoted string (RFC 8941 section 3.3.3, which
 * draft-ietf-httpapi-idempotency-key-header-07 asks for). ERR_MALFORMED otherwise. */
enum err http_idempotency_key_read(
	struct arena *arena, const char *value, const char **key_r, struct err_info *info);
#endif
