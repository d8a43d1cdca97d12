/* A way to write an object by the rows of its model; each is a shared object of its own, since two
 * libraries have functions of one name. */
#include "model.h"

/* The text lives until the next call, or until free() of it when *owned_r. */
typedef const char *json_writer(
	const struct model *model, const void *object, unsigned flags, bool *owned_r);
json_writer json_write;

/* instant_format() of the program. */
extern void (*json_format_instant)(int64_t instant, bool with_ms, char *text_r);
