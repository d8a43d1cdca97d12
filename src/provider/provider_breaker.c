#define _GNU_SOURCE /* gettid */
#include "provider_breaker.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "id.h"
#include "utf8.h"

enum {
	BREAKER_PROBE_MS = 60 * 1000,  /* whoever was let through and has not come back is dead */
	BREAKER_PROBE_WAIT_S = 5,      /* when to ask again while somebody else tries */
	BREAKER_MAX_OPEN_S = 24 * 3600 /* what a peer may ask for */
};

/* All zero is a free slot, and every state in between is a sound one: its owner may die. */
struct breaker_slot {
	char key[ID_SIZE];           /* a hash, so that its length does not matter */
	uint64_t used;               /* the larger, the later */
	int64_t opened_at, opens_at; /* ms; opens_at 0: closed */
	int64_t probe_at;            /* when probe was let through */
	pid_t probe;                 /* the thread that tries; 0: nobody */
	struct breaker_health health;
};

struct breaker_table {
	pthread_mutex_t mutex; /* comes first: the test dies holding it */
	uint64_t uses;
	struct breaker_slot slots[BREAKER_SLOTS];
};

const char *const breaker_state_names[] = {
	[BREAKER_CLOSED] = "closed",
	[BREAKER_OPEN] = "open",
	[BREAKER_HALF_OPEN] = "half_open",
};

struct breaker_table *breaker_table_new(void)
{
	struct breaker_table *table = mmap(
		NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;

	if (table == MAP_FAILED)
		return NULL;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&table->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return table;
}

void breaker_table_free(struct breaker_table **table)
{
	if (*table)
		munmap(*table, sizeof(**table));
	*table = NULL;
}

static void breaker_lock(struct breaker_table *table)
{
	if (pthread_mutex_lock(&table->mutex) == EOWNERDEAD)
		pthread_mutex_consistent(&table->mutex);
}

static struct breaker_slot *breaker_find(struct breaker_table *table, const char *key)
{
	struct breaker_slot *slot;

	for (slot = table->slots; slot < table->slots + BREAKER_SLOTS; slot++)
		if (strcmp(slot->key, key) == 0)
			return slot;
	return NULL;
}

/* The slot of the key, or else that of the key which was not used for longest. */
static struct breaker_slot *breaker_take(struct breaker_table *table, const char *key)
{
	struct breaker_slot *slot = breaker_find(table, key), *other;

	if (!slot) {
		slot = table->slots;
		for (other = table->slots; other < table->slots + BREAKER_SLOTS; other++)
			if (other->used < slot->used)
				slot = other;
		memset(slot, 0, sizeof(*slot));
		strcpy(slot->key, key);
	}
	slot->used = ++table->uses;
	return slot;
}

/* How much of [from, to) is left. A clock that was set back to long before does not prolong it;
 * callers that are late by less than a probe may take are no sign of that. */
static int64_t breaker_left_ms(int64_t from, int64_t to, int64_t now)
{
	return now < to && now >= from - BREAKER_PROBE_MS ? to - now : 0;
}

static enum breaker_state breaker_state_of(const struct breaker_slot *slot, int64_t now)
{
	if (!slot->opens_at)
		return BREAKER_CLOSED;
	return breaker_left_ms(slot->opened_at, slot->opens_at, now) ? BREAKER_OPEN
								     : BREAKER_HALF_OPEN;
}

static bool breaker_is_probed(const struct breaker_slot *slot, int64_t now)
{
	return slot->probe &&
	       breaker_left_ms(slot->probe_at, slot->probe_at + BREAKER_PROBE_MS, now);
}

/* 0: go ahead; otherwise the seconds to wait. */
static int64_t breaker_admit(struct breaker_slot *slot, int64_t now)
{
	switch (breaker_state_of(slot, now)) {
	case BREAKER_OPEN:
		return (breaker_left_ms(slot->opened_at, slot->opens_at, now) + 999) / 1000;
	case BREAKER_HALF_OPEN:
		if (breaker_is_probed(slot, now))
			return BREAKER_PROBE_WAIT_S;
		slot->probe_at = now;
		slot->probe = gettid();
		return 0;
	default:
		return 0;
	}
}

enum err breaker_enter(
	struct breaker_table *table, const char *key, int64_t now, struct err_info *info)
{
	int64_t wait_s;
	char hash[ID_SIZE];

