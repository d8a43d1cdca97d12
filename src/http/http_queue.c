#include "http_queue.h"

#include <stdlib.h>

#include "xalloc.h"

/* Clients whose hashes meet share their turns. */
enum { QUEUE_FLOWS = 1024 };

enum flow_place { FLOW_NOWHERE, FLOW_NEW, FLOW_OLD };

/* The requests of one client in one class. */
struct http_queue_flow {
	struct http_queue_item *head, **tail;
	size_t count;
	enum flow_place place;
	struct http_queue_flow *next; /* in its place */
};

struct flow_list {
	struct http_queue_flow *head, *last;
};

struct queue_class {
	struct flow_list lists[FLOW_OLD + 1];
	bool was_new; /* whose turn it was */
	size_t waiting, running, bound;
	struct http_queue_flow flows[QUEUE_FLOWS];
};

struct http_queue {
	size_t count, most;
	struct http_queue_item *oldest, *newest;
	struct queue_class classes[HTTP_CLASS_COUNT];
};

static size_t queue_bound(size_t threads, enum http_class class)
{
	static const size_t quarters[HTTP_CLASS_COUNT] = {
		[HTTP_CLASS_FIRST] = 3, [HTTP_CLASS_NEXT] = 4, [HTTP_CLASS_LAST] = 1};
	const size_t bound = threads * quarters[class] / 4;

	return bound ? bound : 1;
}

struct http_queue *http_queue_new(size_t threads, size_t most)
{
	struct http_queue *queue = xcalloc(1, sizeof(*queue));
	struct queue_class *class;
	size_t i;

	queue->most = most;
	for (class = queue->classes; class < queue->classes + HTTP_CLASS_COUNT; class ++) {
		class->bound = queue_bound(threads, (enum http_class)(class - queue->classes));
		for (i = 0; i < QUEUE_FLOWS; i++)
			class->flows[i].tail = &class->flows[i].head;
	}
	return queue;
}

void http_queue_free(struct http_queue **queue)
{
	free(*queue);
	*queue = NULL;
}

static void flow_put(struct queue_class *class, struct http_queue_flow *flow, enum flow_place place)
{
	struct flow_list *list = &class->lists[place];

	flow->place = place;
	flow->next = NULL;
	if (list->head)
		list->last->next = flow;
	else
		list->head = flow;
	list->last = flow;
}

static struct http_queue_flow *flow_take(struct queue_class *class, enum flow_place place)
{
	struct http_queue_flow *flow = class->lists[place].head;

	class->lists[place].head = flow->next;
	flow->place = FLOW_NOWHERE;
	return flow;
}

bool http_queue_push(struct http_queue *queue, struct http_queue_item *item, enum http_class class,
	uint32_t client, int64_t ready_us)
{
	struct http_queue_flow *flow = &queue->classes[class].flows[client % QUEUE_FLOWS];

	if (flow->count >= queue->most - queue->count)
		return false;
	*item = (struct http_queue_item){
		.class = class, .ready_us = ready_us, .older = queue->newest, .flow = flow};
	if (queue->newest)
		queue->newest->newer = item;
	else
		queue->oldest = item;
	queue->newest = item;
	*flow->tail = item;
	flow->tail = &item->next;
	flow->count++;
	queue->count++;
	queue->classes[class].waiting++;
	if (flow->place == FLOW_NOWHERE)
		flow_put(&queue->classes[class], flow, FLOW_NEW);
	return true;
}

/* The first of its client, which the oldest of all is too. */
static struct http_queue_item *queue_remove(struct http_queue *queue, struct http_queue_flow *flow)
{
	struct http_queue_item *item = flow->head;

	flow->head = item->next;
	if (!flow->head)
		flow->tail = &flow->head;
	flow->count--;
	if (item->older)
		item->older->newer = item->newer;
	else
		queue->oldest = item->newer;
	if (item->newer)
		item->newer->older = item->older;
	else
		queue->newest = item->older;
	queue->count--;
	queue->classes[item->class].waiting--;
	return item;
}

/* Whose turn it is in a class where somebody waits. A client stays among the old ones until its
 * turn comes and finds nothing: only then it has not asked lately. */
static struct http_queue_flow *queue_turn(struct queue_class *class)
{
	struct http_queue_flow *flow;
	enum flow_place place;

	do {
		place = FLOW_OLD;
		if (class->lists[FLOW_NEW].head && !(class->was_new && class->lists[FLOW_OLD].head))
			place = FLOW_NEW;
		flow = flow_take(class, place);
	} while (!flow->head);
	class->was_new = place == FLOW_NEW;
	flow_put(class, flow, FLOW_OLD);
	return flow;
}

static bool queue_may_run(const struct queue_class *class)
{
	return class->waiting && class->running < class->bound;
}

/* The first class that may have a thread, or NULL. */
static struct queue_class *queue_next_class(struct http_queue *queue)
{
	size_t i;

	for (i = 0; i < HTTP_CLASS_COUNT; i++)
		if (queue_may_run(&queue->classes[i]))
			return &queue->classes[i];
	return NULL;
}

bool http_queue_ready(struct http_queue *queue)
{
	return queue_next_class(queue) != NULL;
}

struct http_queue_item *http_queue_pop(struct http_queue *queue)
{
	struct queue_class *class = queue_next_class(queue);

	if (!class)
		return NULL;
	class->running++;
	return queue_remove(queue, queue_turn(class));
}

void http_queue_done(struct http_queue *queue, const struct http_queue_item *item)
{
	queue->classes[item->class].running--;
}

struct http_queue_item *http_queue_overdue(struct http_queue *queue, int64_t before_us)
{
	if (!queue->oldest || queue->oldest->ready_us > before_us)
		return NULL;
	return queue_remove(queue, queue->oldest->flow);
}

int64_t http_queue_oldest_us(const struct http_queue *queue)
{
	return queue->oldest ? queue->oldest->ready_us : INT64_MAX;
}
