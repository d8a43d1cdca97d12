#include "core_unit.h"
#include "told.h"

enum { LEASE_MS = 90 * 1000 };

#define INVITE EFFECT_MAIL_MEETING_READY
#define NEWS   EFFECT_MAIL_MEETING_UPDATED
#define CANCEL EFFECT_MAIL_MEETING_CANCELLED
#define LATER  (CORE_START + INSTANT_DAY)

/* ---- stories, told to the client ---- */

/* The first mail to the client, in its lane. */
static struct effect *news_first(const struct request *request)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->mail && effect->mail->party == PARTY_CLIENT &&
			effect->kind >= (int)INVITE)
			return effect;
	}
	return NULL;
}

static void news_settle_first(
	struct arena *arena, struct request *request, int64_t now, enum err err, bool skipped)
{
	const struct effect_outcome outcome = {.err = err, .detail = "", .skipped = skipped};
	struct cause cause = core_system(arena, now);
	struct effect *mail = news_first(request);

	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	mail->attempts += !mail->lease; /* as if it had been leased */
	news_settled(&cause, request, mail, &outcome);
}

/* A new link was asked for, and is there. */
static void news_made_again(struct arena *arena, struct request *request, int64_t now)
{
	const struct effect_outcome outcome = {.err = ERR_OK};
	struct cause cause = core_system(arena, now);

	provision_created(&cause, request, meeting_creation(request), &outcome, &core_link);
}

static void news_remake(struct arena *arena, struct request *request, int64_t now)
{
	struct cause cause = core_system(arena, now);

	meeting_remake(&cause, request);
}

/*
 * One letter a step, each a second after the one before:
 *   m move, x cancel the meeting, X cancel the request, g regenerate, l the link is there,
 *   z the provider has lost it, b a mail begins to leave, L its lease is lost,
 *   s the first mail was sent, t failed for now, p for good, k was skipped
 */
static void news_play(struct arena *arena, struct request *request, const char *steps)
{
	int64_t now = CORE_NOW;

	for (; *steps; steps++) {
		now += INSTANT_SECOND;
		switch (*steps) {
		case 'm':
			CU_ASSERT_EQUAL(
				core_move(arena, request, now, LATER + now - CORE_NOW), ERR_OK);
			break;
		case 'x':
			CU_ASSERT_EQUAL(core_cancel_meeting(arena, request, now), ERR_OK);
			break;
		case 'X':
			CU_ASSERT_EQUAL(core_cancel(arena, request, now), ERR_OK);
			break;
		case 'g':
			CU_ASSERT_EQUAL(core_regenerate(arena, request, now), ERR_OK);
			break;
		case 'l':
			news_made_again(arena, request, now);
			break;
		case 'z':
			news_remake(arena, request, now);
			break;
		case 'b':
			news_first(request)->due = now;
			CU_ASSERT_TRUE(effect_claim_one(
				request, news_first(request), now, "theirs", LEASE_MS));
			break;
		case 'L':
			news_first(request)->due = now;
			break;
		case 's':
			news_settle_first(arena, request, now, ERR_OK, false);
			break;
		case 't':
			news_settle_first(arena, request, now, ERR_TEMPORARY, false);
			break;
		case 'p':
			news_settle_first(arena, request, now, ERR_PERMANENT, false);
			break;
		default:
			news_settle_first(arena, request, now, ERR_PERMANENT, true);
		}
	}
}

/* The mails owed to the client: as of core_owed(). */
static const char *news_owed(struct arena *arena, const struct request *request)
{
	char *mails = arena_strdup(arena, core_owed(arena, request)), *to = mails;
	const char *from;

	for (from = mails; *from; from++)
		if (strchr("rudc", *from))
			*to++ = *from;
	*to = '\0';
	return mails;
}

