#include <json-c/json.h>

#include "http_router.h"

enum { HTTP_RETRY_AFTER_S = 2 };

static struct json_object *http_problem_fields(const struct err_info *info)
{
	struct json_object *fields = json_object_new_array(), *field;
	size_t i;

	for (i = 0; i < info->field_count; i++) {
		field = json_object_new_object();
		json_object_object_add(
			field, "pointer", json_object_new_string(info->fields[i].pointer));
		json_object_object_add(
			field, "detail", json_object_new_string(info->fields[i].detail));
		json_object_array_add(fields, field);
	}
	return fields;
}

static void http_problem_headers(
	struct http_exchange *exchange, int status, const struct err_info *info)
{
	int retry_after_s = info->retry_after_s;

	if (retry_after_s == 0 && (status == 429 || status == 503))
		retry_after_s = HTTP_RETRY_AFTER_S;
	if (retry_after_s > 0)
		http_set_header(exchange, "Retry-After", "%d", retry_after_s);
	/* RFC 6750 section 3.1: no error code for a request without credentials. */
	if (status == 401)
		http_set_header(exchange, "WWW-Authenticate", "Bearer realm=\"meetlink\"%s",
			http_variable(exchange, "HTTP_AUTHORIZATION") ? ", error=\"invalid_token\""
								      : "");
}

void http_reply_problem(struct http_exchange *exchange, const struct err_info *info)
{
	/* An error that neither the caller nor time can mend is ours, and so are its details. */
	const bool ours = err_status(info->err) >= 500 && !err_retryable(info->err);
	const enum err err = ours ? ERR_INTERNAL : info->err;
	const int status = err_status(err);
	struct json_object *problem = json_object_new_object();

	json_object_object_add(problem, "type",
		json_object_new_string(
			arena_printf(exchange->arena, "urn:meetlink:problem:%s", err_code(err))));
	json_object_object_add(problem, "title", json_object_new_string(err_title(err)));
	json_object_object_add(problem, "status", json_object_new_int(status));
	json_object_object_add(problem, "detail",
		json_object_new_string(
			ours ? "The request id tells our operators what happened." : info->detail));
	json_object_object_add(problem, "instance",
		json_object_new_string(arena_printf(
			exchange->arena, "urn:meetlink:request:%s", exchange->request_id)));
	json_object_object_add(problem, "code", json_object_new_string(err_code(err)));
	if (err == ERR_INVALID)
		json_object_object_add(problem, "errors", http_problem_fields(info));
	http_reply_json(exchange, status, problem);
	exchange->content_type = "application/problem+json";
	http_problem_headers(exchange, status, info);
	json_object_put(problem);
}
