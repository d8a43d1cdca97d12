#ifndef PROVIDER_BREAKER_H
#define PROVIDER_BREAKER_H
/*
 * Circuit breakers, one for each (provider, credentials), in memory that the processes of a host
 * share: opens after 5 temporary or unknown failures in a row, or a refused credential; then lets
 * one call through after 60 s, or when the provider said to come back (PROVIDERS.md section 8).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { BREAKER_FAILURES = 5, BREAKER_OPEN_MS = 60 * 1000, BREAKER_SLOTS = 64 };

struct breaker_table;

/* The key of the mail server, which the dispatcher tries one mail at a time while it is not closed.
 */
#define BREAKER_MAIL "mail"

/* Memory for the table, anonymous and shared with children; NULL when there is none. Before the
 * first fork. A process that dies inside does not lock out the others. */
struct breaker_table *breaker_table_new(void);
void breaker_table_free(struct breaker_table **table);

/* ERR_OK: go ahead, and call breaker_leave afterwards, in the same thread. ERR_UNAVAILABLE with
 * retry_after_s: open. `table` may be NULL here and below: always closed. */
enum err breaker_enter(
	struct breaker_table *table, const char *key, int64_t now, struct err_info *info);

/* What came of it. ERR_OK, ERR_PERMANENT and ERR_GONE are answers of a living provider;
 * ERR_TEMPORARY and ERR_OUTCOME_UNKNOWN count; ERR_CREDENTIAL, and ERR_UNAVAILABLE with
 * retry_after_s, open at once; anything else changes nothing. */
void breaker_leave(struct breaker_table *table, const char *key, int64_t now, enum err outcome,
	int64_t retry_after_s, const char *detail);

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
extern const char *const breaker_state_names[];

struct breaker_health {
	enum breaker_state state;
	bool probing;                      /* half open, and one is on its way */
	int64_t failures;                  /* in a row, and of who tried since it opened */
	int64_t last_ok_at, last_error_at; /* ms; 0 = never */
	enum err last_error;
	char last_error_detail[1536]; /* for administrators (provider_told) */
};

/* Zeroed (closed) for a key that was never used, or not for BREAKER_SLOTS other keys. */
void breaker_read(
	struct breaker_table *table, const char *key, int64_t now, struct breaker_health *health_r);
#endif
