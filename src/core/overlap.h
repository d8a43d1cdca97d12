#ifndef OVERLAP_H
#define OVERLAP_H
/*
 * Meetings of one lawyer that take the same time. What would take it is refused, unless the caller
 * says otherwise. Two that take it at the same moment cannot see each other; so who has taken time
 * owes a second look (EFFECT_MEETING_OVERLAPS), and whoever finds the other then has it look, too.
 * A request that says that it overlaps another is known to that other before it says so: when
 * either moves or ends, both look again.
 */
#include "request.h"

enum { OVERLAP_MOST = 20 }; /* others that are looked at */

/* [from, to); equal: none. */
struct span {
	int64_t from, to;
};

/* What another request of a lawyer takes, as the database has it. */
struct taken {
	const char *id, *title;
	int64_t starts_at, ends_at;
	struct taken_meeting {
		int status; /* enum meeting_status */
	} * meeting;
	struct model_list overlaps, overlaps_allowed; /* as in struct request */
};

extern const struct model taken_model;

/* The time that it takes of its lawyer's: of what is accepted, its meeting pending, ready or
 * failed.
 */
struct span overlap_span(const struct request *request);

/* Whether that is, or was, somebody's time: its meeting took place, or is going to. */
bool overlap_is_taken(const struct taken *taken);

/* The longest that a meeting can be: what overlaps an instant begins no earlier than that before.
 */
#define OVERLAP_LONGEST INSTANT_DAY

/* Whether it takes time now that it did not take before. */
bool overlap_takes_more(const struct span *before, const struct request *request);

/*
 * A rule for the change that makes a request take more time than `before`, or less: `others`
 * (struct taken) are those of its lawyer that take time then, the request itself may be among them.
 * ERR_OVERLAPS names the first of them, unless `allow`: then they are remembered as allowed.
 */
enum err overlap_check(struct cause *cause, struct request *request, const struct span *before,
	const struct model_list *others, bool allow, struct err_info *info);

/* A second look is owed by `due`; it is taken by whoever has the request in hand before. `by`:
 * another that says that it overlaps this one; or NULL. */
void overlap_owe(struct cause *cause, struct request *request, const char *by, int64_t due);

/* Which of `others` (struct taken) it overlaps and was not allowed to: struct taken. */
struct model_list overlap_find(
	struct arena *arena, const struct request *request, const struct model_list *others);

/* The look was taken: notes who was found (struct taken), for the lawyer as a warning. */
void overlap_note(struct cause *cause, struct request *request, const struct model_list *found);

/* Whether an id is in a list of strings. */
bool overlap_lists(const struct model_list *ids, const char *id);
#endif
