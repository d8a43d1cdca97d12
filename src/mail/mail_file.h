#ifndef MAIL_FILE_H
#define MAIL_FILE_H
/* Mails as files, for installations without a mail server. Blocks on the disk. */
#include <stddef.h>

#include "err.h"

/* Makes the folder and its parents, mode 0700. ERR_CONFIG. */
enum err mail_folder_make(const char *folder, struct err_info *info);

/* Writes `<folder>/<message id>.eml`, mode 0600, replacing it at once. The id is one that
 * mail_message_id_valid() takes. ERR_TEMPORARY. */
enum err mail_file_write(const char *folder, const char *message_id, const char *bytes, size_t len,
	struct err_info *info);
#endif
