/*
 * THE METRICS. A row is a family of /metrics: its memory, its counting, its text and its line in
 * docs/tables.md follow from it. What the values of a label are called stands in
 * app/app_metrics.c.
 *
 * LABEL(name, as it is written)
 * METRIC(name, kind, as it is written, help, three labels)
 *
 * A COUNTER counts, a HISTOGRAM counts and adds up durations; both are of a process, and what is
 * shown is the sum of all there ever were. A GAUGE is set, by whichever process knows it.
 */
LABEL(ROUTE, "route")
LABEL(STATUS, "status")
LABEL(COMMAND, "command")
LABEL(OUTCOME, "outcome")
LABEL(EFFECT, "kind")
LABEL(OWED_STATE, "state")
LABEL(PROVIDER, "provider")
LABEL(OPERATION, "operation")
LABEL(TARGET, "target")
LABEL(GATE, "state")
LABEL(ROLE, "role")
LABEL(BUILD, "version")
LABEL(TZDATA, "version")

METRIC(HTTP_REQUESTS, COUNTER, "meetlink_http_requests_total",
	"Requests that were answered, refused ones included", ROUTE, STATUS, NONE)
METRIC(HTTP_TIME, HISTOGRAM, "meetlink_http_request_duration_seconds",
	"From a thread taking the request to its answer", ROUTE, NONE, NONE)
METRIC(STORE_TIME, HISTOGRAM, "meetlink_database_round_trip_duration_seconds",
	"Commands that the database has answered, errors included", COMMAND, NONE, NONE)
METRIC(STORE_ERRORS, COUNTER, "meetlink_database_errors_total",
	"What failed there: away, refused, or a document that exists already", OUTCOME, NONE, NONE)
METRIC(STORE_WAIT, HISTOGRAM, "meetlink_database_pool_wait_duration_seconds",
	"Waits for a connection while all were in use", NONE, NONE, NONE)
METRIC(EFFECTS, COUNTER, "meetlink_effects_total",
	"Attempts at what requests owe, by what came of them", EFFECT, OUTCOME, NONE)
METRIC(LEASES_LOST, COUNTER, "meetlink_leases_lost_total",
	"Effects that were performed for longer than their lease", NONE, NONE, NONE)
METRIC(OWED, GAUGE, "meetlink_effects_owed",
	"Requests of the installation that owe it; 1001 stands for more", EFFECT, OWED_STATE, NONE)
METRIC(OWED_AGE, GAUGE, "meetlink_effects_oldest_age_seconds",
	"How long the oldest has been due, or given up", OWED_STATE, NONE, NONE)
METRIC(BREAKERS, GAUGE, "meetlink_breaker_state",
	"0 closed or not enabled, 1 open, 2 half open: the next call tries it", TARGET, NONE, NONE)
METRIC(OBSERVED_AT, GAUGE, "meetlink_observed_timestamp_seconds",
	"When a dispatcher last looked at what is owed and at the breakers", NONE, NONE, NONE)
METRIC(SCRAPED_AT, GAUGE, "meetlink_scraped_timestamp_seconds",
	"When this was last asked for; without that nobody looks", NONE, NONE, NONE)
METRIC(MEETINGS, COUNTER, "meetlink_meetings_made_total",
	"Meetings that became ready, those that replace another included", NONE, NONE, NONE)
METRIC(PROVIDER_CALLS, COUNTER, "meetlink_provider_calls_total", "What providers were asked to do",
	PROVIDER, OPERATION, OUTCOME)
METRIC(PROVIDER_TIME, HISTOGRAM, "meetlink_provider_call_duration_seconds",
	"The same, all HTTP calls that it took together", PROVIDER, OPERATION, NONE)
METRIC(TOKENS, COUNTER, "meetlink_provider_token_refreshes_total",
	"Access tokens that were asked for", PROVIDER, OUTCOME, NONE)
METRIC(MAILS, COUNTER, "meetlink_mails_total", "Attempts to hand a mail to the mail server",
	OUTCOME, NONE, NONE)
METRIC(WEBHOOKS, COUNTER, "meetlink_webhook_deliveries_total",
	"Attempts to tell a subscriber of an event", OUTCOME, NONE, NONE)
METRIC(GATE_USES, COUNTER, "meetlink_gate_uses_total",
	"Join links that people followed, by what they found", GATE, NONE, NONE)
METRIC(AUDIT_EVENTS, COUNTER, "meetlink_audit_events_total",
	"Events that were stored in trails of requests", NONE, NONE, NONE)
METRIC(RELOADS, COUNTER, "meetlink_reloads_total", "SIGHUPs, by what came of them", OUTCOME, NONE,
	NONE)
METRIC(RESTARTS, COUNTER, "meetlink_process_restarts_total",
	"Processes that took the place of one that had ended", ROLE, NONE, NONE)
METRIC(STARTED_AT, GAUGE, "meetlink_start_time_seconds",
	"When the master started, which is when all counting began", NONE, NONE, NONE)
METRIC(BUILD, GAUGE, "meetlink_build_info", "The version of the program", BUILD, NONE, NONE)
METRIC(TZDATA, GAUGE, "meetlink_tzdata_info", "The version of the time zones", TZDATA, NONE, NONE)
