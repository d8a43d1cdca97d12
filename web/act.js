/* What may be done to a request, each with its form: what will happen, what is wanted, and what came
 * of it. What was typed outlives a token at its end, a refusal, and closing the form. */
import {
	HERE,
	Problem,
	button,
	call,
	changed,
	el,
	instant,
	knows,
	moment,
	note,
	provider,
	providers,
	put,
	session,
	stateKey,
	t,
	times,
	wall,
	zoneName,
} from "./app.js";

/* name: what is sent with it, and the fields of its form. `link` names the link of the row. */
const FORMS = {
	accept: {
		link: "respond",
		fixed: { decision: "accept" },
		fields: ["starts_at", "duration_minutes", "provider", "message"],
	},
	decline: { link: "respond", fixed: { decision: "decline" }, fields: ["message"], danger: true },
	cancel: { link: "cancel", fields: ["reason"], danger: true },
	cancel_meeting: { link: "cancel_meeting", fields: ["reason"], danger: true },
	regenerate: { link: "regenerate", fields: ["provider", "reason"] },
	reschedule: { link: "reschedule", fields: ["starts_at", "duration_minutes", "reason"] },
	retry: { link: "retry", fields: [] },
	outcome: { link: "outcome", fields: ["outcome"] },
	propose: { link: "propose", fields: ["starts_at", "duration_minutes", "message"] },
	withdraw: { link: "withdraw_proposal", method: "DELETE", fields: [], danger: true },
	proposal_accept: { link: "proposal", fixed: { decision: "accept" }, fields: ["message"] },
	proposal_decline: { link: "proposal", fixed: { decision: "decline" }, fields: ["message"], danger: true },
};

/* ---- fields ---- */

let serial = 0;

/* A label, a control, what is expected and what was wrong, tied together for those who hear them. */
export function field(name, control, { label = t(`field_${name}`), hint = "" } = {}) {
	const id = `f-${name}-${++serial}`;
	const input = control.matches("input, select, textarea")
		? control
		: control.querySelector("input, select, textarea");

	input.id = id;
	input.setAttribute("aria-describedby", `${id}-hint ${id}-wrong`);
	return el(
		"div",
		{ class: "field", "data-field": name },
		el("label", { for: id }, label),
		control,
		el("p", { id: `${id}-hint`, class: "quiet" }, hint),
		el("p", { id: `${id}-wrong`, class: "wrong" }),
	);
}

export const line = (name, attributes = {}) => el("input", { name, autocomplete: "off", ...attributes });
export const lines = (name, most) => el("textarea", { name, rows: 3, maxlength: most, dir: "auto" });

export function choice(name, pairs, chosen = "") {
	const select = el(
		"select",
		{ name },
		pairs.map(([value, text]) => el("option", { value }, text)),
	);

	select.value = chosen;
	return select;
}

/* A date and a time by the clock of one of the two people. */
function time(row, must) {
	const zones = [
		...new Set([HERE, row.timezone, row.client?.timezone, row.lawyer?.timezone].filter(knows)),
	];
	const at = row.starts_at ?? new Date(Date.now() + 864e5).toISOString();
	const start = wall(row.starts_at ? at : `${at.slice(0, 14)}00:00Z`, HERE);
	const input = line("starts_at", { type: "datetime-local", required: must, value: start });

	input.was = `${start} ${HERE}`;
	return el(
		"div",
		{ class: "pair" },
		input,
		el(
			"select",
			{ name: "zone", "aria-label": t("field_zone") },
			zones.map((zone) => el("option", { value: zone }, zoneName(zone, Date.parse(at)))),
		),
	);
}

