#ifndef APP_OPENAPI_H
#define APP_OPENAPI_H
/*
 * The API as it is described to programs (OpenAPI 3.1) and to people: made from THE ROUTE TABLE,
 * THE COMMANDS, THE ERROR TABLE and the models, and written nowhere else. Texts live in the arena.
 */
#include "http_router.h"

/* How a model is met: shown in an answer; read from a body, whole, or where what is left out stays
 * as it is; or from a query. */
enum openapi_use { OPENAPI_SHOWN, OPENAPI_READ, OPENAPI_CHANGED, OPENAPI_ASKED };

struct openapi_schema {
	const struct model *model;
	enum openapi_use use;
};

/* The whole document, and the struct openapi_schema that it refers to. */
char *app_openapi(struct arena *arena, struct model_list *schemas_r);

extern const char app_api_words[]; /* what holds for all of it */

/* For people: docs/api.md, and the same as a page, with its Content-Security-Policy. */
char *app_docs(struct arena *arena);
char *app_docs_page(struct arena *arena, const char **policy_r);

/* "/api/requests/{id}/respond", "post_requests_respond". */
const char *openapi_path(struct arena *arena, const struct http_route *route);
const char *openapi_operation(struct arena *arena, const struct http_route *route);

/* What stands for the i-th {} of its path, or NULL. */
const struct model_field *openapi_param(const struct http_route *route, int i);

/* All errors that callers may meet there: ERR_SET()s. */
uint64_t openapi_errors(const struct http_route *route);
uint64_t openapi_errors_of(const struct http_route *route, int status);

/* The name of its schema. */
const char *openapi_name(struct arena *arena, const struct model *model, enum openapi_use use);

bool openapi_has_field(const struct model_field *field, enum openapi_use use);
bool openapi_is_required(const struct model_field *field, enum openapi_use use);
bool openapi_is_nullable(const struct model_field *field, enum openapi_use use);

/* A value that a field may have in a body, as JSON; `of`: the member that it is within, or NULL.
 * A whole body: what is required, and what has an example. */
void openapi_write_example(struct buf *out, const struct model_field *field, const char *of);
void openapi_write_body_example(struct buf *out, const struct model *model, const char *of);
#endif
