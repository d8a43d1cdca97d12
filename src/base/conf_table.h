/*
 * THE SETTINGS. One row feeds the struct, the parser, the environment names, the defaults and
 * `meetlink check settings`. The environment name is MEETLINK_<SECTION>_<KEY>.
 *
 * CONF_TEXT(section, key, default, help)
 * CONF_INT(section, key, default, min, max, help)
 */
CONF_TEXT(server, socket, "/run/meetlink/fastcgi.sock", "unix socket that nginx connects to")
CONF_TEXT(server, socket_group, "", "group that may use the socket, e.g. www-data")
CONF_INT(server, workers, 2, 1, 256, "worker processes")
CONF_INT(server, threads, 16, 1, 512, "threads in each worker")
CONF_INT(server, queue_ms, 1000, 10, 60000, "milliseconds a request may wait for a thread")
CONF_INT(server, dispatchers, 1, 0, 64, "dispatcher processes")
CONF_INT(server, dispatcher_threads, 8, 1, 256,
	"threads of each dispatcher for each provider, and for mails")
CONF_INT(server, drain_s, 95, 1, 600, "seconds that running work may take after SIGTERM")
CONF_TEXT(log, level, "info", "debug, info, warning or error")
CONF_TEXT(log, format, "logfmt", "logfmt or json")
CONF_TEXT(public, url, "http://127.0.0.1:8080", "base of every link that leaves this service")
CONF_TEXT(public, request_url, "",
	"the marketplace's page of a request, for mails: https://market.example/requests/{id}")
CONF_TEXT(mongodb, uri, "mongodb://127.0.0.1:27017/?directConnection=true", "connection string")
CONF_TEXT(mongodb, database, "meetlink", "database name")
CONF_TEXT(jwt, algorithm, "HS256", "HS256, RS256 or ES256: the only one accepted")
CONF_TEXT(jwt, secret, "", "shared secret for HS256, 32 bytes or more")
CONF_TEXT(jwt, public_key_file, "", "PEM public key for RS256 or ES256")
CONF_TEXT(jwt, issuer, "meetlink", "required `iss`")
CONF_TEXT(jwt, audience, "meetlink", "required `aud`")
CONF_TEXT(key, file, "/etc/meetlink/master.key", "master key ring for secrets at rest")
CONF_TEXT(mail, from, "Meetings <meetings@localhost>", "sender and calendar organizer")
CONF_TEXT(mail, alert_locale, "en", "language of mails to the addresses of the policy's `alerts`")
CONF_TEXT(mail, reply_address, "",
	"where answers to invitations go, as meetings+{}@example.org; empty: nobody reads them")
CONF_TEXT(smtp, url, "", "smtp://host:port or smtps://; empty: .eml files under the state folder")
CONF_TEXT(smtp, ca_file, "", "CA bundle for the mail server; empty: the system's")
CONF_TEXT(state, dir, "/var/lib/meetlink", "folder for what the program writes")
CONF_TEXT(templates, dir, PKGDATADIR "/templates", "folder of the templates")
CONF_TEXT(jitsi, url, "https://meet.jit.si", "base of the rooms, unless configured otherwise")
CONF_TEXT(google, api_url, "https://www.googleapis.com/calendar/v3", "Google Calendar API")
CONF_TEXT(google, meet_url, "https://meet.googleapis.com", "Google Meet API")
CONF_TEXT(google, token_url, "https://oauth2.googleapis.com/token", "Google OAuth tokens")
CONF_TEXT(zoom, api_url, "https://api.zoom.us/v2", "Zoom REST API")
CONF_TEXT(zoom, token_url, "https://zoom.us/oauth/token", "Zoom OAuth tokens")
CONF_TEXT(teams, api_url, "https://graph.microsoft.com/v1.0", "Microsoft Graph")
CONF_TEXT(teams, token_url, "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
	"Microsoft identity platform; {tenant} stands for the tenant id")
CONF_TEXT(webhooks, allow, "",
	"hosts, or host:port, that webhooks may reach on private addresses and over plain http")
CONF_TEXT(clock, offset_file, "", "for tests: 8 bytes added to the clock, in milliseconds")
