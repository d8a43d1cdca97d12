#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H
/*
 * One guarded change: load -> rule -> what subscribers are told -> guarded write -> wake a
 * dispatcher. When somebody else was
 * faster it is decided again on what is stored by then, after a random pause, so that those who
 * collide do not collide again; eight times within a second, and then others have the thread. Every
 * change that a rule decides goes through here.
 */
#include "config.h"
#include "fault.h"
#include "store_request.h"

/*
 * Decides on a freshly loaded request. What it makes lives in `arena`, which is that of this try
 * alone: all of it is gone when there is another. *changed_r, true before, says false when nothing
 * is to be stored. An error ends the change.
 */
typedef enum err store_rule(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info);

struct store_change {
	struct store *store;
	int wake_fd; /* eventfd of the dispatchers of this host */
	const char *id;
	struct request *loaded; /* what the caller has loaded already; the first try uses it up */
	enum store_depth depth; /* STORE_WHOLE, or STORE_END */
	store_rule *rule;
	void *data;
	const struct config *config; /* that the caller has loaded already; or NULL */
	enum fault before_save, after_save;

	int tries; /* 0: many */
	/* What is decided has been done already: the database is waited for. Until
	 * clock_monotonic_us() is until_us, when that is set: somebody waits for the answer. */
	bool patient;
	int64_t until_us;
};

/* The last try's arena lives on in `arena`. ERR_CONFLICT when there was one try, ERR_BUSY when
 * somebody else was faster every time; *request_r (may be NULL) is as stored. */
enum err store_request_change(const struct store_change *change, struct arena *arena,
	struct request **request_r, struct err_info *info);

/* The same for the configuration, *changed_r false before. *config_r is what holds now. */
typedef enum err store_config_rule(void *data, struct arena *arena, struct config *config,
	bool *changed_r, struct err_info *info);
enum err store_config_change(struct store *store, struct arena *arena, store_config_rule *rule,
	void *data, struct config **config_r, struct err_info *info);
#endif
