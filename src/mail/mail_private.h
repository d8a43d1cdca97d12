#ifndef MAIL_PRIVATE_H
#define MAIL_PRIVATE_H
#include "mail_message.h"

/* Appends the head of a message but for what says how to read its body. ERR_INVALID as
 * mail_compose(). */
enum err mail_head_write(
	const struct mail_message *message, struct buf *out, struct err_info *info);
#endif
