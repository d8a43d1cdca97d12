/* THE QUEUES: what is owed to whom, and by how many threads it is done. */
#include <string.h>

#include "dispatch_private.h"
#include "provider.h"
#include "subscriber.h"

/* What people wait for has as many threads as the configuration says; nobody waits for the rest. */
static const int dispatch_shares[] = {
	[CLASS_LOCAL] = 4,
	[CLASS_PROVIDER] = 1,
	[CLASS_WATCH] = 4,
	[CLASS_MAIL] = 1,
};

static void dispatch_queue_add(struct arena *arena, struct model_list *queues,
	enum effect_class class, const struct provider *provider)
{
	const bool local = provider && provider->local;
	const size_t own = queues->count;
	struct dispatch_queue *queue = model_list_add(arena, queues, sizeof(*queue));

	*queue = (struct dispatch_queue){
		.name = effect_queue_name(arena, class, provider ? provider->name : NULL),
		.class = class,
		.pool = local ? DISPATCH_LOCAL_POOL : own,
	};
}

struct model_list dispatch_queues(struct arena *arena)
{
	const struct provider *const *provider;
	struct model_list queues = {0};

	dispatch_queue_add(arena, &queues, CLASS_LOCAL, NULL); /* DISPATCH_LOCAL_POOL */
	for (provider = provider_table; *provider; provider++) {
		dispatch_queue_add(arena, &queues, CLASS_PROVIDER, *provider);
		dispatch_queue_add(arena, &queues, CLASS_WATCH, *provider);
	}
	dispatch_queue_add(arena, &queues, CLASS_MAIL, NULL);
	return queues;
}

const char *const *dispatch_queue_names(struct arena *arena)
{
	const struct model_list queues = dispatch_queues(arena);
	const char **names = arena_alloc(arena, (queues.count + 1) * sizeof(*names));
	size_t i;

	for (i = 0; i < queues.count; i++)
		names[i] = MODEL_AT(&queues, struct dispatch_queue, i)->name;
	return names;
}

size_t dispatch_queue_pool(const struct model_list *queues, const char *name)
{
	MODEL_FOREACH (queues, struct dispatch_queue, queue) {
		if (strcmp(queue->name, name) == 0)
			return queue->pool;
	}
	/* Of a provider that there is not any more: nobody is asked, so it needs no network. */
	return DISPATCH_LOCAL_POOL;
}

int dispatch_queue_threads(const struct model_list *queues, size_t pool, int threads)
{
	const struct dispatch_queue *queue = MODEL_AT(queues, struct dispatch_queue, pool);
	const int share = dispatch_shares[queue->class];

	return queue->pool == pool ? (threads + share - 1) / share : 0;
}

int dispatch_thread_count(int threads)
{
	struct arena *arena = arena_new();
	const struct model_list queues = dispatch_queues(arena);
	int count = SUBSCRIBER_MOST;
	size_t i;

	for (i = 0; i < queues.count; i++)
		count += dispatch_queue_threads(&queues, i, threads);
	arena_free(&arena);
	return count;
}
