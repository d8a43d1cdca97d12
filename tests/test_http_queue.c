#include "http_queue.h"
#include "unit.h"

enum { ITEMS = 64 };

static struct http_queue_item items[ITEMS];

static int number(const struct http_queue_item *item)
{
	return item ? (int)(item - items) : -1;
}

static int pop(struct http_queue *queue)
{
	return number(http_queue_pop(queue));
}

/* Pops, and has the thread be free again at once. */
static int serve(struct http_queue *queue)
{
	struct http_queue_item *item = http_queue_pop(queue);

	if (item)
		http_queue_done(queue, item);
	return number(item);
}

static bool push(struct http_queue *queue, int item, enum http_class class, uint32_t client)
{
	return http_queue_push(queue, &items[item], class, client, 0, item);
}

static void test_first_come_first_served(void)
{
	struct http_queue *queue = http_queue_new(4, ITEMS);
	int i;

	CU_ASSERT_EQUAL(pop(queue), -1);
	for (i = 0; i < 5; i++)
		CU_ASSERT_TRUE(push(queue, i, HTTP_CLASS_NEXT, 1));
	for (i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(serve(queue), i);
	CU_ASSERT_EQUAL(pop(queue), -1);
	http_queue_free(&queue);
}

static void test_classes_go_in_order_within_their_bounds(void)
{
	static const struct {
		size_t threads;
		int first, next, last; /* how many run at a time */
	} cases[] = {{16, 12, 16, 4}, {4, 3, 4, 1}, {2, 1, 2, 1}, {1, 1, 1, 1}};
	struct http_queue *queue;
	size_t i;
	int j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		queue = http_queue_new(cases[i].threads, 10 * ITEMS);
		for (j = 0; j < 20; j++) {
			push(queue, j, HTTP_CLASS_LAST, (uint32_t)j);
			push(queue, 20 + j, HTTP_CLASS_NEXT, (uint32_t)j);
			push(queue, 40 + j, HTTP_CLASS_FIRST, (uint32_t)j);
		}
		for (j = 0; j < cases[i].first; j++)
			CU_ASSERT_EQUAL(pop(queue), 40 + j);
		for (j = 0; j < cases[i].next; j++)
			CU_ASSERT_EQUAL(pop(queue), 20 + j);
		for (j = 0; j < cases[i].last; j++)
			CU_ASSERT_EQUAL(pop(queue), j);
		CU_ASSERT_EQUAL(pop(queue), -1);
		/* Who is done makes room for its own class, and the first goes first again. */
		http_queue_done(queue, &items[0]);
		CU_ASSERT_EQUAL(pop(queue), cases[i].last);
		http_queue_done(queue, &items[20]);
		http_queue_done(queue, &items[40]);
		CU_ASSERT_EQUAL(pop(queue), 40 + cases[i].first);
		CU_ASSERT_EQUAL(pop(queue), 20 + cases[i].next);
		CU_ASSERT_EQUAL(pop(queue), -1);
		http_queue_free(&queue);
	}
}

static void test_clients_take_turns(void)
{
	struct http_queue *queue = http_queue_new(4, 10 * ITEMS);
	int i;

	/* Three of one, two of another, one of a third. */
	for (i = 0; i < 6; i++)
		push(queue, i, HTTP_CLASS_NEXT, i < 3 ? 1 : i < 5 ? 2 : 3);
	CU_ASSERT_EQUAL(serve(queue), 0);
	CU_ASSERT_EQUAL(serve(queue), 1); /* every other turn is that of those already known */
	CU_ASSERT_EQUAL(serve(queue), 3);
	CU_ASSERT_EQUAL(serve(queue), 2);
	CU_ASSERT_EQUAL(serve(queue), 5);
	CU_ASSERT_EQUAL(serve(queue), 4);
	CU_ASSERT_EQUAL(serve(queue), -1);
	http_queue_free(&queue);
}

/* A crowd that asks again as soon as it is answered, of one client or of many, and somebody who
 * asks now and then: he waits for two at most. */
static void test_a_crowd_waits_for_itself(void)
{
	static const uint32_t crowds[] = {1, 7, 40};
	struct http_queue *queue;
	int turn, waited, soon, got;
	size_t i;

	for (i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		queue = http_queue_new(4, 100 * ITEMS);
		for (turn = 0; turn < 40; turn++)
			push(queue, turn, HTTP_CLASS_NEXT, (uint32_t)turn % crowds[i]);
		for (turn = waited = soon = 0; turn < 1001; turn++) {
			if (turn % 100 == 99) {
				push(queue, ITEMS - 1, HTTP_CLASS_NEXT, 999);
				waited = 0;
			}
			got = serve(queue);
			waited++;
			if (got != ITEMS - 1)
				push(queue, got, HTTP_CLASS_NEXT, (uint32_t)got % crowds[i]);
			else if (waited <= 2)
				soon++;
		}
		CU_ASSERT_EQUAL(soon, 10);
		http_queue_free(&queue);
	}
}

