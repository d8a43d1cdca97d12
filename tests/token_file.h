#ifndef TOKEN_FILE_H
#define TOKEN_FILE_H
/* Access tokens in a file that several processes share, one of them in it at a time: what the
 * database is to the product, for tests of the providers. */
#include "provider_token.h"

/* NULL: a file of this process only. False with errno when it cannot be opened. */
bool token_file_open(const char *path, struct provider_token_store *store_r);
void token_file_close(struct provider_token_store *store);
#endif
