#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "provider_token.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

enum {
	TOKEN_ENTRIES = 32,
	TOKEN_POLL_MS = 100,
	TOKEN_MARK_MS = 1000,       /* the lease of marking a token as refused */
	TOKEN_GRANT_MS = 10 * 1000, /* of the lease; the rest is for storing what was granted */
	TOKEN_SAVES = 5,
	TOKEN_MAX_LIFE_S = 24 * 3600
};

/* What this process knows of one (provider, credentials). */
struct token_entry {
	struct arena *arena; /* of the texts; NULL: free */
	const char *id;
	struct provider_token token;   /* as stored, the newest that was seen */
	struct provider_token granted; /* could not be stored yet, so it must not be used */
	const char *refused;           /* access token */
	struct err_info failure;       /* of the last attempt to renew */
	int64_t failed_us;             /* when; 0: it did not fail */
	uint64_t renewed;              /* how often another token was seen */
	uint64_t used;                 /* the larger, the later */
	bool busy;                     /* a thread is renewing */
};

static pthread_mutex_t token_mutex = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static pthread_cond_t token_settled = PTHREAD_COND_INITIALIZER; /* a thread has stopped renewing */
static struct token_entry token_entries[TOKEN_ENTRIES];
static uint64_t token_uses;

/* One call of provider_token_get. */
struct token_work {
	const struct provider_call *call;
	const struct provider_token_store *store;
	const char *id;
	int64_t began_us;
	uint64_t renewed; /* of the entry at the beginning; UINT64_MAX: not looked at yet */
	struct token_entry *entry; /* while this thread is the one that renews */
	struct provider_token token, granted;
	const char *refused;
	bool late; /* there was no time: no failure that concerns others */
};

/* The caller's own `now`, and what has passed since. */
static int64_t token_now(const struct token_work *work)
{
	return work->call->now + (clock_monotonic_us() - work->began_us) / 1000;
}

static bool token_time_is_up(const struct token_work *work)
{
	return clock_monotonic_us() >= work->call->until_us;
}

static void token_pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = TOKEN_POLL_MS * 1000000L}, NULL);
}

static bool token_equal(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* How long it can be used, in ms; 0: not at all. */
static int64_t token_left_ms(const struct provider_token *token, const char *refused, int64_t now)
{
	if (!token->access_token || token->expires_at <= now ||
		token_equal(token->access_token, refused))
		return 0;
	return token->expires_at - now;
}

static struct provider_token token_copy(struct arena *arena, const struct provider_token *token)
{
	return (struct provider_token){
		.access_token = arena_strdup(arena, token->access_token),
		.refresh_token = arena_strdup(arena, token->refresh_token),
		.base_url = arena_strdup(arena, token->base_url),
		.scope = arena_strdup(arena, token->scope),
		.expires_at = token->expires_at,
		.rev = token->rev,
	};
}

/* ---- what threads of this process share; all under token_mutex ---- */

/* The entry of the id, or else that of the idle one which was not used for longest. NULL: none is
 * idle. */
static struct token_entry *token_entry(const char *id)
{
	struct token_entry *oldest = NULL, *entry;

	for (entry = token_entries; entry < token_entries + TOKEN_ENTRIES; entry++) {
		if (token_equal(entry->id, id)) {
			entry->used = ++token_uses;
			return entry;
		}
		if (!entry->busy && (!oldest || entry->used < oldest->used))
			oldest = entry;
	}
	if (!oldest)
		return NULL;
	arena_free(&oldest->arena);
	*oldest = (struct token_entry){.arena = arena_new(), .used = ++token_uses};
	oldest->id = arena_strdup(oldest->arena, id);
	return oldest;
}

/* Between two grants when the first has failed with `err`. What may pass is asked for again as soon
 * as the rules try again (backoff_delay_ms); a refusal is not likely to. */
static int64_t token_pause_ms(enum err err)
{
	return err == ERR_TEMPORARY ? 100 : 1000;
}

enum token_turn { TOKEN_WAIT, TOKEN_DONE, TOKEN_MINE };

/* DONE: *err_r is the answer, and with ERR_OK work->token. MINE: this thread renews. */
static enum token_turn token_take_turn(
	struct token_work *work, enum err *err_r, struct err_info *info)
{
	struct arena *arena = work->call->arena;
	struct token_entry *entry = token_entry(work->id);
	bool failed, changed;
	int64_t left;

	if (!entry)
		return TOKEN_WAIT;
	if (work->renewed == UINT64_MAX)
		work->renewed = entry->renewed;
	failed = entry->failed_us && clock_monotonic_us() - entry->failed_us <
					     token_pause_ms(entry->failure.err) * 1000;
	changed = entry->renewed != work->renewed;
	left = token_left_ms(&entry->token, entry->refused, token_now(work));
	if (left > PROVIDER_TOKEN_EARLY_MS || (left > 0 && (entry->busy || failed || changed))) {
		work->token = token_copy(arena, &entry->token);
		*err_r = ERR_OK;
		return TOKEN_DONE;
	}
	if (entry->busy)
		return TOKEN_WAIT;
	if (failed) {
		*info = entry->failure;
		*err_r = info->err;
		return TOKEN_DONE;
	}
	entry->busy = true;
	work->entry = entry;
	work->token = token_copy(arena, &entry->token);
	work->granted = token_copy(arena, &entry->granted);
	work->refused = arena_strdup(arena, entry->refused);
	return TOKEN_MINE;
}

static enum token_turn token_begin(struct token_work *work, enum err *err_r, struct err_info *info)
{
	const int64_t until_us = work->call->until_us > 0 ? work->call->until_us : 0;
	const struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};
	enum token_turn turn;
	int waited = 0;

	pthread_mutex_lock(&token_mutex);
	while ((turn = token_take_turn(work, err_r, info)) == TOKEN_WAIT && waited != ETIMEDOUT)
		waited = pthread_cond_clockwait(
			&token_settled, &token_mutex, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&token_mutex);
	return turn;
}