/* From a meeting that is ready, with both invitations owed. */
static void test_news_stories(void)
{
	static const struct {
		const char *name, *steps, *owed;
		bool told;
		const char *thread; /* NULL: none */
	} cases[] = {
		{"an invitation", "", "r", false, NULL},
		{"is sent", "s", "", true, "1.0"},
		{"may have arrived", "t", "r", false, NULL},
		{"is refused for good", "p", "r", false, NULL},

		{"ready, moved and cancelled before it left: no mail", "mX", "", false, NULL},
		{"ready and cancelled before it left", "x", "", false, NULL},
		{"ready and moved before it left: one invitation", "m", "r", false, NULL},
		{"moved twice: one mail", "smm", "u", true, "1.0"},
		{"moved and cancelled: one mail", "smX", "c", false, "1.0"},
		{"cancelled after it was sent", "sX", "c", false, "1.0"},
		{"told of the cancellation", "sXs", "", false, "1.0"},

		{"cancelled after an attempt that failed", "tX", "c", false, "1.0"},
		{"cancelled after it was refused, perhaps too late", "pX", "c", false, "1.0"},
		{"cancelled while it leaves: its news wait behind", "bX", "rc", false, "1.0"},
		{"cancelled after its sender was lost", "bLX", "c", false, "1.0"},
		{"it left, and is followed", "bXs", "c", false, "1.0"},
		{"it may have left, and is not tried again", "bXt", "c", false, "1.0"},
		{"it was refused, and is not tried again", "bXp", "c", false, "1.0"},
		{"it never left, and need not be followed", "bXk", "", false, NULL},
		{"skipped, but an earlier attempt may have arrived", "tbXk", "c", false, "1.0"},

		{"moved after an attempt that failed", "tm", "u", true, "1.0"},
		{"moved while it leaves", "bm", "ru", true, "1.0"},
		{"moved while it leaves, twice", "bmm", "ru", true, "1.0"},
		{"moved while it leaves, and it left", "bms", "u", true, "1.0"},
		{"moved while it leaves, and it never did: an invitation", "bmk", "r", false, NULL},
		{"moved while it leaves, and cancelled", "bmX", "rc", false, "1.0"},
		{"moved while it leaves, cancelled, and it never did", "bmXk", "", false, NULL},
		{"moved after its sender was lost", "bLm", "u", true, "1.0"},

		{"regenerated: nothing to be said before there is a link", "g", "", false, NULL},
		{"regenerated after it was sent", "sg", "", true, "1.0"},
		{"a new link for who has the old one", "sgl", "u", true, "1.0"},
		{"a new link for who has none", "gl", "r", false, NULL},
		{"a new link is the first that is sent", "gls", "", true, "2.1"},
		{"the old one is leaving meanwhile", "bgl", "ru", true, "1.0"},
		{"and never left", "bglk", "r", false, NULL},
		{"the new link is news, and is sent", "sgls", "", true, "1.0"},
		{"regenerated while news of a move are owed", "smg", "", true, "1.0"},
		{"regenerated, moved: told when there is a link", "sgm", "u", true, "1.0"},
		{"regenerated, moved, made: one mail", "sgml", "u", true, "1.0"},
		{"regenerated, cancelled", "sgX", "c", false, "1.0"},
		{"regenerated before it left, cancelled", "gX", "", false, NULL},

		{"cancelled alone", "sx", "c", false, "1.0"},
		{"cancelled alone, a new link: one mail", "sxgl", "u", true, "1.0"},
		{"cancelled, perhaps told, a new link: invited again", "sxtgl", "cr", false, "1.0"},
		{"cancelled, a new link, cancelled: one mail", "sxglX", "c", false, "1.0"},
		{"cancelled, made again, and sent", "sxsgls", "", true, "1.0"},
		{"cancelled, made again, cancelled before it left: told once", "sxsglX", "", false,
			"1.0"},
		{"cancelled while it leaves, a new link", "bxgl", "ru", true, "1.0"},
		{"it left, and there is a new one", "bxgls", "u", true, "1.0"},
		{"it left after the new one was asked for", "bxgs", "c", false, "1.0"},
		{"cancelled again: the cancellation stands for both", "bxglsX", "c", false, "1.0"},
		{"it never left, and there is a new one", "bxglk", "r", false, NULL},
		{"its cancellation could not be sent", "sxp", "c", false, "1.0"},
		{"so the new invitation is what is told", "sxpgl", "cr", false, "1.0"},

		{"lost at the provider before it left", "z", "", false, NULL},
		{"lost at the provider, and made anew behind the same link", "szl", "", true,
			"1.0"},
		{"lost, made anew, and the first may not have arrived", "tzl", "u", true, "1.0"},
		{"lost while it leaves, and made anew", "bzl", "ru", true, "1.0"},
		{"lost while it leaves, made anew, and it left", "bzls", "u", true, "1.0"},
		{"lost and made anew before it left", "zl", "r", false, NULL},
		{"lost while it leaves", "bz", "r", true, "1.0"},
		{"lost while it leaves, and it left", "bzs", "", true, "1.0"},
		{"lost, and moved: told when there is a link", "szm", "u", true, "1.0"},
	};
	struct arena *arena;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct person_news *news;
		struct request *request;
		const char *owed;

		arena = arena_new();
		request = core_in_state(arena, CORE_READY);
		news_play(arena, request, cases[i].steps);
		owed = news_owed(arena, request);
		news = request->side[PARTY_CLIENT].news;
		if (strcmp(owed, cases[i].owed) != 0)
			printf("%s: %s\n", cases[i].name, owed);
		UNIT_CHECK(strcmp(owed, cases[i].owed) == 0, cases[i].name);
		UNIT_CHECK((news && news->invited) == cases[i].told, cases[i].name);
		if (cases[i].thread)
			UNIT_CHECK(
				news && news->thread && strcmp(news->thread, cases[i].thread) == 0,
				cases[i].name);
		else
			UNIT_CHECK(!news || !news->thread, cases[i].name);
		/* The lawyer's mails go their own way. */
		UNIT_CHECK(!request->side[PARTY_LAWYER].news ||
				   !request->side[PARTY_LAWYER].news->invited,
			cases[i].name);
		UNIT_CHECK(audit_verify(NULL, &request->events, request->id) == -1, cases[i].name);
		arena_free(&arena);
	}
}

