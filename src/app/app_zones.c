/* `meetlink check zones`: who was told other local times than their clocks will show. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app.h"
#include "arena.h"
#include "clock.h"
#include "ics_zone.h"
#include "id.h"
#include "instant.h"
#include "service_zones.h"
#include "wake.h"

/* What a clock shows that is so far east of UTC: "2026-12-03T09:00". */
static void zones_wall(int64_t instant, int64_t offset_s, char text_r[INSTANT_TEXT_SIZE])
{
	instant_format(instant + offset_s * INSTANT_SECOND, false, text_r);
	text_r[sizeof("2026-12-03T09:00") - 1] = '\0';
}

static void zones_print(void *data, const struct service_reading *reading)
{
	char told[INSTANT_TEXT_SIZE], read[INSTANT_TEXT_SIZE];

	(void)data;
	zones_wall(reading->instant, reading->told_s, told);
	zones_wall(reading->instant, reading->read_s, read);
	printf("%s %s %s %s %s %s\n", reading->request_id, party_names[reading->party],
		reading->zone, told, read, reading->on_its_way ? "owed" : "-");
}

static enum err zones_check(
	const struct conf *conf, const struct app *app, bool send, struct err_info *info)
{
	struct service_zones zones = {.send = send, .found = zones_print};
	const struct service service = {.conf = conf,
		.ring = app->ring,
		.store = app->store,
		.wake_fd = wake_open(),
		.edition = ""};
	char trace_id[ID_SIZE], version[ICS_ZONE_VERSION_SIZE];
	const struct service_call call = {
		.now = clock_now_ms(), .caller = {.role = ROLE_SYSTEM}, .trace_id = trace_id};
	enum err err;

	id_random(trace_id);
	ics_zone_version(version);
	err = service_zones_check(&service, &call, &zones, info);
	if (err == ERR_OK)
		printf("tzdata %s: %lld told otherwise, %lld not known\n", version,
			(long long)zones.count, (long long)zones.unknown);
	close(service.wake_fd);
	return err;
}

int app_check_zones(const struct conf *conf, bool send)
{
	struct err_info info = {0};
	struct app app;
	enum err err;

	err = app_open(conf, 1, &app, &info);
	if (err != ERR_OK)
		return app_fail(&info);
	err = zones_check(conf, &app, send, &info);
	app_close(&app);
	return err == ERR_OK ? EXIT_SUCCESS : app_fail(&info);
}
