#ifndef STORE_CONFIG_H
#define STORE_CONFIG_H
/* The configuration document. Blocks as store.h says. */
#include "config.h"
#include "store.h"

/* What is stored, or config_init() when nothing is; for use: without the audit trail, and with rev
 * 0, so that it cannot be saved. ERR_UNREADABLE, too, for a credential that no key here opens: what
 * looks like no credential might be saved as that. */
enum err store_config_load(
	struct store *store, struct arena *arena, struct config **config_r, struct err_info *info);

/* The same with its trail, for changing it. */
enum err store_config_load_whole(
	struct store *store, struct arena *arena, struct config **config_r, struct err_info *info);

/* The guarded write: rev -> rev + 1. ERR_CONFLICT when it has been changed meanwhile. After
 * ERR_DATABASE_AWAY the outcome is unknown. */
enum err store_config_save(
	struct store *store, struct arena *arena, struct config *config, struct err_info *info);
#endif
