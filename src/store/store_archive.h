#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H
/* The archives of audit trails (audit.h): what the documents themselves do not hold any more.
 * Blocks as store.h says. */
#include "audit.h"
#include "store.h"

/* Stores as archives what a trail has too much of, before the guarded write of its document, which
 * lets go of it. Whoever dies in between leaves archives that the next one writes again. A trail
 * that is not what `seal` sealed is left as it is: an archive would seal it anew. */
enum err store_archive(struct store *store, struct arena *arena, const char *document_id,
	const char *seal, struct audit_head **archived, struct model_list *events,
	struct err_info *info);

/* Writes one archive, in the place of the same one under an older key. */
enum err store_archive_save(struct store *store, struct arena *arena, const struct audit_part *part,
	struct err_info *info);

/* ERR_NOT_FOUND; ERR_UNREADABLE. */
enum err store_archive_load(struct store *store, struct arena *arena, const char *part_id,
	struct audit_part *part_r, struct err_info *info);

/* The archived events [from, until) of a document: struct audit_event, appended to the list.
 * ERR_UNREADABLE when some are missing, cannot be read, or are not what was sealed; the list then
 * ends before them. */
enum err store_archive_events(struct store *store, struct arena *arena, const char *document_id,
	int64_t from, int64_t until, struct model_list *list_r, struct err_info *info);
#endif