/* ---- what a person was told last ---- */

static void test_news_told_is_what_the_mail_said(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	const struct meeting_regeneration regeneration = {.provider = "google"};
	struct cause cause = core_as_lawyer(arena, CORE_NOW + 2);
	const struct person_news *news;

	/* It was leaving when the meeting was moved, and got another link from another provider. */
	core_claim(request, CORE_NOW, "theirs", LEASE_MS);
	core_move(arena, request, CORE_NOW + 1, LATER);
	CU_ASSERT_EQUAL(
		request_regenerate(&cause, request, &regeneration, &(bool){true}, NULL), ERR_OK);
	news_made_again(arena, request, CORE_NOW + 3);
	news_settle_first(arena, request, CORE_NOW + 4, ERR_OK, false);
	news = request->side[PARTY_CLIENT].news;
	CU_ASSERT_TRUE(news->invited);
	CU_ASSERT_EQUAL(news->starts_at, CORE_START);
	CU_ASSERT_EQUAL(news->ends_at, CORE_END);
	CU_ASSERT_EQUAL(news->generation, 1);
	CU_ASSERT_STRING_EQUAL(news->provider, "zoom");
	news_settle_first(arena, request, CORE_NOW + 5, ERR_OK, false);
	CU_ASSERT_EQUAL(news->starts_at, LATER);
	CU_ASSERT_EQUAL(news->generation, 2);
	CU_ASSERT_STRING_EQUAL(news->provider, "google");
	arena_free(&arena);
}

static void test_news_mails_carry_their_version(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	const struct effect *mail = core_effect(request, INVITE, PARTY_LAWYER);

	CU_ASSERT_EQUAL(mail->sequence, 0);
	CU_ASSERT_EQUAL(mail->give_up_at, CORE_END);
	news_play(arena, request, "sm");
	mail = core_effect(request, NEWS, PARTY_CLIENT);
	CU_ASSERT_EQUAL(mail->sequence, 1);
	CU_ASSERT_EQUAL(mail->mail->starts_at, request->starts_at);
	CU_ASSERT_EQUAL(mail->give_up_at, request->ends_at);
	CU_ASSERT_STRING_EQUAL(mail->mail->provider, "jitsi");
	news_play(arena, request, "X");
	mail = core_effect(request, CANCEL, PARTY_CLIENT);
	CU_ASSERT_EQUAL(mail->sequence, 2);
	CU_ASSERT_EQUAL(mail->give_up_at, mail->created_at + 3 * INSTANT_DAY);
	CU_ASSERT_PTR_NULL(core_effect(request, CANCEL, PARTY_LAWYER));
	arena_free(&arena);
}

