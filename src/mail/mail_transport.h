#ifndef MAIL_TRANSPORT_H
#define MAIL_TRANSPORT_H
/*
 * Delivery of one message to one recipient: SMTP by libcurl (verified TLS, timeouts, connection
 * reuse), or a file. One transport belongs to one thread. Both block for at most
 * mail_timeouts.total_s.
 */
#include <stddef.h>

#include "err.h"

struct mail_transport;

/* In seconds: how long the phases of a delivery may take. */
struct mail_timeouts {
	long login;  /* connection, greeting, EHLO, TLS and AUTH together */
	long answer; /* each answer to MAIL, RCPT and DATA */
	long taken;  /* the answer to the message itself, which may be looked at first */
	long total;
};
extern const struct mail_timeouts mail_timeouts;

struct mail_transport_options {
	/* NULL or "": files. Credentials may stand in the URL; its path is the name to greet with,
	 * else this host's full name, else the sender's domain. */
	const char *smtp_url;
	const char *ca_file;                  /* NULL or "": the system's */
	const char *folder;                   /* for files: created when missing */
	const struct mail_timeouts *timeouts; /* NULL: mail_timeouts */
};

/* ERR_CONFIG when the URL is not smtp:// or smtps://, or when ca_file cannot be read. Opens
 * nothing, so it may be called before a fork. */
enum err mail_transport_check(const struct mail_transport_options *options, struct err_info *info);

/* ERR_CONFIG as for mail_transport_check(), and when the folder cannot be made. Without TLS only a
 * loopback host is accepted: smtp:// to any other host demands STARTTLS; to a loopback host it uses
 * STARTTLS where offered, if ca_file is given. */
enum err mail_transport_open(const struct mail_transport_options *options,
	struct mail_transport **transport_r, struct err_info *info);
void mail_transport_close(struct mail_transport **transport);

/* Bounds the phases of the deliveries that follow up to the message itself, which must not be sent
 * twice for want of patience; `most_s` 0: by the timeouts alone. */
void mail_transport_hurry(struct mail_transport *transport, long most_s);

/*
 * A file is `<folder>/<message id>.eml`, written whole, synced and renamed, so that a repeat
 * replaces it and no reader sees half of one.
 * ERR_INVALID: not a message id or an address; nothing was sent.
 * ERR_UNAVAILABLE: the server itself, and so any mail: it did not answer in time, or it failed
 * before this mail was spoken of (network, 421 or 4yz for a greeting, our login put off).
 * ERR_CREDENTIAL: our login was refused, or is asked for where we have none (RFC 4954 section 6).
 * ERR_TEMPORARY: try again (4yz, greylisting, a lost connection).
 * ERR_PERMANENT: never for this recipient (5yz). RFC 5321 section 4.2.1. The detail says the
 * server's answer, without credentials, and with "..." for every link and address in it.
 */
enum err mail_transport_deliver(struct mail_transport *transport, const char *message_id,
	const char *from, const char *to, const char *bytes, size_t len, struct err_info *info);
#endif