/* Nobody who waits is passed over for ever by clients that are new each time. */
static void test_strangers_take_half(void)
{
	struct http_queue *queue = http_queue_new(4, ITEMS);
	int turn, got = -1;

	push(queue, 0, HTTP_CLASS_NEXT, 0);
	push(queue, 1, HTTP_CLASS_NEXT, 0);
	for (turn = 2; turn < 12 && got != 1; turn++) {
		push(queue, turn, HTTP_CLASS_NEXT, (uint32_t)turn);
		push(queue, 20 + turn, HTTP_CLASS_NEXT, (uint32_t)turn + 20);
		got = serve(queue);
	}
	CU_ASSERT_EQUAL(got, 1);
	http_queue_free(&queue);
}

static void test_one_client_leaves_room(void)
{
	struct http_queue *queue = http_queue_new(4, 16);
	int i, one = 0, two = 0, three = 0;

	for (i = 0; i < 16; i++)
		one += push(queue, i, HTTP_CLASS_NEXT, 1);
	for (i = 16; i < 32; i++)
		two += push(queue, i, HTTP_CLASS_FIRST, 2);
	for (i = 32; i < 48; i++)
		three += push(queue, i, HTTP_CLASS_LAST, 3);
	CU_ASSERT_EQUAL(one, 6);
	CU_ASSERT_EQUAL(two, 4);
	CU_ASSERT_EQUAL(three, 2);
	/* Full is full. */
	for (i = 48; i < 60; i++)
		push(queue, i, HTTP_CLASS_NEXT, (uint32_t)i);
	CU_ASSERT_FALSE(push(queue, 60, HTTP_CLASS_FIRST, 60));
	CU_ASSERT_EQUAL(serve(queue), 16);
	CU_ASSERT_TRUE(push(queue, 60, HTTP_CLASS_FIRST, 60));
	http_queue_free(&queue);
}

/* One that does not give its threads back leaves some to the others, and goes on when it does. */
static void test_one_client_leaves_threads(void)
{
	struct http_queue *queue = http_queue_new(16, 10 * ITEMS);
	int i;

	for (i = 0; i < 20; i++)
		push(queue, i, HTTP_CLASS_FIRST, 1);
	for (i = 0; i < 9; i++)
		CU_ASSERT_EQUAL(pop(queue), i);
	CU_ASSERT_FALSE(http_queue_ready(queue));
	CU_ASSERT_EQUAL(pop(queue), -1);
	push(queue, 40, HTTP_CLASS_FIRST, 2);
	push(queue, 20, HTTP_CLASS_FIRST, 1);
	push(queue, 41, HTTP_CLASS_FIRST, 2);
	CU_ASSERT_EQUAL(pop(queue), 40);
	http_queue_done(queue, &items[3]);
	CU_ASSERT_TRUE(http_queue_ready(queue));
	CU_ASSERT_EQUAL(pop(queue), 9);
	CU_ASSERT_EQUAL(pop(queue), 41);
	CU_ASSERT_EQUAL(pop(queue), -1);
	/* In another class it has threads, too. */
	push(queue, 42, HTTP_CLASS_NEXT, 1);
	CU_ASSERT_EQUAL(pop(queue), 42);
	for (i = 10; i < 21; i++) {
		http_queue_done(queue, &items[i - 6]);
		CU_ASSERT_EQUAL(pop(queue), i);
	}
	CU_ASSERT_EQUAL(pop(queue), -1);
	http_queue_free(&queue);
}

/* Anybody can make up tokens: they give an address neither room nor turns. */
static void test_tokens_divide_an_address(void)
{
	struct http_queue *queue = http_queue_new(4, 16);
	int i, one = 0;

	for (i = 0; i < 30; i++)
		one += http_queue_push(
			queue, &items[i], (enum http_class)(i % 3), 1, (uint32_t)i, i);
	CU_ASSERT_EQUAL(one, 8);
	http_queue_free(&queue);

	/* Nor does one token take all that its address has. */
	queue = http_queue_new(4, 16);
	for (i = one = 0; i < 16; i++)
		one += http_queue_push(queue, &items[i], HTTP_CLASS_NEXT, 1, 1, i);
	CU_ASSERT_EQUAL(one, 6);
	CU_ASSERT_TRUE(http_queue_push(queue, &items[16], HTTP_CLASS_NEXT, 1, 2, 16));
	http_queue_free(&queue);

	queue = http_queue_new(4, 10 * ITEMS);
	for (i = 0; i < 30; i++)
		http_queue_push(queue, &items[i], HTTP_CLASS_NEXT, 1, (uint32_t)i % 10, i);
	CU_ASSERT_EQUAL(serve(queue), 0);
	push(queue, 40, HTTP_CLASS_NEXT, 2);
	push(queue, 41, HTTP_CLASS_NEXT, 2);
	CU_ASSERT_EQUAL(serve(queue), 10);
	CU_ASSERT_EQUAL(serve(queue), 40);
	CU_ASSERT_EQUAL(serve(queue), 1);
	CU_ASSERT_EQUAL(serve(queue), 41);
	/* Inside of an address whoever asks now and then does not wait for its crowd. */
	http_queue_push(queue, &items[42], HTTP_CLASS_NEXT, 1, 15, 42);
	for (i = 0; i < ITEMS && serve(queue) != 42; i++)
		continue;
	CU_ASSERT_TRUE(i < 20);
	http_queue_free(&queue);
}

