#ifndef ACTOR_H
#define ACTOR_H
/* Who does something: a person or program behind a bearer token, or the system itself. */
#include <stdbool.h>

enum role { ROLE_CLIENT, ROLE_LAWYER, ROLE_ADMIN, ROLE_SERVICE, ROLE_SYSTEM };

/* A set of roles, as `1 << ROLE_...`. */
#define ROLE_SET(role) (1u << (role))

enum {
	FOR_CLIENT = 1 << ROLE_CLIENT,
	FOR_LAWYER = 1 << ROLE_LAWYER,
	FOR_ADMIN = 1 << ROLE_ADMIN,
	FOR_SERVICE = 1 << ROLE_SERVICE,
	FOR_ALL = FOR_CLIENT | FOR_LAWYER | FOR_ADMIN | FOR_SERVICE,
};

/* The two sides of a request. */
enum party { PARTY_CLIENT, PARTY_LAWYER, PARTY_COUNT };

struct actor {
	const char *id;
	enum role role;
	const char *name;  /* may be NULL */
	const char *email; /* may be NULL */
};

/* Whether it can be the id of a person or program, which the host application gives: 1 to 128
 * printable ASCII characters without spaces. "." and ".." are none, since no path can name them
 * (RFC 3986 section 6.2.2.3), not even encoded. */
bool actor_id_valid(const char *id);

extern const char *const role_names[];  /* NULL-terminated, indexed by enum role */
extern const char *const party_names[]; /* likewise */
extern const enum role party_roles[PARTY_COUNT];
#endif
