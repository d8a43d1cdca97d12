#ifndef FINGERPRINT_H
#define FINGERPRINT_H
/*
 * What is shown of a request follows from what is stored of it, from which of its times have come,
 * and from who asks. A fingerprint of the first is kept with every write, so an entity tag needs
 * neither the rest of the document nor the answer. (`rev` would not do: it moves with every mail
 * that leaves, and who changes what they have seen would be refused for it.)
 */
#include "request.h"
#include "secret.h"

/* Of every shown field, and of what else is looked at for showing. Keyed, for it is stored beside
 * passcodes that could be guessed by it. In the arena. */
const char *fingerprint_of(
	struct arena *arena, const struct secret_ring *ring, const struct request *request);

/* Which of its times have come, as bits: what is shown changes by itself at no other time. */
unsigned fingerprint_phase(const struct request *request, int64_t now);
#endif