static void test_the_overdue_leave_in_order(void)
{
	struct http_queue *queue = http_queue_new(4, ITEMS);

	CU_ASSERT_EQUAL(http_queue_oldest_us(queue), INT64_MAX);
	push(queue, 1, HTTP_CLASS_LAST, 1);
	push(queue, 2, HTTP_CLASS_FIRST, 2);
	push(queue, 3, HTTP_CLASS_LAST, 1);
	push(queue, 4, HTTP_CLASS_NEXT, 3);
	CU_ASSERT_EQUAL(http_queue_oldest_us(queue), 1);
	CU_ASSERT_EQUAL(number(http_queue_overdue(queue, 0)), -1);
	CU_ASSERT_EQUAL(number(http_queue_overdue(queue, 1)), 1);
	CU_ASSERT_EQUAL(number(http_queue_overdue(queue, 1)), -1);
	CU_ASSERT_EQUAL(pop(queue), 2);
	CU_ASSERT_EQUAL(number(http_queue_overdue(queue, 9)), 3);
	CU_ASSERT_EQUAL(number(http_queue_overdue(queue, 9)), 4);
	CU_ASSERT_EQUAL(number(http_queue_overdue(queue, 9)), -1);
	CU_ASSERT_EQUAL(pop(queue), -1);
	/* Clients whose requests all left are clients like others. */
	push(queue, 5, HTTP_CLASS_LAST, 1);
	CU_ASSERT_EQUAL(pop(queue), 5);
	http_queue_free(&queue);
}

/* Whatever is done in whatever order, what goes in comes out once. */
static void test_nothing_is_lost(void)
{
	struct http_queue *queue = http_queue_new(3, ITEMS);
	bool inside[ITEMS] = {false}, running[ITEMS] = {false};
	unsigned seed = 1;
	int turn, i, pushed = 0, taken = 0;

	for (turn = 0; turn < 200000; turn++) {
		seed = seed * 1103515245u + 12345u;
		i = (int)(seed >> 16) % ITEMS;
		switch (seed >> 28 & 3) {
		case 0:
		case 1:
			if (!inside[i] && !running[i] &&
				http_queue_push(queue, &items[i], (enum http_class)(i % 3),
					(uint32_t)i % 5, (uint32_t)i % 7, turn)) {
				inside[i] = true;
				pushed++;
			}
			break;
		case 2:
			i = pop(queue);
			if (i >= 0) {
				CU_ASSERT_TRUE(inside[i]);
				inside[i] = false;
				running[i] = true;
				taken++;
			}
			break;
		default:
			if (running[i]) {
				running[i] = false;
				http_queue_done(queue, &items[i]);
			} else {
				i = number(http_queue_overdue(queue, turn - 50));
				if (i >= 0) {
					CU_ASSERT_TRUE(inside[i]);
					inside[i] = false;
					taken++;
				}
			}
		}
	}
	while ((i = number(http_queue_overdue(queue, turn))) >= 0) {
		CU_ASSERT_TRUE(inside[i]);
		inside[i] = false;
		taken++;
	}
	CU_ASSERT_EQUAL(pushed, taken);
	CU_ASSERT_TRUE(pushed > 10000);
	http_queue_free(&queue);
}

static const struct unit_case cases[] = {
	{"first come, first served", test_first_come_first_served},
	{"classes go in order within their bounds", test_classes_go_in_order_within_their_bounds},
	{"clients take turns", test_clients_take_turns},
	{"a crowd waits for itself", test_a_crowd_waits_for_itself},
	{"strangers take half", test_strangers_take_half},
	{"one client leaves room", test_one_client_leaves_room},
	{"one client leaves threads", test_one_client_leaves_threads},
	{"tokens divide an address", test_tokens_divide_an_address},
	{"the overdue leave in order", test_the_overdue_leave_in_order},
	{"nothing is lost", test_nothing_is_lost},
};

UNIT_MAIN("http_queue", cases)