/* Far ahead, an invitation is tried for three days; a refusal has no meeting at all. */
static void test_news_are_given_up(void)
{
	const struct request_response far = {.starts_at = CORE_NOW + 30 * INSTANT_DAY};
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	bool changed;

	core_respond(arena, request, CORE_NOW, &far, &changed);
	core_settle_creation(arena, request, CORE_NOW + 1, ERR_OK);
	CU_ASSERT_EQUAL(core_effect(request, INVITE, PARTY_CLIENT)->give_up_at,
		CORE_NOW + 1 + 3 * INSTANT_DAY);
	request = core_in_state(arena, CORE_DECLINED);
	CU_ASSERT_EQUAL(
		core_effect(request, EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT)->give_up_at,
		CORE_NOW + 3 * INSTANT_DAY);
	arena_free(&arena);
}

static void test_news_end_with_the_meeting(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_system(arena, CORE_END + INSTANT_HOUR);

	core_claim(request, CORE_NOW, "theirs", LEASE_MS);
	core_effect(request, INVITE, PARTY_CLIENT)->due = CORE_END + 2 * INSTANT_HOUR;
	request_complete(&cause, request);
	/* The lawyer's was not leaving any more; the client's is dropped when it is settled. */
	CU_ASSERT_PTR_NULL(core_effect(request, INVITE, PARTY_LAWYER));
	news_settle_first(arena, request, CORE_END + INSTANT_HOUR, ERR_TEMPORARY, false);
	CU_ASSERT_PTR_NULL(news_first(request));
	arena_free(&arena);
}

/* ---- whatever a person sees is news when it changes ---- */

/* Each fact with another value (`to` true) or the one it had. */
static void news_set_fact(
	struct arena *arena, struct request *request, enum told_fact fact, bool to)
{
	struct meeting *meeting = request->meeting;
	struct person *client = arena_alloc(arena, sizeof(*client));

	switch (fact) {
	case TOLD_WHEN:
		meeting->ends_at = CORE_END + to * INSTANT_MINUTE;
		break;
	case TOLD_ZONE:
		request->timezone = to ? "Asia/Tokyo" : "Europe/Berlin";
		break;
	case TOLD_TITLE:
		request->title = to ? "Another" : "Lease dispute";
		break;
	case TOLD_DESCRIPTION:
		request->description = to ? NULL : "First line.\nSecond line.";
		break;
	case TOLD_MESSAGE:
		request->message = to ? "Bring the lease." : "See you there.";
		break;
	case TOLD_PEOPLE:
		*client = core_client;
		client->name = to ? "Ada King" : core_client.name;
		request->side[PARTY_CLIENT].person = client;
		break;
	case TOLD_PROVIDER:
		meeting->provider = to ? "google" : "jitsi";
		break;
	case TOLD_LINK:
		meeting->direct_url = to ? "https://meet.test/other" : NULL;
		break;
	case TOLD_OPENS:
		meeting->opens_at = CORE_START - (to ? 10 : 15) * INSTANT_MINUTE;
		break;
	case TOLD_PASSCODE:
		meeting->passcode = to ? "0815" : "4711";
		break;
	case TOLD_DIAL_IN:
		meeting->dial_in = (struct model_list){0};
		if (to)
			*(const char **)model_list_add(
				arena, &meeting->dial_in, sizeof(const char *)) = "+1 555 0100";
		break;
	case TOLD_FACTS:
		break;
	}
}

static void news_change_fact(
	struct arena *arena, struct request *request, enum told_fact fact, bool to)
{
	struct cause cause = core_system(arena, CORE_NOW + INSTANT_MINUTE);

	news_set_fact(arena, request, fact, to);
	news_owe_change(&cause, request);
}

