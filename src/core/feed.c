#include "feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "instant.h"

#define FEED_BACK           (90 * INSTANT_DAY)
#define FEED_CANCELLED_KEPT (30 * INSTANT_DAY)

enum { FEED_BYTES = ID_BYTES + SECRET_MAC_BYTES, FEED_BASIS = 64 * 1024 };

#define FIELD(type, member, ...) MODEL_FIELD(struct feed, member, type, MODEL_STORED | __VA_ARGS__)

static const struct model_field feed_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_KEY),
	FIELD(MODEL_ENUM, party, MODEL_REQUIRED, .names = party_names),
	FIELD(MODEL_STRING, person_id, MODEL_REQUIRED),
	FIELD(MODEL_STRING, nonce, MODEL_REQUIRED),
	FIELD(MODEL_STRING, key, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, created_at, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, seen_at, MODEL_SPARSE),
};

const struct model feed_model = MODEL(struct feed, "feed", feed_fields);

/* ---- its address ---- */

void feed_id(enum party party, const char *person_id, char id_r[ID_SIZE])
{
	id_derive(id_r, NULL, 0, "feed", party_names[party], person_id, NULL);
}

/* Of the feed, but for the MAC that is in the token. */
static void feed_signed(const struct feed *feed, unsigned char bytes[2 * ID_BYTES])
{
	memset(bytes, 0, 2 * ID_BYTES);
	id_decode(feed->id, bytes);
	id_decode(feed->nonce, bytes + ID_BYTES);
}

char *feed_url(struct arena *arena, const struct secret_ring *ring, const char *public_url,
	const struct feed *feed)
{
	unsigned char over[2 * ID_BYTES], bytes[FEED_BYTES];
	char token[FEED_TOKEN_SIZE];

	feed_signed(feed, over);
	memcpy(bytes, over, ID_BYTES);
	secret_mac(ring, SECRET_FEED, over, sizeof(over), bytes + ID_BYTES);
	base64url_encode(bytes, sizeof(bytes), token, sizeof(token));
	return arena_printf(arena, "%s/calendar/feed/%s.ics", public_url, token);
}

void feed_token_read(const char *token, char id_r[ID_SIZE])
{
	unsigned char bytes[FEED_BYTES];

	if (!base64url_decode(token, bytes, sizeof(bytes)))
		memset(bytes, 0, sizeof(bytes));
	id_encode(bytes, id_r);
}

bool feed_token_opens(const struct secret_ring *ring, const char *token, const struct feed *feed)
{
	unsigned char over[2 * ID_BYTES], bytes[FEED_BYTES];

	feed_signed(feed, over);
	return base64url_decode(token, bytes, sizeof(bytes)) &&
	       secret_mac_verify(ring, SECRET_FEED, over, sizeof(over), bytes + ID_BYTES);
}

/* ---- what is in it ---- */

static int64_t feed_today(int64_t now)
{
	return now - now % INSTANT_DAY;
}

int64_t feed_starts_from(int64_t now)
{
	return feed_today(now) - FEED_BACK;
}

bool feed_shows(const struct request *request, int64_t now)
{
	const struct meeting *meeting = request->meeting;

	return meeting && (meeting->status != MEETING_CANCELLED ||
				  meeting->ended_at >= feed_today(now) - FEED_CANCELLED_KEPT);
}

/* ---- its version ---- */

static const struct feed_change *feed_latest(const struct model_list *changes)
{
	return changes->count ? MODEL_AT(changes, struct feed_change, 0) : NULL;
}

/* The first whole second that is not before. */
static int64_t feed_second(int64_t at)
{
	return (at + INSTANT_SECOND - 1) / INSTANT_SECOND * INSTANT_SECOND;
}

struct feed_version feed_version(struct arena *arena, const struct feed *feed,
	const struct model_list *changes, const char *program, int64_t now)
{
	const struct feed_change *latest = feed_latest(changes);
	const int64_t at = latest ? latest->at : 0, today = feed_today(now);
	/* Whatever is stored from now on is dated later. */
	const bool settled = now >= at + 2 * FEED_SLACK;
	struct feed_version version = {0};
	char hash[HASH_SIZE];
	struct buf basis;
	bool whole = true;

	buf_init(&basis, FEED_BASIS);
	buf_addf(&basis, "%s %s %" PRId64 "\n", feed->nonce, program, today);
	MODEL_FOREACH (changes, struct feed_change, change) {
		if (change->at <= at - FEED_SLACK)
			break;
		whole = settled ||
			change != MODEL_AT(changes, struct feed_change, FEED_CHANGES - 1);
		buf_addf(&basis, "%s %" PRId64 " %" PRId64 "\n", change->id, change->at,
			settled ? 0 : change->rev);
	}
	hash_hex(basis.bytes, basis.len, hash);
	whole &= !basis.overflow;
	buf_fini(&basis);
	if (!whole)
		return version;
	version.etag = arena_printf(arena, "\"%" PRIx64 "-%.32s\"", (uint64_t)at, hash);
	if (settled)
		version.last_modified = at < today ? today : feed_second(at);
	return version;
}

/* The latest change of a version. */
static int64_t feed_etag_at(const char *etags)
{
	char *end;
	int64_t at;

	if (!etags)
		return 0;
	etags += strncmp(etags, "W/", 2) == 0 ? 2 : 0;
	if (*etags != '"')
		return 0;
	at = (int64_t)strtoll(etags + 1, &end, 16);
	return *end == '-' && at > 0 ? at : 0;
}

int64_t feed_changes_since(const struct feed *feed, const char *etags)
{
	const int64_t told = feed_etag_at(etags);
	const int64_t at = told > feed->seen_at ? told : feed->seen_at;

	return at > FEED_SLACK ? at - FEED_SLACK : 0;
}

bool feed_changes_suffice(const struct model_list *changes, int64_t since)
{
	return !since || (changes->count && feed_latest(changes)->at >= since + FEED_SLACK);
}

bool feed_note_seen(struct feed *feed, const struct model_list *changes)
{
	if (!changes->count || feed_latest(changes)->at < feed->seen_at + INSTANT_DAY)
		return false;
	feed->seen_at = feed_latest(changes)->at;
	return true;
}
