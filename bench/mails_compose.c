/*
 * What composing costs: mails_compose KIND COUNT makes that mail COUNT times with invented people,
 * from values to MIME, with the configuration of MEETLINK_*, and prints processor microseconds a
 * message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "app.h"
#include "dispatch.h"

static double processor_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	const struct dispatch_sample sample = {
		.kind = argc == 3 ? argv[1] : "", .locale = "de", .provider = "zoom"};
	const int count = argc == 3 ? atoi(argv[2]) : 0;
	struct err_info info = {0};
	struct dispatch dispatch;
	struct conf *conf;
	struct app app;
	struct buf out;
	double began;
	int i;

	if (count < 1 || !secret_init())
		return 2;
	conf = app_conf(NULL);
	if (!conf || app_open(conf, 0, &app, &info) != ERR_OK)
		return app_fail(&info);
	dispatch = (struct dispatch){.conf = conf,
		.ring = app.ring,
		.templates = app.templates,
		.mail_from = app.mail_from};
	began = processor_us();
	for (i = 0; i < count; i++) {
		buf_init(&out, 1024 * 1024);
		if (dispatch_preview(&dispatch, &sample, &out, &info) != ERR_OK)
			return app_fail(&info);
		buf_fini(&out);
	}
	printf("%.1f\n", (processor_us() - began) / count);
	app_close(&app);
	conf_free(&conf);
	return EXIT_SUCCESS;
}