const CONTROLS = {
	starts_at: (row, form) =>
		field("starts_at", time(row, true), { hint: form === "accept" ? t("hint_starts_at") : "" }),
	duration_minutes: (row) =>
		field(
			"duration_minutes",
			line("duration_minutes", {
				type: "number",
				min: 5,
				max: 1440,
				required: true,
				value: row.duration_minutes ?? 45,
			}),
		),
	provider: () =>
		field(
			"provider",
			choice("provider", [["", t("as_usual")], ...providers.map((name) => [name, provider(name)])]),
		),
	message: () => field("message", lines("message", 2000)),
	reason: () => field("reason", lines("reason", 2000), { hint: t("hint_reason") }),
	outcome: () =>
		field(
			"outcome",
			choice(
				"outcome",
				["held", "client_no_show", "lawyer_no_show"].map((name) => [name, t(`outcome_${name}`)]),
				"held",
			),
		),
};

/* What a form holds, as a body; of what has not been changed nothing is sent, where that is the same. */
function body(form, row, fixed, whole) {
	const sent = { ...fixed };

	for (const input of inputs(form)) {
		const value = input.type === "checkbox" ? input.checked : input.value.trim();

		if (input.name === "zone" || value === "" || value === false) continue;
		if (input.name === "starts_at") {
			const zone = form.elements.zone.value;
			if (!whole && input.was === `${input.value} ${zone}`) continue;
			sent.starts_at = instant(input.value, zone);
		} else if (input.type === "number") {
			if (whole || +value !== row[input.name]) sent[input.name] = +value;
		} else sent[input.name] = value;
	}
	return sent;
}

/* ---- the frame ---- */

const drafts = new Map();
const inputs = (form) => [...form.querySelectorAll("[name]")];

function keep(form, name) {
	drafts.set(name, new Map(inputs(form).map((input) => [input.name, [input.value, input.checked]])));
}

function restore(form, name) {
	for (const input of inputs(form)) {
		const [value, checked] = drafts.get(name)?.get(input.name) ?? [input.value, input.checked];

		input.value = value;
		input.checked = checked;
	}
}

/* Shows what was wrong where it was; what has no field stands above the buttons. */
export function blame(form, problem) {
	const rest = [];

	for (const node of form.querySelectorAll(".wrong")) node.textContent = "";
	for (const input of inputs(form)) input.removeAttribute("aria-invalid");
	for (const error of problem?.errors ?? []) {
		const name = error.pointer.split("/").filter(Boolean);
		const box =
			form.querySelector(`[data-field="${CSS.escape(name.join("."))}"]`) ??
			form.querySelector(`[data-field="${CSS.escape(name[0] ?? "")}"]`);

		if (!box) rest.push(`${error.pointer.slice(1)} ${error.detail}`);
		else {
			box.querySelector(".wrong").textContent = error.detail;
			box.querySelector("input, select, textarea").setAttribute("aria-invalid", "true");
		}
	}
	form.querySelector("[aria-invalid]")?.focus();
	return rest.join("; ");
}

/*
 * A form over the page. send() may throw a Problem, which is explained and leaves all as it was; what
 * it returns is said when it is done; null leaves the form open. `name` keeps what was typed.
 */
export function dialog(name, { title, about = [], fields, go, danger, send }) {
	const opener = document.activeElement;
	const alarm = el("p", { class: "wrong", role: "alert" });
	const extra = el("div");
	const submit = el("button", { class: danger ? "danger" : "primary" }, go);
	const form = el(
		"form",
		{},
		el("h2", { id: "dialog-title" }, title),
		about,
		fields,
		extra,
		alarm,
		el(
			"div",
			{ class: "acts" },
			submit,
			button(t("close"), () => box.close()),
		),
	);
	const box = el("dialog", { "aria-labelledby": "dialog-title" }, form);

	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		submit.disabled = true;
		alarm.textContent = t("sending");
		blame(form);
		try {
			const words = await send(form, extra);
			drafts.delete(name);
			alarm.textContent = "";
			if (words === null) return;
			form.done = true;
			box.close();
			note(words);
		} catch (problem) {
			if (!(problem instanceof Problem)) throw problem;
			const rest = blame(form, problem);
			alarm.textContent = problem.words;
			if (rest) alarm.append(el("span", { lang: "en" }, ` ${rest}`));
			if (problem.message && problem.message !== problem.words && !problem.errors.length)
				alarm.append(el("span", { lang: "en", class: "quiet" }, ` ${problem.message}`));
		} finally {
			submit.disabled = false;
		}
	});
	box.addEventListener("close", () => {
		if (!form.done) keep(form, name);
		box.remove();
		(opener?.isConnected ? opener : document.getElementById("main")).focus();
	});
	restore(form, name);
	document.body.append(box);
	box.showModal();
	(form.querySelector(".field input, .field select, .field textarea") ?? submit).focus();
	return box;
}

