/* What subscribers are told of a change, owed in the write that makes it. */
#include "announce.h"
#include "clock.h"
#include "log.h"
#include "store_config.h"
#include "store_private.h"

enum err store_announce(struct store *store, struct arena *arena, const struct config *config,
	struct request *request, struct err_info *info)
{
	struct config *loaded;
	enum err err;

	if (!store->view || !announce_has_news(request))
		return ERR_OK;
	if (!config) {
		err = store_config_load(store, arena, &loaded, info);
		/* Nobody knows whom to tell, and that must not stop what people do. */
		if (err == ERR_UNREADABLE) {
			log_error("request %s: nobody is told: %s", request->id, info->detail);
			err_clear(info);
			return ERR_OK;
		}
		if (err != ERR_OK)
			return err;
		config = loaded;
	}
	if (announce_is_wanted(config, request))
		announce_owe(arena, config, request,
			store->view(store->view_data, arena, request, clock_now_ms()));
	return ERR_OK;
}
