#include "http_queue.h"

#include <stdlib.h>

#include "xalloc.h"

/* Those whose hashes meet share their turns. */
enum { QUEUE_ADDRESSES = 1024, QUEUE_TOKENS = 16 };

enum turn_place { TURN_NOWHERE, TURN_NEW, TURN_OLD };

/* Of one that takes turns with others. */
struct turn {
	size_t count; /* of its requests */
	bool rests;   /* it runs on as many threads as it may */
	enum turn_place place;
	struct turn *next; /* in its place */
};

struct turn_list {
	struct turn *head, *last;
};

struct turns {
	struct turn_list lists[TURN_OLD + 1];
	bool was_new; /* whose turn it was */
};

/* The requests of one token of one address in one class. */
struct http_queue_flow {
	struct turn turn; /* the first member, as that of an address */
	struct http_queue_item *head, *newest;
	struct queue_address *address;
};

struct queue_address {
	struct turn turn;
	struct turns turns;
	size_t *held; /* in all classes */
	size_t running;
	struct http_queue_flow flows[QUEUE_TOKENS];
};

struct queue_class {
	struct turns turns;
	size_t waiting; /* of addresses that do not rest */
	size_t running, bound;
	struct queue_address addresses[QUEUE_ADDRESSES];
};

struct http_queue {
	size_t count, most;
	size_t held[QUEUE_ADDRESSES];
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
	enum http_class class;

	queue->most = most;
	for (class = 0; class < HTTP_CLASS_COUNT; class ++)
		queue->classes[class].bound = queue_bound(threads, class);
	return queue;
}

void http_queue_free(struct http_queue **queue)
{
	free(*queue);
	*queue = NULL;
}

static void turn_put(struct turns *turns, struct turn *turn, enum turn_place place)
{
	struct turn_list *list = &turns->lists[place];

	turn->place = place;
	turn->next = NULL;
	if (list->head)
		list->last->next = turn;
	else
		list->head = turn;
	list->last = turn;
}

static struct turn *turn_take(struct turns *turns, enum turn_place place)
{
	struct turn *turn = turns->lists[place].head;

	turns->lists[place].head = turn->next;
	turn->place = TURN_NOWHERE;
	return turn;
}

static void turn_add(struct turns *turns, struct turn *turn)
{
	turn->count++;
	if (turn->place == TURN_NOWHERE && !turn->rests)
		turn_put(turns, turn, TURN_NEW);
}

/* Whose turn it is where somebody waits. One stays among the old ones until its turn comes and
 * finds nothing, or that it rests: only then it has not asked lately. */
static struct turn *turn_next(struct turns *turns)
{
	enum turn_place place;
	struct turn *turn;

	do {
		place = TURN_OLD;
		if (turns->lists[TURN_NEW].head && !(turns->was_new && turns->lists[TURN_OLD].head))
			place = TURN_NEW;
		turn = turn_take(turns, place);
	} while (!turn->count || turn->rests);
	turns->was_new = place == TURN_NEW;
	turn_put(turns, turn, TURN_OLD);
	return turn;
}

bool http_queue_push(struct http_queue *queue, struct http_queue_item *item, enum http_class class,
	uint32_t address, uint32_t token, int64_t ready_us)
{
	struct queue_address *from = &queue->classes[class].addresses[address % QUEUE_ADDRESSES];
	struct http_queue_flow *flow = &from->flows[token % QUEUE_TOKENS];
	const size_t room = queue->most - queue->count;

	from->held = &queue->held[address % QUEUE_ADDRESSES];
	if (*from->held >= room || flow->turn.count >= room - *from->held)
		return false;
	flow->address = from;
	*item = (struct http_queue_item){
		.class = class, .ready_us = ready_us, .older = queue->newest, .flow = flow};
	if (queue->newest)
		queue->newest->newer = item;
	else
		queue->oldest = item;
	queue->newest = item;
	if (flow->head)
		flow->newest->next = item;
	else
		flow->head = item;
	flow->newest = item;
	queue->count++;
	++*from->held;
	queue->classes[class].waiting += !from->turn.rests;
	turn_add(&from->turns, &flow->turn);
	turn_add(&queue->classes[class].turns, &from->turn);
	return true;
}

/* The first of its flow, which the oldest of all is too. */
static struct http_queue_item *queue_remove(struct http_queue *queue, struct http_queue_flow *flow)
{
	struct http_queue_item *item = flow->head;

	flow->head = item->next;
	flow->turn.count--;
	flow->address->turn.count--;
	--*flow->address->held;
	if (item->older)
		item->older->newer = item->newer;
	else
		queue->oldest = item->newer;
	if (item->newer)
		item->newer->older = item->older;
	else
		queue->newest = item->older;
	queue->count--;
	queue->classes[item->class].waiting -= !flow->address->turn.rests;
	return item;
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

/* How many threads an address is given: the others find some free, whatever it does with them. */
static size_t queue_most(const struct queue_class *class)
{
	return class->bound - class->bound / 4;
}

struct http_queue_item *http_queue_pop(struct http_queue *queue)
{
	struct queue_class *class = queue_next_class(queue);
	struct queue_address *address;
	struct http_queue_item *item;

	if (!class)
		return NULL;
	address = (struct queue_address *)turn_next(&class->turns);
	item = queue_remove(queue, (struct http_queue_flow *)turn_next(&address->turns));
	class->running++;
	if (++address->running == queue_most(class)) {
		address->turn.rests = true;
		class->waiting -= address->turn.count;
	}
	return item;
}

void http_queue_done(struct http_queue *queue, const struct http_queue_item *item)
{
	struct queue_class *class = &queue->classes[item->class];
	struct queue_address *address = item->flow->address;

	class->running--;
	address->running--;
	if (!address->turn.rests)
		return;
	address->turn.rests = false;
	class->waiting += address->turn.count;
	if (address->turn.count && address->turn.place == TURN_NOWHERE)
		turn_put(&class->turns, &address->turn, TURN_OLD);
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