/* The same key for the same body: a repeat after no answer is recognised. */
function keyed() {
	let last = "",
		key = "";

	return (sent) => {
		if (JSON.stringify(sent) !== last) key = crypto.randomUUID();
		last = JSON.stringify(sent);
		return key;
	};
}

/* ---- commands ---- */

/* What somebody who decides has seen: the rest may change without changing the decision. */
const seen = (row) =>
	JSON.stringify([
		row.status,
		row.starts_at,
		row.ends_at,
		row.proposal ?? null,
		row.meeting?.status,
		row.meeting?.generation,
		row.meeting?.sequence,
	]);

export async function open(name, given) {
	if (name === "host") return host(given);
	const plan = FORMS[name];
	let { data: row, etag } = await call("GET", given.links.self);

	if (!row.links[plan.link]) {
		changed();
		return note(t("changed_meanwhile"), true);
	}
	const key = keyed();
	const facts = () => [
		el("p", { class: "state" }, t(stateKey(row))),
		el("p", { dir: "auto" }, el("strong", {}, row.title)),
		times(row),
	];
	const about = el("div", { class: "box" }, facts());
	const taken = el("div");
	const send = async (form, extra, again = false) => {
		if (!row.links[plan.link]) throw new Problem(409, { detail: t("changed_meanwhile") });
		const sent = body(form, row, plan.fixed, name === "reschedule" || name === "propose");
		const options = { etag, key: key(sent), body: plan.method ? undefined : sent };

		if (sent.starts_at === null)
			throw new Problem(422, {
				code: "invalid",
				errors: [{ pointer: "/starts_at", detail: t("no_such_time") }],
			});
		try {
			const answer = (await call(plan.method ?? "POST", row.links[plan.link], options)).data;
			await changed();
			return t(
				answer?.meeting?.status === "pending" && name !== "cancel" ? "done_pending" : `done_${name}`,
			);
		} catch (problem) {
			if (problem.code === "overlaps" && !extra.firstChild)
				extra.append(
					el(
						"p",
						{},
						el(
							"label",
							{},
							el("input", { type: "checkbox", name: "allow_overlap" }),
							" ",
							t("allow_overlap"),
						),
					),
				);
			if (problem.code === "lawyer_address_unconfirmed" && !extra.querySelector("[name=lawyer_email]"))
				extra.append(
					field(
						"lawyer_email",
						line("lawyer_email", {
							type: "email",
							required: true,
							value: session.claims.email ?? "",
						}),
					),
				);
			if (problem.status !== 412 && problem.status !== 409) throw problem;
			changed();
			const fresh = await call("GET", row.links.self);
			const same = seen(fresh.data) === seen(row);
			/* The answer to it was lost: it has been done, and only by us. */
			const done = name === "withdraw" && seen(fresh.data) === seen({ ...row, proposal: null });
			({ data: row, etag } = fresh);
			if (done) return t("done_withdraw");
			put(about, ...facts());
			if (!row.links[plan.link]) throw new Problem(409, { detail: t("changed_meanwhile") });
			if (problem.status === 412 && same && !again) return send(form, extra, true);
			throw problem;
		}
	};

	dialog(`${name} ${row.id}`, {
		title: t(`do_${name}`),
		danger: plan.danger,
		go: t(`go_${name}`),
		send,
		about: [el("p", {}, t(`say_${name}`)), about, taken],
		fields: plan.fields.map((one) => CONTROLS[one](row, name)),
	});
	if (session.claims.role === "lawyer" && plan.fields.includes("starts_at")) showTaken(row, taken);
}

