#ifndef PROVIDER_REFUSAL_H
#define PROVIDER_REFUSAL_H
/* What a provider refuses by name: said, and left out where a meeting can do without it. All here
 * is about one reply; nothing is asked. */
#include "provider.h"
#include "rest.h"

/* The provider's own error; all "" and nothing refused where it says none. Borrows from the reply
 * and lives in the arena. */
void provider_refusal_read(const struct provider_call *call, const struct rest_reply *reply,
	struct provider_error *error_r);

/* What it said, for administrators: code, message and what it says of each member, cleaned
 * (clean_text). */
void provider_refusal_reason(
	struct arena *arena, const struct provider_error *error, char reason_r[CLEAN_SIZE]);

/* The first member of the JSON `body` that was sent (NULL: none was) which the error names, as a
 * path; NULL when it names none. It is never the provider's text, so people may read it. */
const char *provider_refusal_member(
	const struct provider_call *call, const struct provider_error *error, const char *body);

/* Leaves out of *body what the reply (400 or 422) refuses by name, notes that in call->left_out,
 * and says true; false when there is nothing, or something that a meeting cannot do without. Each
 * true makes the body smaller, or changes one of its values for the last time. `makes`: what is
 * sent makes something new. */
bool provider_refusal_yield(const struct provider_call *call, const struct rest_reply *reply,
	bool makes, const char **body);
#endif
