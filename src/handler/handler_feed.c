/* Calendar feeds: POST and DELETE of their owners, GET of calendar programs. */
#include <string.h>

#include "handler_private.h"
#include "http_date.h"
#include "ics_feed.h"
#include "ics_invite.h"
#include "json_write.h"
#include "log.h"
#include "service_feed.h"

enum {
	FEED_PIECE = 16 * 1024,                /* what is sent at a time */
	FEED_CEILING = 256 * 1024 + FEED_PIECE /* with the event that makes it one */
};

enum err handler_feed_create(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	struct feed *feed;
	struct buf *out;
	bool replayed;
	char *url;
	enum err err;

	err = service_feed_rotate(service, &call, &feed, &replayed, info);
	if (err != ERR_OK)
		return err;
	url = feed_url(exchange->arena, service->ring, service->conf->public_url, feed);
	if (replayed)
		http_set_header(exchange, "Idempotency-Replayed", "true");
	out = http_reply_buf(exchange);
	json_write_open(out, '{');
	json_write_member(out, "url", url);
	json_write_name(out, "webcal_url");
	json_write_joined(out, "webcal", strchr(url, ':'), NULL);
	json_write_close(out, '}');
	return http_reply_json(exchange, 200, out, info);
}

enum err handler_feed_delete(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const enum err err = service_feed_revoke(&handler_context(exchange)->service, &call, info);

	if (err == ERR_OK)
		http_reply(exchange, 204, NULL, NULL, 0);
	return err;
}

/* One feed on its way. */
struct feed_sending {
	const struct handler_context *context;
	const struct feed *feed;
	http_write *write;
	void *to;
	struct buf piece;
	bool begun, broken;
	int64_t bytes, events, left_out; /* left out: what could not be rendered */
};

static bool feed_flush(struct feed_sending *sending)
{
	sending->broken = !sending->write(sending->to, sending->piece.bytes, sending->piece.len);
	sending->bytes += (int64_t)sending->piece.len;
	buf_cut(&sending->piece, 0);
	return !sending->broken;
}

static void feed_add(struct feed_sending *sending, struct arena *arena,
	const struct request *request, struct err_info *info)
{
	const struct handler_context *context = sending->context;
	const enum party party = (enum party)sending->feed->party;
	struct ics_invite invite = handler_snapshot(arena, context, request, party, true);

	invite.bare = true;
	if (ics_invite_render(context->templates, &invite, &sending->piece, info) == ERR_OK) {
		sending->events++;
		return;
	}
	sending->left_out++;
	log_error("request %s is left out of a feed: %s", request->id, info->detail);
}

/* The calendar is named in the words of the first event's reader. */
static bool feed_begin(
	struct feed_sending *sending, const struct request *first, struct err_info *info)
{
	const char *locale = first ? first->side[sending->feed->party].person->locale : NULL;

	if (sending->begun)
		return true;
	sending->begun = true;
	if (ics_feed_begin(sending->context->templates, locale, &sending->piece, info) == ERR_OK)
		return true;
	log_error("a feed cannot be begun: %s", info->detail);
	sending->broken = true;
	return false;
}

static bool feed_row(void *data, struct arena *arena, const struct request *request)
{
	struct feed_sending *sending = data;
	struct err_info info;

	err_clear(&info);
	if (!feed_begin(sending, request, &info))
		return false;
	feed_add(sending, arena, request, &info);
	return sending->piece.len < FEED_PIECE || feed_flush(sending);
}

/* The whole calendar, or one that has no end and ends with the connection. */
static bool feed_send(struct http_exchange *exchange, void *data, http_write *write, void *to)
{
	struct feed_sending sending = {
		.context = handler_context(exchange), .feed = data, .write = write, .to = to};
	int64_t unreadable;
	struct err_info info;
	bool whole = false;

	log_set_request(exchange->request_id);
	err_clear(&info);
	buf_init(&sending.piece, FEED_CEILING);
	if (service_feed_read(&sending.context->service, sending.feed, exchange->now, feed_row,
		    &sending, &unreadable, &info) == ERR_OK &&
		!sending.broken && feed_begin(&sending, NULL, &info)) {
		ics_feed_end(&sending.piece);
		whole = feed_flush(&sending);
	}
	log_info("feed whole=%d events=%lld left_out=%lld bytes=%lld", whole,
		(long long)sending.events, (long long)(sending.left_out + unreadable),
		(long long)sending.bytes);
	buf_fini(&sending.piece);
	log_set_request(NULL);
	return whole;
}

enum err handler_feed_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct handler_context *context = handler_context(exchange);
	const struct service_call call = handler_call(exchange);
	struct feed_version version;
	struct feed *feed;
	enum err err;

	err = service_feed_open(&context->service, &call, exchange->params[0],
		http_variable(exchange, "HTTP_IF_NONE_MATCH"), context->calendar_version, &feed,
		&version, info);
	if (err != ERR_OK)
		return err;
	http_reply_stream(exchange, 200, "text/calendar; charset=utf-8", feed_send, feed);
	http_set_header(exchange, "Content-Disposition", "inline; filename=\"meetings.ics\"");
	if (version.etag)
		http_set_header(exchange, "ETag", "%s", version.etag);
	if (version.last_modified)
		http_set_last_modified(exchange, version.last_modified);
	return ERR_OK;
}
