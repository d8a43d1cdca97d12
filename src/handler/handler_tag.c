/*
 * Entity tags that need no representation: a strong one stands for the same bytes for ever (RFC
 * 9110 section 8.8.1), so it is made of all that they follow from. Its first part is a hash of the
 * resource, the caller, and of each request its fingerprint and which of its times have come; the
 * second is of the program and its settings. Who changes what they have seen may have seen it from
 * another host, whose program is another: If-Match goes by the first.
 */
#include <stdio.h>

#include "buf.h"
#include "fingerprint.h"
#include "handler_private.h"
#include "http_date.h"

/* The first part, with the quote before it. */
enum { TAG_HASH_LEN = 1 + 32, TAG_MAX_BASIS = 1024 * 1024 };

static const struct {
	const char *name;
	bool of_meeting; /* is not there without one */
	bool dated;      /* has a Last-Modified too */
} tag_resources[] = {
	[HANDLER_REQUEST] = {"request", false, false},
	[HANDLER_MEETING] = {"meeting", true, false},
	[HANDLER_CALENDAR] = {"calendar", true, true},
};

void handler_tag_begin(struct buf *basis, const struct service_call *call, const char *resource)
{
	buf_init(basis, TAG_MAX_BASIS);
	buf_addf(basis, "%s\n%s %s\n", resource, role_names[call->caller.role],
		call->caller.id ? call->caller.id : "");
}

void handler_tag_add(struct buf *basis, const struct service *service,
	const struct service_call *call, const struct request *request)
{
	const char *fingerprint = request->fingerprint;
	const unsigned phase = fingerprint_phase(request, call->now);

	if (!fingerprint)
		fingerprint = fingerprint_of(call->arena, service->ring, request);
	buf_add_text(basis, request->id);
	buf_add_char(basis, ' ');
	buf_add_text(basis, fingerprint);
	buf_add_char(basis, (char)('A' + phase % 16));
	/* Where none of the later ones has come, as in versions before. */
	if (phase / 16)
		buf_add_char(basis, (char)('a' + phase / 16));
}

const char *handler_tag_end(
	struct buf *basis, const struct service *service, const struct service_call *call)
{
	char *hash = http_etag(call->arena, basis->bytes, basis->len);

	buf_fini(basis);
	hash[TAG_HASH_LEN] = '\0';
	return arena_concat(call->arena, hash, "-", service->edition, "\"", NULL);
}

bool handler_precondition(const struct service_call *call, const char *tag)
{
	return http_etag_part_listed(
		call->if_match, arena_strndup(call->arena, tag, TAG_HASH_LEN + 1));
}

static const char *tag_of(const struct service *service, const struct service_call *call,
	enum handler_resource resource, const struct request *request)
{
	struct buf basis;

	handler_tag_begin(&basis, call, tag_resources[resource].name);
	handler_tag_add(&basis, service, call, request);
	return handler_tag_end(&basis, service, call);
}

const char *handler_request_tag(const struct service *service, const struct service_call *call,
	const struct request *request)
{
	return tag_of(service, call, HANDLER_REQUEST, request);
}

static void tag_set(struct http_exchange *exchange, const struct service_call *call,
	enum handler_resource resource, const struct request *request)
{
	http_set_header(exchange, "ETag", "%s",
		tag_of(&handler_context(exchange)->service, call, resource, request));
	if (tag_resources[resource].dated)
		http_set_last_modified(exchange, request->updated_at);
}

enum err handler_load(struct http_exchange *exchange, const struct service_call *call,
	enum handler_resource resource, const struct request **request_r, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const char *id = exchange->params[0];
	struct request *request;
	enum err err = ERR_OK;

	*request_r = NULL;
	if (http_is_conditional(exchange)) {
		err = service_request_get(service, call, id, STORE_TAG, &request, info);
		if (err != ERR_OK)
			return err;
		if (request->fingerprint &&
			(request->meeting || !tag_resources[resource].of_meeting)) {
			tag_set(exchange, call, resource, request);
			if (http_reply_known(exchange))
				return ERR_OK;
		}
	}
	err = service_request_get(service, call, id, STORE_CURRENT, &request, info);
	if (err == ERR_OK && !request->meeting && tag_resources[resource].of_meeting)
		err = err_set(info, ERR_NO_MEETING, "The request has not been accepted.");
	if (err != ERR_OK)
		return err;
	tag_set(exchange, call, resource, request);
	*request_r = request;
	return ERR_OK;
}
