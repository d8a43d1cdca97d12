/* A person's page of a request, by a link of that person's own. */
#include "config.h"
#include "erase.h"
#include "service_private.h"

static bool service_page_is_cancelled(const struct request *request)
{
	return request->status == REQUEST_CANCELLED ||
	       (request->status == REQUEST_ACCEPTED &&
		       request->meeting->status == MEETING_CANCELLED);
}

enum err service_page_open(const struct service *service, const struct service_call *call,
	const char *token, struct service_page *page_r, struct err_info *info)
{
	const struct config *config;
	struct request *request;
	struct gate_pass pass;
	enum err err = ERR_NOT_FOUND;

	if (gate_token_read(service->ring, GATE_PAGE, token, &pass))
		err = store_request_load(service->store, call->arena, pass.request_id,
			STORE_CURRENT, &request, info);
	if (err == ERR_NOT_FOUND ||
		(err == ERR_OK && erase_is_done(request->side[pass.party].person)))
		return err_set(info, ERR_NOT_FOUND, "This link is not known.");
	if (err == ERR_OK)
		err = service_config_load(service, call, &config, info);
	if (err != ERR_OK)
		return err;
	*page_r = (struct service_page){
		.party = pass.party,
		.request = request,
		.acts = config->policy->page_links == PAGE_LINKS_ACT,
	};
	if (service_page_is_cancelled(request))
		page_r->canceller = service_find_canceller(service, call->arena, &page_r->request);
	return ERR_OK;
}

enum err service_page_act(const struct service *service, const struct service_call *call,
	const struct service_page *page, enum command command, void *input, struct err_info *info)
{
	const struct person *person = page->request->side[page->party].person;
	struct service_call own = *call;
	struct service_answer answer;

	if (!page->acts)
		return err_set(info, ERR_FORBIDDEN, "This page is for looking only.");
	own.caller = (struct actor){.id = person->id, .role = party_roles[page->party]};
	own.source = SOURCE_GATE;
	return service_command(service, &own, command, page->request->id, input, &answer, info);
}
