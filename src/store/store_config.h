#ifndef STORE_CONFIG_H
#define STORE_CONFIG_H
/* The configuration document. Blocks as store.h says. */
#include "config.h"
#include "store.h"

/*
 * What is stored now, or config_init() when nothing is; for use: without the audit trail, and with
 * rev 0, so that it cannot be saved. ERR_UNREADABLE, too, for a credential that no key here opens:
 * what looks like no credential might be saved as that.
 *
 * It is kept decoded and shared by all threads of the process, with its credentials opened; each
 * call costs a find of its rev alone, and all of it is read again when that has moved. So a change
 * holds for whatever begins once it was stored, in every process of every host. Lives as long as
 * `arena`.
 */
enum err store_config_current(struct store *store, struct arena *arena,
	const struct config **config_r, struct err_info *info);

/* The same as a copy in the arena, which may be altered. */
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