static void test_news_of_every_fact(void)
{
	enum told_fact fact;

	for (fact = 0; fact < TOLD_FACTS; fact++) {
		struct arena *arena = arena_new();
		const char *name = arena_printf(arena, "fact %d", (int)fact);
		struct request *request = core_in_state(arena, CORE_READY);
		const char *told = told_now(arena, request, PARTY_CLIENT);
		int64_t sequence;

		/* Nothing of it has left: one invitation, of the newer version. */
		news_change_fact(arena, request, fact, true);
		UNIT_CHECK(strcmp(news_owed(arena, request), "r") == 0, name);
		UNIT_CHECK(request->meeting->sequence == 1, name);
		news_change_fact(arena, request, fact, false);
		UNIT_CHECK(told_changes(told, told_now(arena, request, PARTY_CLIENT)) == 0, name);

		news_settle_first(arena, request, CORE_NOW, ERR_OK, false);
		sequence = request->meeting->sequence;
		news_change_fact(arena, request, fact, false);
		UNIT_CHECK(strcmp(news_owed(arena, request), "") == 0, name);
		UNIT_CHECK(request->meeting->sequence == sequence, name);
		news_change_fact(arena, request, fact, true);
		UNIT_CHECK(told_changes(told, told_now(arena, request, PARTY_CLIENT)) == 1u << fact,
			name);
		UNIT_CHECK(strcmp(news_owed(arena, request), "u") == 0, name);
		UNIT_CHECK(request->meeting->sequence == sequence + 1, name);
		/* The lawyer has a zone of their own. */
		UNIT_CHECK((core_effect(request, INVITE, PARTY_LAWYER)->sequence ==
				   request->meeting->sequence),
			name);
		/* It comes and goes before the mail left. */
		news_change_fact(arena, request, fact, false);
		UNIT_CHECK(strcmp(news_owed(arena, request), "") == 0, name);
		UNIT_CHECK(request->meeting->sequence == sequence + 2, name);
		arena_free(&arena);
	}
}

/* What the version before told, it kept no note of. */
static void test_news_of_a_former_version(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_system(arena, CORE_NOW);
	struct person_news *news;

	news_settle_first(arena, request, CORE_NOW, ERR_OK, false);
	news = request->side[PARTY_CLIENT].news;
	news->facts = news->timezone = NULL;
	news->sequence = 0;
	request->meeting->sequence = 3;
	news_owe_change(&cause, request);
	CU_ASSERT_STRING_EQUAL(news_owed(arena, request), "");
	news_remember(&cause, request);
	news_change_fact(arena, request, TOLD_PASSCODE, true);
	CU_ASSERT_STRING_EQUAL(news_owed(arena, request), "u");
	CU_ASSERT_EQUAL(request->meeting->sequence, 4);
	arena_free(&arena);
}

/* The client was told the times as a clock eight hours behind UTC shows them. */
static void news_tell_clock(struct arena *arena, struct request *request)
{
	static int64_t offsets[] = {-28800, -28800};

	news_first(request)->mail->offsets = (struct model_list){.items = offsets, .count = 2};
	news_settle_first(arena, request, CORE_NOW, ERR_OK, false);
}

static void test_news_of_a_zone(void)
{
	static int64_t as_told[] = {-28800, -28800}, at_end[] = {-28800, -25200};
	static const bool to_client[PARTY_COUNT] = {[PARTY_CLIENT] = true};
	const struct model_list same = {as_told, 2}, other = {at_end, 2}, unknown = {0};
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_system(arena, CORE_NOW + 1);

	CU_ASSERT_FALSE(news_is_misread(request, PARTY_CLIENT, &other));
	news_tell_clock(arena, request);
	CU_ASSERT_FALSE(news_is_misread(request, PARTY_CLIENT, &same));
	CU_ASSERT_FALSE(news_is_misread(request, PARTY_CLIENT, &unknown));
	CU_ASSERT_FALSE(news_is_misread(request, PARTY_LAWYER, &other));
	CU_ASSERT_TRUE(news_is_misread(request, PARTY_CLIENT, &other));
	CU_ASSERT_FALSE(news_is_on_its_way(request, PARTY_CLIENT));
	CU_ASSERT_TRUE(news_owe_again(&cause, request, to_client));
	CU_ASSERT_TRUE(news_is_on_its_way(request, PARTY_CLIENT));
	CU_ASSERT_STRING_EQUAL(news_owed(arena, request), "u");
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "mail.retried");
	CU_ASSERT_FALSE(news_owe_again(&cause, request, to_client));
	CU_ASSERT_STRING_EQUAL(news_owed(arena, request), "u");
	/* That mail tells it as it is. */
	news_first(request)->mail->offsets = other;
	news_settle_first(arena, request, CORE_NOW + 2, ERR_OK, false);
	CU_ASSERT_FALSE(news_is_misread(request, PARTY_CLIENT, &other));
	CU_ASSERT_TRUE(news_is_misread(request, PARTY_CLIENT, &same));
	CU_ASSERT_FALSE(request->side[PARTY_CLIENT].news->uncertain);
	arena_free(&arena);
}

