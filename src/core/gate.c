#include "gate.h"

#include <string.h>

#include "erase.h"
#include "instant.h"

enum { GATE_BODY = ID_BYTES + 1 + 4, GATE_BYTES = GATE_BODY + SECRET_MAC_BYTES };
enum { GATE_MAX_EVENTS = 200 };

static const enum secret_purpose gate_purposes[] = {
	[GATE_JOIN] = SECRET_JOIN, [GATE_CALENDAR] = SECRET_CALENDAR, [GATE_PAGE] = SECRET_PAGE};

void gate_token(const struct secret_ring *ring, enum gate_purpose purpose, const char *request_id,
	enum party party, int64_t generation, char token_r[GATE_TOKEN_SIZE])
{
	unsigned char bytes[GATE_BYTES] = {0};
	unsigned char *p = bytes + ID_BYTES;

	id_decode(request_id, bytes);
	*p++ = (unsigned char)party;
	*p++ = (unsigned char)(generation >> 24);
	*p++ = (unsigned char)(generation >> 16);
	*p++ = (unsigned char)(generation >> 8);
	*p++ = (unsigned char)generation;
	secret_mac(ring, gate_purposes[purpose], bytes, GATE_BODY, p);
	base64url_encode(bytes, sizeof(bytes), token_r, GATE_TOKEN_SIZE);
}

bool gate_token_read(const struct secret_ring *ring, enum gate_purpose purpose, const char *token,
	struct gate_pass *pass_r)
{
	unsigned char bytes[GATE_BYTES];
	const unsigned char *p = bytes + ID_BYTES;

	if (!base64url_decode(token, bytes, sizeof(bytes)) || *p > PARTY_LAWYER ||
		!secret_mac_verify(
			ring, gate_purposes[purpose], bytes, GATE_BODY, bytes + GATE_BODY))
		return false;
	id_encode(bytes, pass_r->request_id);
	pass_r->party = (enum party)p[0];
	pass_r->generation =
		(int64_t)p[1] << 24 | (int64_t)p[2] << 16 | (int64_t)p[3] << 8 | (int64_t)p[4];
	return true;
}

char *gate_url(struct arena *arena, const struct secret_ring *ring, enum gate_purpose purpose,
	const char *public_url, const struct request *request, enum party party)
{
	char token[GATE_TOKEN_SIZE];

	if (!request->meeting)
		return NULL;
	if (purpose == GATE_JOIN && request->meeting->direct_url)
		return arena_strdup(arena, request->meeting->direct_url);
	gate_token(ring, purpose, request->id, party, request->meeting->generation, token);
	return purpose == GATE_JOIN
		       ? arena_concat(arena, public_url, "/join/", token, NULL)
		       : arena_concat(arena, public_url, "/calendar/event/", token, ".ics", NULL);
}

char *gate_page_url(struct arena *arena, const struct secret_ring *ring, const char *public_url,
	const struct request *request, enum party party)
{
	char token[GATE_TOKEN_SIZE];

	if (erase_is_done(request->side[party].person))
		return NULL;
	gate_token(ring, GATE_PAGE, request->id, party, 0, token);
	return arena_concat(arena, public_url, "/m/", token, NULL);
}

/* ---- forms ---- */

enum { FORM_TIME = 8, FORM_BYTES = FORM_TIME + SECRET_MAC_BYTES };

#define FORM_GOOD INSTANT_HOUR
#define FORM_SKEW INSTANT_MINUTE /* of the clocks of hosts */

static void form_mac_input(
	const char *page_token, const unsigned char *time, unsigned char *bytes, size_t len)
{
	memcpy(bytes, time, FORM_TIME);
	memcpy(bytes + FORM_TIME, page_token, len);
}

void gate_form_token(const struct secret_ring *ring, const char *page_token, int64_t now,
	char form_r[GATE_FORM_SIZE])
{
	const size_t len = strnlen(page_token, GATE_TOKEN_SIZE);
	unsigned char bytes[FORM_BYTES], input[FORM_TIME + GATE_TOKEN_SIZE];
	int i;

	for (i = 0; i < FORM_TIME; i++)
		bytes[i] = (unsigned char)((uint64_t)now >> (56 - 8 * i));
	form_mac_input(page_token, bytes, input, len);
	secret_mac(ring, SECRET_FORM, input, FORM_TIME + len, bytes + FORM_TIME);
	base64url_encode(bytes, sizeof(bytes), form_r, GATE_FORM_SIZE);
}

bool gate_form_valid(
	const struct secret_ring *ring, const char *page_token, const char *form, int64_t now)
{
	const size_t len = strnlen(page_token, GATE_TOKEN_SIZE);
	unsigned char bytes[FORM_BYTES], input[FORM_TIME + GATE_TOKEN_SIZE];
	uint64_t at = 0;
	int i;

	if (!base64url_decode(form, bytes, sizeof(bytes)))
		return false;
	form_mac_input(page_token, bytes, input, len);
	if (!secret_mac_verify(ring, SECRET_FORM, input, FORM_TIME + len, bytes + FORM_TIME))
		return false;
	for (i = 0; i < FORM_TIME; i++)
		at = at << 8 | bytes[i];
	return (int64_t)at <= now + FORM_SKEW && now < (int64_t)at + FORM_GOOD;
}
const char *const gate_state_names[] = {
	[GATE_OPEN] = "open",
	[GATE_EARLY] = "early",
	[GATE_PENDING] = "pending",
	[GATE_FAILED] = "failed",
	[GATE_OVER] = "over",
	[GATE_CANCELLED] = "cancelled",
	[GATE_REPLACED] = "replaced",
	[GATE_RENEWING] = "renewing",
	NULL,
};

enum gate gate_state(const struct request *request, int64_t generation, int64_t now)
{
	const struct meeting *meeting = request->meeting;

	switch (meeting->status) {
	case MEETING_CANCELLED:
		return GATE_CANCELLED;
	case MEETING_EXPIRED:
		return GATE_OVER;
	case MEETING_REPLACED:
		return GATE_REPLACED;
	default:
		break;
	}
	if (now >= meeting->expires_at)
		return GATE_OVER;
	if (generation != meeting->generation)
		return meeting->status == MEETING_READY ? GATE_REPLACED : GATE_RENEWING;
	if (meeting->status != MEETING_READY)
		return meeting->status == MEETING_FAILED ? GATE_FAILED : GATE_PENDING;
	return now < meeting->opens_at ? GATE_EARLY : GATE_OPEN;
}

/* How long after a use the next one is recorded. */
static int64_t gate_pause(const struct request *request, const struct link_uses *uses)
{
	if (request->before.count + (int64_t)request->events.count >= AUDIT_LONG)
		return INSTANT_HOUR;
	return uses->count >= GATE_MAX_EVENTS ? INSTANT_MINUTE : 0;
}

bool gate_use(struct cause *cause, struct request *request, enum link_use link)
{
	struct link_uses **uses = &request->meeting->uses[link];
	int64_t pause;

	if (!*uses)
		*uses = arena_alloc(cause->arena, sizeof(**uses));
	pause = gate_pause(request, *uses);
	if (pause && cause->now - (*uses)->last_at < pause)
		return false;
	(*uses)->count++;
	(*uses)->last_at = cause->now;
	if (link != LINK_HOST)
		cause->actor = (struct actor){
			.id = request->side[link].person->id, .role = party_roles[link]};
	audit_add(cause, request, "meeting.link_used", NULL, NULL, NULL);
	return true;
}
