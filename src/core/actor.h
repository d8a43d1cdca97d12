#ifndef ACTOR_H
#define ACTOR_H
/* Who does something: a person or program behind a bearer token, or the system itself. */

enum role { ROLE_CLIENT, ROLE_LAWYER, ROLE_ADMIN, ROLE_SERVICE, ROLE_SYSTEM };

/* A set of roles, as `1 << ROLE_...`. */
#define ROLE_SET(role) (1u << (role))

struct actor {
	const char *id;
	enum role role;
	const char *name;  /* may be NULL */
	const char *email; /* may be NULL */
};

extern const char *const role_names[]; /* NULL-terminated, indexed by enum role */
#endif