	if (!table)
		return ERR_OK;
	id_derive(hash, NULL, 0, key, NULL);
	breaker_lock(table);
	wait_s = breaker_admit(breaker_take(table, hash), now);
	pthread_mutex_unlock(&table->mutex);
	if (wait_s == 0)
		return ERR_OK;
	err_set(info, ERR_UNAVAILABLE, "It failed and is not asked again yet.");
	if (info)
		info->retry_after_s = (int)wait_s;
	return ERR_UNAVAILABLE;
}

static void breaker_open(struct breaker_slot *slot, int64_t now, int64_t retry_after_s)
{
	slot->opened_at = now;
	slot->opens_at = now + (retry_after_s > 0 ? retry_after_s * 1000 : BREAKER_OPEN_MS);
}

static void breaker_settle(struct breaker_slot *slot, int64_t now, enum err outcome,
	int64_t retry_after_s, bool probed)
{
	switch (outcome) {
	case ERR_OK:
	case ERR_GONE:
	case ERR_PERMANENT:
		slot->health.failures = 0;
		slot->opens_at = 0;
		break;
	case ERR_TEMPORARY:
	case ERR_OUTCOME_UNKNOWN:
		slot->health.failures++;
		/* Once open, only the one that was let through has anything new to say. */
		if (probed || (!slot->opens_at && slot->health.failures >= BREAKER_FAILURES))
			breaker_open(slot, now, retry_after_s);
		break;
	case ERR_CREDENTIAL:
		breaker_open(slot, now, retry_after_s);
		break;
	case ERR_UNAVAILABLE:
		if (retry_after_s > 0) {
			slot->health.failures += probed || !slot->opens_at;
			breaker_open(slot, now, retry_after_s);
		}
		break;
	default: /* trouble of our own says nothing about the provider */
		break;
	}
}

/* That it has no such meeting is an answer as good as any. */
static void breaker_note(
	struct breaker_health *health, int64_t now, enum err outcome, const char *detail)
{
	size_t len;

	switch (outcome) {
	case ERR_OK:
	case ERR_GONE:
		health->last_ok_at = now;
		return;
	case ERR_PERMANENT:
	case ERR_TEMPORARY:
	case ERR_OUTCOME_UNKNOWN:
	case ERR_CREDENTIAL:
	case ERR_UNAVAILABLE:
		break;
	default:
		return;
	}
	len = utf8_prefix(detail, sizeof(health->last_error_detail) - 1);
	health->last_error_at = now;
	health->last_error = outcome;
	memcpy(health->last_error_detail, detail, len);
	health->last_error_detail[len] = '\0';
}

void breaker_leave(struct breaker_table *table, const char *key, int64_t now, enum err outcome,
	int64_t retry_after_s, const char *detail)
{
	struct breaker_slot *slot;
	char hash[ID_SIZE];
	bool probed;

	if (!table)
		return;
	if (retry_after_s > BREAKER_MAX_OPEN_S)
		retry_after_s = BREAKER_MAX_OPEN_S;
	id_derive(hash, NULL, 0, key, NULL);
	breaker_lock(table);
	slot = breaker_take(table, hash);
	probed = slot->probe == gettid();
	if (probed)
		slot->probe = 0;
	breaker_settle(slot, now, outcome, retry_after_s, probed);
	breaker_note(&slot->health, now, outcome, detail ? detail : "");
	pthread_mutex_unlock(&table->mutex);
}

void breaker_read(
	struct breaker_table *table, const char *key, int64_t now, struct breaker_health *health_r)
{
	const struct breaker_slot *slot;
	char hash[ID_SIZE];

	*health_r = (struct breaker_health){0};
	if (!table)
		return;
	id_derive(hash, NULL, 0, key, NULL);
	breaker_lock(table);
	slot = breaker_find(table, hash);
	if (slot) {
		*health_r = slot->health;
		health_r->state = breaker_state_of(slot, now);
		health_r->probing = breaker_is_probed(slot, now);
	}
	pthread_mutex_unlock(&table->mutex);
}