/* Who has another time or zone by now, or a meeting that is off, is told that anyway; and a
 * reminder tells the time, too. */
static void test_news_of_a_zone_and_more(void)
{
	static int64_t elsewhere[] = {-25200, -25200};
	const struct model_list other = {elsewhere, 2};
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_system(arena, CORE_START - INSTANT_HOUR);
	const struct effect_outcome done = {.err = ERR_OK};
	struct effect *reminder;

	news_tell_clock(arena, request);
	news_owe_reminder(&cause, request);
	reminder = core_effect(request, EFFECT_MAIL_MEETING_REMINDER, PARTY_CLIENT);
	reminder->attempts++;
	reminder->mail->offsets = other;
	news_settled(&cause, request, reminder, &done);
	CU_ASSERT_FALSE(news_is_misread(request, PARTY_CLIENT, &other));

	request = core_in_state(arena, CORE_READY);
	news_tell_clock(arena, request);
	news_play(arena, request, "m");
	CU_ASSERT_FALSE(news_is_misread(request, PARTY_CLIENT, &other));

	request = core_in_state(arena, CORE_READY);
	news_tell_clock(arena, request);
	news_play(arena, request, "x");
	CU_ASSERT_FALSE(news_is_misread(request, PARTY_CLIENT, &other));

	request = core_in_state(arena, CORE_READY);
	news_tell_clock(arena, request);
	request->side[PARTY_CLIENT].news->timezone = "Asia/Tokyo";
	CU_ASSERT_FALSE(news_is_misread(request, PARTY_CLIENT, &other));
	arena_free(&arena);
}

/* What nobody can act on any more is no warning: of a reminder that could not be sent, once the
 * meeting is over, and of one that is tried again and found to be late. */
static void test_news_of_a_reminder_that_failed(void)
{
	struct arena *arena = arena_new();
	const struct effect_outcome refused = {.err = ERR_PERMANENT, .detail = ""};
	const struct effect_outcome late = {.err = ERR_PERMANENT, .detail = "", .skipped = true};
	struct request *request;
	struct effect *reminder;
	struct cause cause;
	int again;

	for (again = 0; again < 2; again++) {
		cause = core_system(arena, CORE_START - INSTANT_HOUR);
		request = core_in_state(arena, CORE_READY);
		news_settle_first(arena, request, CORE_NOW, ERR_OK, false);
		news_owe_reminder(&cause, request);
		reminder = core_effect(request, EFFECT_MAIL_MEETING_REMINDER, PARTY_CLIENT);
		reminder->attempts++;
		news_settled(&cause, request, reminder, &refused);
		CU_ASSERT_PTR_NOT_NULL(meeting_warning(request->meeting, WARNING_CLIENT_NOT_TOLD));
		cause = core_system(arena, CORE_END + 1);
		reminder = core_effect(request, EFFECT_MAIL_MEETING_REMINDER, PARTY_CLIENT);
		if (again) {
			CU_ASSERT_TRUE(effect_again(&cause, request, reminder));
			news_settled(&cause, request, reminder, &late);
		} else {
			request_complete(&cause, request);
		}
		CU_ASSERT_PTR_NULL(meeting_warning(request->meeting, WARNING_CLIENT_NOT_TOLD));
	}
	arena_free(&arena);
}

