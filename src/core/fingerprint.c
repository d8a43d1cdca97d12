#include "fingerprint.h"

#include <string.h>

#include "id.h"
#include "proposal.h"

const char *fingerprint_of(
	struct arena *arena, const struct secret_ring *ring, const struct request *request)
{
	const char *direct_url = request->meeting ? request->meeting->direct_url : NULL;
	const char *text = arena_printf(arena, "%s %d %s",
		model_text(arena, &request_model, request, MODEL_SHOWN), request->failed_at != 0,
		direct_url ? direct_url : "");
	char *fingerprint = arena_alloc(arena, ID_SIZE);
	unsigned char mac[SECRET_MAC_BYTES];

	secret_mac(ring, SECRET_SHOWN, text, strlen(text), mac);
	id_encode(mac, fingerprint);
	return fingerprint;
}

unsigned fingerprint_phase(const struct request *request, int64_t now)
{
	const struct meeting *meeting = request->meeting;
	unsigned phase = (now >= request->starts_at) | (now >= request->ends_at) << 1;

	if (meeting)
		phase |= (now >= meeting->opens_at) << 2 | (now >= meeting->expires_at) << 3 |
			 (meeting->changes_until && now >= meeting->changes_until) << 4;
	phase |= (request->proposal && now >= proposal_until(request)) << 5;
	return phase;
}
