/* What all that this process shows has in common, for entity tags: who has another program, other
 * templates, settings or keys may show something else of the same document. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "id.h"

/* The program's own file: its version stays the same from one build to the next. The version alone
 * where that cannot be read. */
static void edition_program(char hash_r[HASH_SIZE])
{
	const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	void *bytes = MAP_FAILED;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0)
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes != MAP_FAILED) {
		hash_hex(bytes, (size_t)st.st_size, hash_r);
		munmap(bytes, (size_t)st.st_size);
	} else {
		hash_texts(hash_r, APP_VERSION, NULL);
	}
	if (fd >= 0)
		close(fd);
}

const char *app_edition(struct app *app)
{
	char program[HASH_SIZE], templates[HASH_SIZE], *edition = arena_alloc(app->arena, ID_SIZE);
	unsigned char mac[SECRET_MAC_BYTES];
	const char *text;

	edition_program(program);
	tmpl_set_digest(app->templates, templates);
	text = arena_printf(app->arena, "%s %s %s %s %s <%s>", program, templates,
		app->conf->public_url, app->conf->public_request_url, app->mail_from.name,
		app->mail_from.email);
	/* By the newest key, as links are. */
	secret_mac(app->ring, SECRET_EDITION, text, strlen(text), mac);
	id_encode(mac, edition);
	return edition;
}