/* Shares what came of renewing. */
static void token_end(const struct token_work *work, enum err err, const struct err_info *info)
{
	struct token_entry *entry = work->entry;
	struct arena *arena = arena_new();

	pthread_mutex_lock(&token_mutex);
	if (!token_equal(entry->token.access_token, work->token.access_token))
		entry->renewed++;
	entry->id = arena_strdup(arena, entry->id);
	entry->token = token_copy(arena, &work->token);
	entry->token.refresh_token = NULL;
	entry->granted = token_copy(arena, &work->granted);
	entry->refused = arena_strdup(arena, entry->refused);
	entry->failed_us = err == ERR_OK || work->late ? 0 : clock_monotonic_us();
	entry->failure = *info;
	entry->failure.err = err;
	arena_free(&entry->arena);
	entry->arena = arena;
	entry->busy = false;
	pthread_cond_broadcast(&token_settled);
	pthread_mutex_unlock(&token_mutex);
}

/* ---- renewing, by one thread of the process ---- */

static enum err token_late(struct token_work *work, struct err_info *info)
{
	work->late = true;
	return err_set(info, ERR_TEMPORARY, "%s: Access to it could not be renewed in time.",
		work->call->provider->title);
}

/* Stores what was granted, before anybody uses it: with the access token that a rotated refresh
 * token came with, the old refresh token may already be worthless (PROVIDERS.md section 2.1). */
static enum err token_keep(struct token_work *work, struct err_info *info)
{
	const struct provider_token_store *store = work->store;
	struct arena *arena = work->call->arena;
	struct provider_token stored;
	enum err err = ERR_OK;
	int tries;

	for (tries = 0; tries < TOKEN_SAVES; tries++) {
		/* The save may have got through, or somebody else was faster; the newest wins. */
		if (err != ERR_OK) {
			if (token_time_is_up(work))
				break;
			token_pause();
			err = store->load(store->data, arena, work->id, &stored, info);
			if (err != ERR_OK)
				continue;
			work->token = stored;
			work->granted.rev = stored.rev;
			if (stored.expires_at >= work->granted.expires_at)
				break;
		}
		err = store->save(store->data, arena, work->id, &work->granted, info);
		if (err == ERR_OK) {
			work->token = work->granted;
			break;
		}
	}
	if (err == ERR_OK)
		work->granted = (struct provider_token){0};
	else
		log_warning("provider %s: a new token could not be stored: %s",
			work->call->provider->name, info->detail);
	return err == ERR_CONFLICT ? token_late(work, info) : err;
}

/* Nothing that came of asking for a token may be taken for an answer about a meeting. */
static enum err token_class(enum err err)
{
	switch (err) {
	case ERR_TEMPORARY:
	case ERR_OUTCOME_UNKNOWN:
		return ERR_TEMPORARY;
	case ERR_UNAVAILABLE:
		return ERR_UNAVAILABLE;
	default:
		return ERR_CREDENTIAL;
	}
}

/* With the lease in hand, which ends at `until`. */
static enum err token_grant(struct token_work *work, int64_t until, struct err_info *info)
{
	const int64_t enough_us = clock_monotonic_us() + TOKEN_GRANT_MS * INT64_C(1000);
	struct provider_token *token = &work->token;
	struct provider_call call = *work->call;
	struct provider_grant grant;
	bool again = token->refresh_token != NULL;
	int64_t life_s;
	enum err err;

