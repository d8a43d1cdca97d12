#ifndef STORE_H
#define STORE_H
/*
 * MongoDB: the only folder that sees bson. One connection pool per process, opened after the fork;
 * every function is thread-safe and blocks for at most STORE_TIMEOUT_MS per round trip, and
 * STORE_SELECT_MS more when a server has to be found: nobody waits for longer than 3 s. Errors
 * everywhere: ERR_DATABASE_AWAY (retry later), ERR_INTERNAL (the database refused; logged).
 */
#include "conf.h"
#include "err.h"
#include "secret.h"

struct arena;
struct request;
struct store;

enum { STORE_TIMEOUT_MS = 2000, STORE_SELECT_MS = 900, STORE_RETRY_AFTER_S = 2 };

/* Whether the connection string can be used; opens nothing. ERR_CONFIG otherwise. */
enum err store_check_uri(const char *uri, struct err_info *info);

/* Does not connect yet. The ring seals what is secret at rest and is borrowed. */
enum err store_open(const struct conf *conf, const struct secret_ring *ring, int threads,
	struct store **store_r, struct err_info *info);
void store_close(struct store **store);

/*
 * How a request is shown to subscribers: a JSON object, in the arena. Set before the first change;
 * without it, as in a tool that changes no request, nobody is told of anything.
 */
typedef const char *store_view(
	void *data, struct arena *arena, const struct request *request, int64_t now);
void store_set_view(struct store *store, store_view *view, void *data);

/* The commands that round trips are counted by; the last one stands for all others.
 * NULL-terminated. */
extern const char *const store_command_names[];

enum err store_ping(struct store *store, struct err_info *info);

/* Creates the indexes, one for each queue of what is owed (NULL-terminated) among them; running it
 * again changes nothing. Waits for as long as it takes: where there are many requests, minutes. */
enum err store_init_indexes(struct store *store, const char *const *queues, struct err_info *info);
#endif