static void test_news_forget_people(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_system(arena, CORE_NOW);

	news_settle_first(arena, request, CORE_NOW, ERR_OK, false);
	news_set_fact(arena, request, TOLD_TITLE, true);
	news_set_fact(arena, request, TOLD_MESSAGE, true);
	news_set_fact(arena, request, TOLD_PEOPLE, true);
	news_set_fact(arena, request, TOLD_DESCRIPTION, true);
	news_forget_people(&cause, request);
	news_owe_change(&cause, request);
	CU_ASSERT_STRING_EQUAL(news_owed(arena, request), "");
	CU_ASSERT_EQUAL(request->meeting->sequence, 0);
	news_change_fact(arena, request, TOLD_PASSCODE, true);
	CU_ASSERT_STRING_EQUAL(news_owed(arena, request), "u");
	arena_free(&arena);
}

/* ---- what the trail says ---- */

static void test_news_in_the_trail(void)
{
	static const struct {
		const char *steps, *action, *detail;
	} cases[] = {
		{"s", "mail.sent", "meeting_ready"},
		{"t", "mail.retried", "meeting_ready: temporary"},
		{"p", "mail.failed", "meeting_ready: permanent"},
		{"sms", "mail.sent", "meeting_updated"},
		{"sXs", "mail.sent", "meeting_cancelled"},
		{"bXs", "mail.sent", "meeting_ready"},
		{"bXt", "mail.discarded", "meeting_ready"},
		{"bXk", "mail.discarded", "meeting_cancelled"},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_in_state(arena, CORE_READY);
		const struct audit_event *event;

		news_play(arena, request, cases[i].steps);
		event = core_last_event(request);
		UNIT_CHECK(strcmp(event->action, cases[i].action) == 0, cases[i].steps);
		UNIT_CHECK(strcmp(event->detail, cases[i].detail) == 0, cases[i].steps);
		UNIT_CHECK(strcmp(event->to, "client") == 0, cases[i].steps);
	}
	arena_free(&arena);
}

/* ---- how many there are ---- */

static struct effect *news_mail(const struct request *request, enum effect_kind kind)
{
	return core_effect(request, kind, PARTY_CLIENT);
}

/* Moves within a minute are told together, and six mails an hour are enough for anybody; the last
 * of them says that the meeting is off. */
