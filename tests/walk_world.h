#ifndef WALK_WORLD_H
#define WALK_WORLD_H
/*
 * The world outside, for the random lives of test_request_walk.c: providers that hold meetings
 * under our keys, and two people with a calendar each. They know nothing of the core's rules.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "effect.h"

enum { WORLD_LIVE = 24, WORLD_KEYS = 64, WORLD_REMINDERS = 64 };

/* A meeting that exists at a provider. */
struct world_meeting {
	const char *provider, *key, *external_id;
	int64_t starts_at, ends_at;
};

/* What somebody's calendar shows. */
struct world_calendar {
	bool invited;     /* it holds the meeting now */
	bool handed;      /* somebody was about to send an invitation, so it may hold one */
	const char *mail; /* the last that arrived, to know a repeat */
	int64_t sequence, starts_at;
	const char *provider, *facts;
};

struct world {
	struct arena *arena;
	struct world_meeting live[WORLD_LIVE];
	size_t live_count;
	const char *keys[WORLD_KEYS], *providers[WORLD_KEYS]; /* ever used, and where */
	size_t key_count;
	unsigned made;
	struct world_calendar calendars[2]; /* by party */
	bool refused;                       /* the client was told of a refusal */
	bool lapsed[2];                     /* that person was told that it lapsed */
	bool asked;                         /* the lawyer was told of the request */
	bool withdrawn;                     /* and that it was withdrawn */
	/* What each person was reminded of. */
	struct {
		int party;
		const char *mail;
		int64_t starts_at;
	} reminders[WORLD_REMINDERS];
	size_t reminder_count;
};

/* A link of jitsi's is made here: nothing is left at the provider. */
static inline bool world_keeps(const char *provider)
{
	return strcmp(provider, "jitsi") != 0;
}

/* By our key. */
static inline struct world_meeting *world_find(
	struct world *world, const char *provider, const char *key)
{
	struct world_meeting *live;

	for (live = world->live; live < world->live + world->live_count; live++)
		if (strcmp(live->key, key) == 0 && strcmp(live->provider, provider) == 0)
			return live;
	return NULL;
}

static inline void world_remove(struct world *world, struct world_meeting *live)
{
	if (live)
		*live = world->live[--world->live_count];
}

/* False when the key was used for another provider before. */
static inline bool world_use_key(struct world *world, const char *provider, const char *key)
{
	size_t i;

	for (i = 0; i < world->key_count; i++)
		if (strcmp(world->keys[i], key) == 0)
			return strcmp(world->providers[i], provider) == 0;
	if (world->key_count == WORLD_KEYS)
		return false;
	world->keys[world->key_count] = key;
	world->providers[world->key_count++] = provider;
	return true;
}

/* The one that exists, or a new one; NULL when there are absurdly many. */
static inline struct world_meeting *world_make(struct world *world, const char *provider,
	const char *key, int64_t starts_at, int64_t ends_at)
{
	struct world_meeting *live = world_find(world, provider, key);

	if (live || world->live_count == WORLD_LIVE)
		return live;
	live = &world->live[world->live_count++];
	*live = (struct world_meeting){
		.provider = provider,
		.key = key,
		.external_id = arena_printf(world->arena, "ext-%u", ++world->made),
		.starts_at = starts_at,
		.ends_at = ends_at,
	};
	return live;
}

/* A reminder arrives. It may arrive again; another one of the same start may not come more often
 * than there are times for it. */
static inline const char *world_remind(struct world *world, const struct effect *mail, size_t most)
{
	size_t i, same = 0;

	for (i = 0; i < world->reminder_count; i++) {
		if (strcmp(world->reminders[i].mail, mail->id) == 0)
			return NULL;
		same += world->reminders[i].party == mail->mail->party &&
			world->reminders[i].starts_at == mail->mail->starts_at;
	}
	if (world->reminder_count < WORLD_REMINDERS) {
		world->reminders[world->reminder_count].party = mail->mail->party;
		world->reminders[world->reminder_count].mail = mail->id;
		world->reminders[world->reminder_count++].starts_at = mail->mail->starts_at;
	}
	return same < most ? NULL : "nobody is reminded more often than the policy says";
}

/* A mail arrives. Returns what is wrong about that, or NULL. */
static inline const char *world_deliver(struct world *world, const struct effect *mail)
{
	struct world_calendar *calendar = &world->calendars[mail->mail->party];
	const bool repeat = calendar->mail && strcmp(calendar->mail, mail->id) == 0;
	const bool cancels = mail->kind == EFFECT_MAIL_MEETING_CANCELLED;

	if (mail->kind == EFFECT_MAIL_REQUEST_DECLINED) {
		world->refused = true;
		return NULL;
	}
	if (mail->kind == EFFECT_MAIL_REQUEST_LAPSED) {
		world->lapsed[mail->mail->party] = true;
		return NULL;
	}
	if (mail->kind == EFFECT_MAIL_MEETING_REMINDER)
		return world_remind(world, mail, 2);
	world->asked |= mail->kind == EFFECT_MAIL_REQUEST_RECEIVED;
	world->withdrawn |=
		mail->kind == EFFECT_MAIL_REQUEST_CANCELLED && mail->mail->party == PARTY_LAWYER;
	if (effect_row(mail)->calendar == CALENDAR_NONE)
		return NULL;
	if (!repeat && calendar->mail && mail->sequence <= calendar->sequence)
		return "SEQUENCE rises with every mail";
	if (mail->kind != EFFECT_MAIL_MEETING_READY && !calendar->handed)
		return "news go only to who may have been invited";
	calendar->mail = mail->id;
	calendar->sequence = mail->sequence;
	calendar->invited = !cancels;
	calendar->starts_at = mail->mail->starts_at;
	calendar->provider = mail->mail->provider;
	calendar->facts = mail->mail->facts;
	return NULL;
}
#endif