/* What else the lawyer has on the days around: so that an overlap is no surprise. */
async function showTaken(row, box) {
	const start = Date.parse(row.starts_at);
	const query = new URLSearchParams({
		from: `${new Date(start - 864e5).toISOString().slice(0, 19)}Z`,
		to: `${new Date(start + 2 * 864e5).toISOString().slice(0, 19)}Z`,
	});
	const busy = (await call("GET", `/api/lawyers/${encodeURIComponent(session.claims.sub)}/busy?${query}`))
		.data.items;
	const other = busy.filter((one) => one.request_id !== row.id);

	box.append(
		el("p", { class: "quiet" }, other.length ? t("taken") : t("not_taken")),
		el(
			"ul",
			{ class: "quiet" },
			other.map((one) =>
				el(
					"li",
					{},
					`${moment(one.starts_at)} – ${moment(one.ends_at, { hour: "2-digit", minute: "2-digit" })}`,
				),
			),
		),
	);
}

/* A tab of its own, opened with the click: what comes later is kept from opening one. */
async function host(row) {
	const tab = window.open("", "_blank");

	if (!tab) return note(t("no_new_tab"), true);
	try {
		const { url } = (await call("GET", row.links.host)).data;
		tab.opener = null;
		tab.location.replace(url);
	} catch (problem) {
		tab.close();
		throw problem;
	}
}

/* ---- a new request ---- */

export function file() {
	const { claims } = session;
	const key = keyed();
	const person = (who, name, attributes) =>
		field(`${who}.${name}`, line(`${who}.${name}`, { required: true, ...attributes }), {
			label: t(`field_${name}`),
		});

	dialog("file", {
		title: t("do_file"),
		go: t("go_file"),
		about: el("p", {}, t("say_file")),
		fields: [
			field("title", line("title", { required: true, maxlength: 200, dir: "auto" })),
			field("description", lines("description", 4000)),
			el(
				"fieldset",
				{},
				el("legend", {}, t("role_lawyer")),
				person("lawyer", "name", { maxlength: 200, dir: "auto" }),
				person("lawyer", "email", { type: "email", maxlength: 254 }),
				person("lawyer", "id", { maxlength: 128 }),
			),
			!(claims.name && claims.email) &&
				el(
					"fieldset",
					{},
					el("legend", {}, t("yourself")),
					!claims.name && person("client", "name", { maxlength: 200, dir: "auto" }),
					!claims.email && person("client", "email", { type: "email" }),
				),
			CONTROLS.starts_at({}),
			CONTROLS.duration_minutes({}),
		],
		async send(form) {
			const flat = body(form, {}, {}, true);
			const sent = {
				client: {
					id: claims.sub,
					name: claims.name,
					email: claims.email,
					timezone: HERE,
					locale: document.documentElement.lang,
				},
				lawyer: {},
			};

			if (flat.starts_at === null)
				throw new Problem(422, {
					code: "invalid",
					errors: [{ pointer: "/starts_at", detail: t("no_such_time") }],
				});
			for (const [name, value] of Object.entries(flat)) {
				const [who, what] = name.split(".");
				if (what) sent[who][what] = value;
				else sent[name] = value;
			}
			await call("POST", "/api/requests", { body: sent, key: key(sent) });
			await changed();
			return t("done_file");
		},
	});
}

/* ---- a feed of one's own ---- */

export function feed() {
	const shown = el("div", { role: "status" });

	dialog("feed", {
		title: t("do_feed"),
		go: t("go_feed"),
		about: [el("p", {}, t("say_feed")), shown],
		fields: button(
			t("revoke_feed"),
			async () => {
				await call("DELETE", "/api/calendar/feed");
				put(shown, el("p", {}, t("done_revoke_feed")));
			},
			{ class: "plain" },
		),
		async send() {
			const links = (await call("POST", "/api/calendar/feed", { body: {}, key: crypto.randomUUID() }))
				.data;
			put(
				shown,
				el("p", {}, t("done_feed")),
				el("p", {}, el("a", { href: links.webcal_url }, t("open_feed"))),
				el("p", {}, el("code", {}, links.url)),
			);
			return null;
		},
	});
}
