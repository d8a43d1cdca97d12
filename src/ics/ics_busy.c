#include "ics_busy.h"

#include "arena.h"
#include "ics_text.h"
#include "instant.h"

static void ics_busy_add_period(
	struct arena *arena, struct buf *lines, const struct ics_period *period)
{
	if (period->from < period->to)
		buf_addf(lines, "FREEBUSY;FBTYPE=BUSY:%s/%s\r\n",
			ics_text_time(arena, period->from), ics_text_time(arena, period->to));
}

static int64_t ics_busy_within(const struct ics_busy *busy, int64_t instant)
{
	if (instant < busy->from)
		return busy->from;
	return instant_earlier(instant, busy->to);
}

static void ics_busy_add_periods(
	struct arena *arena, const struct ics_busy *busy, struct buf *lines)
{
	struct ics_period open = {busy->from, busy->from}, next;
	size_t i;

	for (i = 0; i < busy->period_count; i++) {
		next.from = ics_busy_within(busy, busy->periods[i].from);
		next.to = ics_busy_within(busy, busy->periods[i].to);
		if (next.from > open.to) {
			ics_busy_add_period(arena, lines, &open);
			open = next;
		} else if (next.to > open.to) {
			open.to = next.to;
		}
	}
	ics_busy_add_period(arena, lines, &open);
}

enum err ics_busy_render(const struct ics_busy *busy, struct buf *out, struct err_info *info)
{
	struct arena *arena = arena_new();
	struct buf lines;
	enum err err;

	buf_init(&lines, out->ceiling);
	buf_addf(&lines,
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//meetlink//meetlink//EN\r\n"
		"BEGIN:VFREEBUSY\r\nUID:%s\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDTEND:%s\r\n",
		busy->uid, ics_text_time(arena, busy->dtstamp), ics_text_time(arena, busy->from),
		ics_text_time(arena, busy->to));
	ics_busy_add_periods(arena, busy, &lines);
	buf_add_text(&lines, "END:VFREEBUSY\r\nEND:VCALENDAR\r\n");
	err = lines.overflow ? err_set(info, ERR_INTERNAL, "The calendar is too long.")
			     : ics_text_fold(lines.bytes, out, info);
	buf_fini(&lines);
	arena_free(&arena);
	return err;
}
