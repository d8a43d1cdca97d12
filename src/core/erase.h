#ifndef ERASE_H
#define ERASE_H
/*
 * Erasing a person: name and address leave a request, and with them every text that somebody wrote
 * and that may hold either. The events stay as they are, since they name people by id only.
 */
#include <stdbool.h>

#include "request.h"

/*
 * Takes a person out of a request, whatever its status: in place of the name stands "Erased
 * person", in place of the address one that reaches nobody. Mails owed to the person are dropped,
 * and so are answers kept for repeats, which show both people. A meeting that a provider has gets
 * the new title there, of which nobody is told. False, and nothing is changed, when the person is
 * none of the two or there is nothing (more) to erase.
 */
bool erase_person(struct cause *cause, struct request *request, const char *person_id);

/* Whether that has happened to a request since then, even if there is more to erase by now. Looks
 * at the events that the document holds: `since` is not long ago. */
bool erase_was_done(const struct request *request, const char *person_id, int64_t since);

/* Whether a person has been erased: there is nobody to be told anything. */
bool erase_is_done(const struct person *person);
#endif
