#include "buf.h"
#include "handler_private.h"
#include "http_date.h"
#include "reply.h"

enum { HANDLER_MAX_CALENDAR = 256 * 1024 };

struct ics_invite handler_snapshot(struct arena *arena, const struct handler_context *context,
	const struct request *request, enum party party, bool with_link)
{
	const char *own = reply_address(arena, context->service.ring,
		context->service.conf->mail_reply_address, request->id, party);

	return (struct ics_invite){
		.request = request,
		.party = party,
		.method = ICS_SNAPSHOT,
		.dtstamp = request->updated_at,
		.sequence = request->meeting->sequence,
		.join_url = with_link && request->meeting->status == MEETING_READY
				    ? gate_url(arena, context->service.ring, GATE_JOIN,
					      context->service.conf->public_url, request, party)
				    : NULL,
		.organizer_name = context->organizer.name,
		.organizer_email = own ? own : context->organizer.email,
		.answers_are_read = own != NULL,
	};
}

/* The entity tag moves only when the meeting does. */
static enum err calendar_reply(struct http_exchange *exchange, const struct request *request,
	enum party party, bool with_link, struct err_info *info)
{
	const struct handler_context *context = handler_context(exchange);
	const struct ics_invite invite =
		handler_snapshot(exchange->arena, context, request, party, with_link);
	struct buf *out = http_reply_buf_of(exchange, HANDLER_MAX_CALENDAR);
	const enum err err = ics_invite_render(context->templates, &invite, out, info);

	if (err != ERR_OK)
		return err;
	http_reply(exchange, 200, "text/calendar; charset=utf-8", out->bytes, out->len);
	http_set_header(exchange, "Content-Disposition", "attachment; filename=\"meeting.ics\"");
	http_set_last_modified(exchange, request->updated_at);
	return ERR_OK;
}

enum err handler_calendar_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const struct request *request;
	enum party party;
	enum err err;

	err = handler_load(exchange, &call, HANDLER_CALENDAR, &request, info);
	if (!request)
		return err;
	if (!request_party(request, &exchange->caller, &party))
		return err_set(info, ERR_FORBIDDEN, "The calendar entry is for its two people.");
	return calendar_reply(exchange, request, party, true, info);
}

enum err handler_calendar_event_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct request *request;
	enum party party;
	bool current;
	enum err err;

	err = service_calendar_open(&handler_context(exchange)->service, &call, exchange->params[0],
		&request, &party, &current, info);
	/* The link of a meeting that was replaced does not hand out the new one. */
	return err == ERR_OK ? calendar_reply(exchange, request, party, current, info) : err;
}
