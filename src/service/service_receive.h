#ifndef SERVICE_RECEIVE_H
#define SERVICE_RECEIVE_H
/* What people answer by mail. */
#include "mail_address.h"
#include "service.h"

struct service_mail {
	const char *recipient; /* of the envelope; NULL: what its fields say */
	const char *bytes;
	size_t len;
	struct mail_address from; /* ours */
};

/*
 * Does what a message asks for, once, however often it comes: it is stored when this is ERR_OK. One
 * that a program wrote, or that has nothing to say to anybody, is ERR_OK and changes nothing;
 * *did_r is what became of it, in our words. ERR_NOT_FOUND: it is to no address of ours;
 * ERR_INVALID and ERR_TOO_LARGE: it cannot be read, or passed on; ERR_FORBIDDEN: there is nobody to
 * pass it on to. What is retryable is to come again.
 */
enum err service_receive(const struct service *service, const struct service_call *call,
	const struct service_mail *mail, const char **did_r, struct err_info *info);
#endif
