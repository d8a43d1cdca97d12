#ifndef STORE_INCIDENT_H
#define STORE_INCIDENT_H
/*
 * Incidents: collection "incidents", one document for each target that is out of order, so never
 * many. Every write is guarded by `rev`. Blocks as store.h says.
 */
#include "incident.h"
#include "store.h"

/* All of them: struct incident. One that cannot be read is logged and left out. */
enum err store_incident_list(
	struct store *store, struct arena *arena, struct model_list *list_r, struct err_info *info);

/* Stores a new one, or replaces it if it still has incident->rev, with rev + 1. ERR_CONFLICT: it
 * has not, or another host has stored one for that target. */
enum err store_incident_save(
	struct store *store, struct arena *arena, struct incident *incident, struct err_info *info);

/* Removes it if it still has that revision; nothing is wrong if it has not. */
enum err store_incident_remove(
	struct store *store, const struct incident *incident, struct err_info *info);
#endif
