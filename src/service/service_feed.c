#include "service_feed.h"

#include <string.h>

#include "service_private.h"

/* Of two calls at once one meets what the other has stored. */
enum { SERVICE_FEED_TRIES = 8 };

static enum party service_feed_party(const struct service_call *call)
{
	return call->caller.role == ROLE_LAWYER ? PARTY_LAWYER : PARTY_CLIENT;
}

static struct feed *service_new_feed(const struct service_call *call)
{
	struct feed *feed = arena_alloc(call->arena, sizeof(*feed));
	const enum party party = service_feed_party(call);
	char id[ID_SIZE], nonce[ID_SIZE];

	feed_id(party, call->caller.id, id);
	id_random(nonce);
	*feed = (struct feed){
		.id = arena_strdup(call->arena, id),
		.party = party,
		.person_id = call->caller.id,
		.nonce = arena_strdup(call->arena, nonce),
		.key = service_answer_key(call, "calendar.feed", ""),
		.created_at = call->now,
	};
	return feed;
}

static bool service_feed_is_of_call(const struct feed *feed, const struct service_call *call)
{
	return strcmp(feed->key, service_answer_key(call, "calendar.feed", "")) == 0 &&
	       call->now - feed->created_at < REQUEST_ANSWER_KEPT;
}

enum err service_feed_rotate(const struct service *service, const struct service_call *call,
	struct feed **feed_r, bool *replayed_r, struct err_info *info)
{
	struct feed *former;
	enum err err;
	int i;

	*replayed_r = false;
	*feed_r = service_new_feed(call);
	for (i = 0; i < SERVICE_FEED_TRIES; i++) {
		err = store_feed_load(service->store, call->arena, (*feed_r)->id, &former, info);
		if (err == ERR_NOT_FOUND)
			former = NULL;
		else if (err != ERR_OK)
			return err;
		if (former && service_feed_is_of_call(former, call)) {
			*feed_r = former;
			*replayed_r = call->idempotency_key != NULL;
			return ERR_OK;
		}
		err = store_feed_save(service->store, call->arena, *feed_r, former, info);
		if (err != ERR_CONFLICT)
			return err;
	}
	return err_set(info, ERR_BUSY, "Others are changing it at this very moment.");
}

enum err service_feed_revoke(
	const struct service *service, const struct service_call *call, struct err_info *info)
{
	char id[ID_SIZE];

	feed_id(service_feed_party(call), call->caller.id, id);
	return store_feed_remove(service->store, id, info);
}

/* What has changed since the caller came last, or the latest of all. */
static enum err service_feed_changes(const struct service *service, const struct service_call *call,
	struct feed *feed, const char *etags, struct model_list *changes_r, struct err_info *info)
{
	const int64_t since = feed_changes_since(feed, etags);
	enum err err;

	err = store_feed_changes(service->store, call->arena, feed, since, changes_r, info);
	if (err == ERR_OK && !feed_changes_suffice(changes_r, since))
		err = store_feed_changes(service->store, call->arena, feed, 0, changes_r, info);
	/* It only saves work. */
	if (err == ERR_OK && feed_note_seen(feed, changes_r))
		(void)store_feed_note(service->store, feed, NULL);
	return err;
}

enum err service_feed_open(const struct service *service, const struct service_call *call,
	const char *token, const char *etags, const char *program, struct feed **feed_r,
	struct feed_version *version_r, struct err_info *info)
{
	static const struct feed nobodys = {.id = "", .nonce = ""};
	const struct feed *named = &nobodys;
	struct model_list changes;
	char id[ID_SIZE];
	enum err err;

	feed_token_read(token, id);
	err = store_feed_load(service->store, call->arena, id, feed_r, info);
	if (err == ERR_OK)
		named = *feed_r;
	else if (err != ERR_NOT_FOUND)
		return err;
	/* One that is none, or nobody's, takes as long as one that was revoked. */
	if (!feed_token_opens(service->ring, token, named) || named == &nobodys)
		return err_set(info, ERR_NOT_FOUND, "This link is not known.");
	err = service_feed_changes(service, call, *feed_r, etags, &changes, info);
	if (err == ERR_OK)
		*version_r = feed_version(call->arena, named, &changes, program, call->now);
	return err;
}

struct service_feed_work {
	int64_t now;
	store_feed_row *row;
	void *data;
};

static bool service_feed_row(void *data, struct arena *arena, const struct request *request)
{
	const struct service_feed_work *work = data;

	return !feed_shows(request, work->now) || work->row(work->data, arena, request);
}

enum err service_feed_read(const struct service *service, const struct feed *feed, int64_t now,
	store_feed_row *row, void *data, int64_t *left_out_r, struct err_info *info)
{
	struct service_feed_work work = {now, row, data};

	return store_feed_read(service->store, feed, feed_starts_from(now), service_feed_row, &work,
		left_out_r, info);
}