	if (call.until_us > enough_us)
		call.until_us = enough_us;
	for (;;) {
		grant = (struct provider_grant){0};
		call.now = token_now(work);
		err = call.provider->grant(&call, token->refresh_token, &grant, info);
		/* A rotated refresh token may be lost on the way; for a short while the old one
		 * brings another. */
		if (err != ERR_OUTCOME_UNKNOWN || !again || token_time_is_up(work))
			break;
		again = false;
	}
	metrics_count(METRIC_TOKENS, provider_index(call.provider), err, 0);
	if (err != ERR_OK) {
		/* Shortens the lease: others need not wait for its end, but do not storm. */
		work->store->lease(work->store->data, work->id, token, until,
			clock_now_ms() + token_pause_ms(token_class(err)), NULL);
		log_warning("provider %s: no new token: %s", call.provider->name,
			provider_told(call.arena, info));
		return token_class(err);
	}
	life_s = grant.expires_in_s < TOKEN_MAX_LIFE_S ? grant.expires_in_s : TOKEN_MAX_LIFE_S;
	work->granted = (struct provider_token){
		.access_token = grant.access_token,
		.refresh_token = grant.refresh_token ? grant.refresh_token : token->refresh_token,
		.base_url = grant.base_url,
		.scope = grant.scope,
		.expires_at = call.now + (life_s > 0 ? life_s * 1000 : 0),
		.rev = token->rev,
	};
	return token_keep(work, info);
}

/* Until there is a token: somebody else's, or one that this thread was granted. */
static enum err token_renew(struct token_work *work, struct err_info *info)
{
	const struct provider_token_store *store = work->store;
	struct provider_token stored;
	const char *before = NULL;
	int64_t left, now;
	enum err err;

	if (work->granted.access_token) {
		err = token_keep(work, info);
		if (err != ERR_OK || token_left_ms(&work->token, NULL, token_now(work)) > 0)
			return err;
	}
	for (;;) {
		err = store->load(store->data, work->call->arena, work->id, &stored, info);
		if (err != ERR_OK)
			return err;
		work->token = stored;
		left = token_left_ms(&work->token, work->refused, token_now(work));
		if (left > PROVIDER_TOKEN_EARLY_MS ||
			(left > 0 && before && !token_equal(work->token.access_token, before)))
			return ERR_OK;
		if (token_time_is_up(work))
			return token_late(work, info);
		now = clock_now_ms();
		err = store->lease(store->data, work->id, &work->token, now,
			now + PROVIDER_TOKEN_LEASE_MS, info);
		if (err == ERR_OK)
			return token_grant(work, now + PROVIDER_TOKEN_LEASE_MS, info);
		if (err != ERR_CONFLICT || left > 0)
			return err;
		before = work->token.access_token ? work->token.access_token : "";
		token_pause();
	}
}

enum err provider_token_get(
	const struct provider_call *call, struct provider_token *token_r, struct err_info *info)
{
	struct token_work work = {
		.call = call,
		.store = call->tokens,
		.id = provider_credential_id(call),
		.began_us = clock_monotonic_us(),
		.renewed = UINT64_MAX,
	};
	struct err_info own;
	enum err err = ERR_OK;

	if (!info)
		info = &own;
	err_clear(info);
	switch (token_begin(&work, &err, info)) {
	case TOKEN_WAIT:
		err = token_late(&work, info);
		break;
	case TOKEN_MINE:
		err = token_renew(&work, info);
		token_end(&work, err, info);
		break;
	case TOKEN_DONE:
		break;
	}
	/* What is not over yet serves while there is no other. */
	if (token_left_ms(&work.token, work.refused, token_now(&work)) > 0)
		err = ERR_OK;
	if (err == ERR_OK)
		err_clear(info);
	info->err = err;
	*token_r = work.token;
	token_r->refresh_token = NULL;
	return err;
}

void provider_token_refused(const struct provider_call *call, const char *access_token)
{
	const struct provider_token_store *store = call->tokens;
	const char *id = provider_credential_id(call);
	struct provider_token token;
	struct token_entry *entry;
	int64_t now;

	pthread_mutex_lock(&token_mutex);
	entry = token_entry(id);
	if (entry && !token_equal(entry->refused, access_token))
		entry->refused = arena_strdup(entry->arena, access_token);
	pthread_mutex_unlock(&token_mutex);

	if (store->load(store->data, call->arena, id, &token, NULL) != ERR_OK ||
		!token_equal(token.access_token, access_token) || token.expires_at == 0)
		return;
	/* To save ends the lease, so it must be ours: whoever else has it is renewing already. */
	now = clock_now_ms();
	if (store->lease(store->data, id, &token, now, now + TOKEN_MARK_MS, NULL) != ERR_OK)
		return;
	token.expires_at = 0;
	if (store->save(store->data, call->arena, id, &token, NULL) != ERR_OK)
		log_warning(
			"provider %s: a refused token could not be marked", call->provider->name);
}

void provider_token_forget(void)
{
	struct token_entry *entry;

	pthread_mutex_lock(&token_mutex);
	for (entry = token_entries; entry < token_entries + TOKEN_ENTRIES; entry++) {
		if (entry->busy)
			continue;
		arena_free(&entry->arena);
		*entry = (struct token_entry){0};
	}
	pthread_mutex_unlock(&token_mutex);
}
