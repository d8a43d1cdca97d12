/* meeting.create: the provider makes the meeting. */
#include "dispatch_private.h"
#include "provider.h"

static enum err creation_perform(struct dispatch_performer *performer, struct arena *arena,
	const struct request *request, const struct effect *effect, struct meeting_link *link_r,
	struct err_info *info)
{
	const struct provider *provider = provider_find(request->meeting->provider);

	(void)effect;
	if (!provider)
		return err_set(info, ERR_PERMANENT, "The provider %s is not known.",
			request->meeting->provider);
	return provider->create(performer->dispatch->conf, arena, request, link_r, info);
}

static void creation_settle(const struct dispatch *dispatch, struct cause *cause,
	struct request *request, struct effect *effect, const struct effect_outcome *outcome,
	const struct meeting_link *link)
{
	request_creation_settled(cause, request, effect, outcome, link, dispatch->policy);
}

const struct dispatch_effect dispatch_creation = {
	.perform = creation_perform, .settle = creation_settle};
