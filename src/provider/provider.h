#ifndef PROVIDER_H
#define PROVIDER_H
/*
 * THE PROVIDER TABLE. A provider is one file of static functions and one exported const struct;
 * a NULL slot means "not supported".
 */
#include <stdbool.h>

#include "conf.h"
#include "request.h"

struct provider {
	const char *name;  /* in the API: "jitsi" */
	const char *title; /* for people: "Jitsi Meet" */

	/* `create` needs no network: it is done inside the transition, accepted and ready at once.
	 */
	bool local;

	/* Whether the settings can be used; called once at start. ERR_CONFIG. */
	enum err (*check)(const struct conf *conf, struct err_info *info);

	/*
	 * Makes the meeting of request->meeting; safe to repeat, because everything it makes is
	 * named by meeting->provider_key. Strings of the link live in the arena. May block, with a
	 * timeout. ERR_TEMPORARY or ERR_PERMANENT, with words a lawyer understands.
	 */
	enum err (*create)(const struct conf *conf, struct arena *arena,
		const struct request *request, struct meeting_link *link_r, struct err_info *info);

	/* Where the gate sends one person; NULL slot: meeting->provider_url as it stands. Does not
	 * block. The result may hold a credential: never stored, never logged. */
	enum err (*personal_url)(const struct conf *conf, struct arena *arena,
		const struct request *request, enum party party, int64_t now, const char **url_r,
		struct err_info *info);
};

extern const struct provider *const provider_table[]; /* NULL-terminated */

/* NULL when there is no provider of that name. */
const struct provider *provider_find(const char *name);
#endif
