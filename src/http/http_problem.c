#include "http_router.h"
#include "json_write.h"

enum { HTTP_RETRY_AFTER_S = 2 };

#define MEMBER(member, member_type, member_flags, ...)                                             \
	{                                                                                          \
		.name = (member), .type = (member_type), .flags = MODEL_SHOWN | (member_flags),    \
		__VA_ARGS__                                                                        \
	}

static const struct model_field error_fields[] = {
	MEMBER("pointer", MODEL_STRING, MODEL_REQUIRED),
	MEMBER("detail", MODEL_STRING, MODEL_REQUIRED),
};
static const struct model error_model = {
	.name = "field_error", .fields = error_fields, .field_count = 2};

static const struct model_field problem_fields[] = {
	MEMBER("type", MODEL_STRING, MODEL_REQUIRED),
	MEMBER("title", MODEL_STRING, MODEL_REQUIRED),
	MEMBER("status", MODEL_INT, MODEL_REQUIRED),
	MEMBER("detail", MODEL_STRING, MODEL_REQUIRED),
	MEMBER("instance", MODEL_STRING, MODEL_REQUIRED),
	MEMBER("code", MODEL_STRING, MODEL_REQUIRED),
	MEMBER("errors", MODEL_LIST, MODEL_SPARSE, .of = &error_model),
};
const struct model http_problem_model = {.name = "problem",
	.fields = problem_fields,
	.field_count = sizeof(problem_fields) / sizeof(problem_fields[0])};

static void http_problem_fields(struct buf *out, const struct err_info *info)
{
	size_t i;

	json_write_name(out, "errors");
	json_write_open(out, '[');
	for (i = 0; i < info->field_count; i++) {
		json_write_open(out, '{');
		json_write_member(out, "pointer", info->fields[i].pointer);
		json_write_member(out, "detail", info->fields[i].detail);
		json_write_close(out, '}');
	}
	json_write_close(out, ']');
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
	struct buf *out = http_reply_buf(exchange);

	json_write_open(out, '{');
	json_write_name(out, "type");
	json_write_joined(out, "urn:meetlink:problem:", err_code(err), NULL);
	json_write_member(out, "title", err_title(err));
	json_write_name(out, "status");
	json_write_int(out, status);
	json_write_member(out, "detail",
		ours ? "The request id tells our operators what happened." : info->detail);
	json_write_name(out, "instance");
	json_write_joined(out, "urn:meetlink:request:", exchange->request_id, NULL);
	json_write_member(out, "code", err_code(err));
	if (err == ERR_INVALID)
		http_problem_fields(out, info);
	json_write_close(out, '}');
	http_reply(exchange, status, "application/problem+json", out->bytes, out->len);
	http_problem_headers(exchange, status, info);
}