static void test_news_of_many_moves(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	int64_t now = CORE_NOW, sent[8], last_start = 0;
	const struct effect *mail;
	int moves, count = 0;

	core_settle_mail(
		arena, request, news_mail(request, EFFECT_MAIL_MEETING_READY), now, ERR_OK, "");
	sent[count++] = now;
	for (moves = 0; moves < 30; moves++) {
		now += 10 * INSTANT_SECOND;
		last_start = LATER + moves * INSTANT_MINUTE;
		CU_ASSERT_EQUAL(core_move(arena, request, now, last_start), ERR_OK);
		mail = news_mail(request, EFFECT_MAIL_MEETING_UPDATED);
		CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
		CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_UPDATED), 1);
		CU_ASSERT(count == 1 || mail->due >= sent[count - 1] + INSTANT_MINUTE);
		if (mail->due > now)
			continue;
		core_settle_mail(arena, request, news_mail(request, EFFECT_MAIL_MEETING_UPDATED),
			now, ERR_OK, "");
		CU_ASSERT_FATAL(count < 8);
		sent[count++] = now;
	}
	CU_ASSERT_EQUAL(count, 5);
	/* The next one says what is true by then, once the hour is over. */
	mail = news_mail(request, EFFECT_MAIL_MEETING_UPDATED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	CU_ASSERT_EQUAL(mail->due, sent[0] + INSTANT_HOUR);
	CU_ASSERT_EQUAL(mail->mail->starts_at, last_start);
	/* That it is off is said at once. */
	core_cancel(arena, request, now);
	CU_ASSERT_PTR_NULL(news_mail(request, EFFECT_MAIL_MEETING_UPDATED));
	mail = news_mail(request, EFFECT_MAIL_MEETING_CANCELLED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	CU_ASSERT_EQUAL(mail->due, now);
	arena_free(&arena);
}

/* One was leaving when the next was owed: that one waits behind it all the same, and is not kept
 * from people who are about to come. */
static void test_news_wait_behind_what_was_leaving(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct effect *mail;
	int64_t now = CORE_NOW;
	int i;

	core_settle_mail(
		arena, request, news_mail(request, EFFECT_MAIL_MEETING_READY), now, ERR_OK, "");
	for (i = 1; i <= 4; i++) {
		now = CORE_NOW + i * 2 * INSTANT_MINUTE;
		core_move(arena, request, now, LATER + i * INSTANT_MINUTE);
		mail = news_mail(request, EFFECT_MAIL_MEETING_UPDATED);
		CU_ASSERT_EQUAL(mail->due, now);
		if (i < 4)
			core_settle_mail(arena, request, mail, now, ERR_OK, "");
	}
	/* The fifth is leaving. */
	mail->lease = "theirs";
	mail->due = now + INSTANT_MINUTE;
	mail->attempts = 1;
	core_move(arena, request, now + 1, CORE_NOW + 40 * INSTANT_MINUTE);
	mail = news_mail(request, EFFECT_MAIL_MEETING_UPDATED);
	CU_ASSERT_EQUAL(mail->attempts, 1);
	core_settle_mail(arena, request, mail, now + 2, ERR_OK, "");
	mail = news_mail(request, EFFECT_MAIL_MEETING_UPDATED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	CU_ASSERT_EQUAL(mail->due, request->meeting->opens_at);
	CU_ASSERT(mail->due < CORE_NOW + INSTANT_HOUR);
	arena_free(&arena);
}

/* What waits because that person had many mails holds up nothing that may leave at once, and is not
 * begun itself meanwhile. */
static void test_news_that_wait_let_others_pass(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_system(arena, CORE_NOW);
	const struct mail answer = {.attendance = "declined"};
	struct effect *waits, *off;
	int i;

	core_settle_mail(arena, request, news_mail(request, EFFECT_MAIL_MEETING_READY), CORE_NOW,
		ERR_OK, "");
	for (i = 0; i < 4; i++) {
		news_owe_answer(&cause, request, PARTY_CLIENT, &answer);
		core_settle_mail(arena, request, news_mail(request, EFFECT_MAIL_MEETING_ANSWERED),
			CORE_NOW, ERR_OK, "");
	}
	news_owe_answer(&cause, request, PARTY_CLIENT, &answer);
	waits = news_mail(request, EFFECT_MAIL_MEETING_ANSWERED);
	CU_ASSERT_EQUAL_FATAL(waits->due, CORE_NOW + INSTANT_HOUR);
	CU_ASSERT(effect_is_head(request, waits));
	news_owe_cancellation(&cause, request);
	waits = news_mail(request, EFFECT_MAIL_MEETING_ANSWERED);
	off = news_mail(request, EFFECT_MAIL_MEETING_CANCELLED);
	CU_ASSERT_FATAL(waits && off && waits < off);
	CU_ASSERT(effect_is_head(request, off));
	CU_ASSERT_FALSE(effect_is_head(request, waits));
	/* Not where it may have left. */
	waits->attempts = 1;
	CU_ASSERT_FALSE(effect_is_head(request, off));
	CU_ASSERT(effect_is_head(request, waits));
	waits->attempts = 0;
	CU_ASSERT(effect_claim_one(request, off, CORE_NOW, "ours", INSTANT_MINUTE));
	waits->due = CORE_NOW;
	CU_ASSERT_FALSE(effect_is_head(request, waits));
	CU_ASSERT(effect_is_head(request, off));
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"stories", test_news_stories},
	{"told is what the mail said", test_news_told_is_what_the_mail_said},
	{"mails carry their version", test_news_mails_carry_their_version},
	{"are given up", test_news_are_given_up},
	{"end with the meeting", test_news_end_with_the_meeting},
	{"of every fact", test_news_of_every_fact},
	{"of a former version", test_news_of_a_former_version},
	{"of a zone", test_news_of_a_zone},
	{"of a zone and more", test_news_of_a_zone_and_more},
	{"of a reminder that failed", test_news_of_a_reminder_that_failed},
	{"forget people", test_news_forget_people},
	{"in the trail", test_news_in_the_trail},
	{"of many moves", test_news_of_many_moves},
	{"wait behind what was leaving", test_news_wait_behind_what_was_leaving},
	{"that wait let others pass", test_news_that_wait_let_others_pass},
};

UNIT_MAIN("news", cases)
