/* The administrator's desk: forms are made of what the API says of its fields. */
import {
	Problem,
	button,
	call,
	el,
	moment,
	note,
	now,
	providers as NAMES,
	put,
	said,
	t,
	watch,
} from "./app.js";
import { blame, choice, dialog, field, line } from "./act.js";
import { event } from "./list.js";

const label = (name) => name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
const wait = async (button_, work) => {
	button_.disabled = true;
	try {
		await work();
	} finally {
		button_.disabled = false;
	}
};

/* Two presses: the first asks. */
function sure(text, work, attributes = {}) {
	let asked = null;
	const calm = () => {
		clearTimeout(asked);
		asked = null;
		one.textContent = text;
	};
	const one = button(
		text,
		() => {
			if (asked) {
				calm();
				wait(one, work);
			} else {
				asked = setTimeout(calm, 5000);
				one.textContent = t("sure", { what: text });
			}
		},
		attributes,
	);

	return one;
}

/* Fills the part of a form anew; the focus stays where it was. */
function redraw(box, ...children) {
	const focus = box.contains(document.activeElement) && document.activeElement.name;

	put(box, ...children);
	if (focus) box.querySelector(`[name="${CSS.escape(focus)}"]`)?.focus();
}

/* A form that is saved in place: what is refused is said beside its field. */
function saved(form, save) {
	const alarm = el("p", { class: "wrong", role: "alert" });
	const submit = el("button", { class: "primary" }, t("save"));

	form.append(alarm, el("div", { class: "acts" }, submit));
	form.addEventListener("submit", (happens) => {
		happens.preventDefault();
		alarm.textContent = "";
		blame(form);
		wait(submit, async () => {
			try {
				await save();
				note(t("saved"));
			} catch (problem) {
				if (!(problem instanceof Problem)) throw problem;
				const rest = blame(form, problem);
				alarm.append(
					problem.words,
					" ",
					el("span", { lang: "en" }, rest || (problem.errors.length ? "" : problem.message)),
				);
			}
		});
	});
	return form;
}

/* ---- policy ---- */

/* What the policy takes where the API's answer does not say it: a word of a list. */
const CHOICES = {
	default_provider: NAMES,
	join_links: ["gate", "direct"],
	lawyer_addresses: ["trusted", "any"],
	page_links: ["act", "view"],
};

/* A control for a value, by its kind; `path` names it in errors. */
function control(path, value) {
	const name = path.at(-1);
	const attributes = { label: el("span", { lang: "en" }, label(name)) };
	const key = path.join(".");

	if (CHOICES[name])
		return field(
			key,
			choice(
				key,
				CHOICES[name].map((one) => [one, one]),
				value,
			),
			attributes,
		);
	if (typeof value === "boolean")
		return field(key, el("input", { name: key, type: "checkbox", checked: value }), attributes);
	if (typeof value === "number")
		return field(key, line(key, { type: "number", value, required: true, min: 0 }), attributes);
	if (Array.isArray(value))
		return field(key, line(key, { value: value.join(", ") }), { ...attributes, hint: t("hint_list") });
	if (value && typeof value === "object")
		return el(
			"fieldset",
			{},
			el("legend", { lang: "en" }, label(name)),
			Object.entries(value).map(([inner, one]) => control([...path, inner], one)),
		);
	return field(key, line(key, { value: value ?? "" }), attributes);
}

/* And back: what a control holds, as the kind of thing that was there. */
function read(form, path, value) {
	const input = form.elements[path.join(".")];

	if (Array.isArray(value)) {
		const parts = input.value.split(/[\s,]+/).filter(Boolean);
		return path.at(-1).includes("minutes") ? parts.map(Number) : parts;
	}
	if (value && typeof value === "object")
		return Object.fromEntries(
			Object.entries(value).map(([name, one]) => [name, read(form, [...path, name], one)]),
		);
	if (typeof value === "boolean") return input.checked;
	return typeof value === "number" ? +input.value : input.value;
}

export async function policy(view) {
	const path = "/api/config/meetings";
	const fields = el("div");
	const form = el("form", { class: "settings" }, fields);
	let data, etag;

	function draw(answer) {
		({ data, etag } = answer);
		redraw(
			fields,
			Object.entries(data).map(([name, value]) => control([name], value)),
		);
	}
	draw(await call("GET", path));
	put(
		view,
		el("h1", {}, t("view_policy")),
		el("p", {}, t("say_policy")),
		saved(form, async () => {
			try {
				draw(await call("PUT", path, { etag, body: read(form, [], data) }));
			} catch (problem) {
				if (problem.status === 412) draw(await call("GET", path));
				throw problem;
			}
		}),
	);
	watch(view);
}

/* ---- providers ---- */

function checks(list) {
	return el(
		"ul",
		{ class: "checks" },
		list.map((check) =>
			el(
				"li",
				{ class: check.ok ? "good" : "bad" },
				el("strong", {}, check.ok ? "✓ " : "✗ ", check.name),
				" ",
				el("span", { lang: "en" }, check.detail),
			),
		),
	);
}

function condition({ health: now_ }) {
	return [
		el("p", { class: "state" }, t(`health_${now_.state}`)),
		el(
			"dl",
			{},
			el("dt", {}, t("breaker")),
			el("dd", {}, now_.breaker),
			el("dt", {}, t("last_ok")),
			el("dd", {}, moment(now_.last_ok_at)),
			now_.last_error && [
				el("dt", {}, t("last_error")),
				el(
					"dd",
					{},
					moment(now_.last_error.at),
					" ",
					el("span", { lang: "en" }, now_.last_error.detail),
				),
			],
		),
	];
}

function one(answer) {
	const path = `/api/config/providers/${answer.data.name}`;
	const state = el("div");
	const result = el("div", { role: "status" });
	const mark = el("span", { class: "quiet" });
	const fields = el("div");
	const form = el("form", { class: "settings" }, fields);
	let provider, etag;

	function draw(found) {
		({ data: provider, etag } = found);
		put(state, condition(provider));
		put(mark, t(provider.enabled ? "enabled" : "disabled"));
		redraw(
			fields,
			field("enabled", el("input", { name: "enabled", type: "checkbox", checked: provider.enabled })),
			provider.fields.map((row) => {
				const value = (row.secret ? provider.credentials : provider.settings)[row.name] ?? "";
				const name = `${row.secret ? "credentials" : "settings"}.${row.name}`;
				const input = row.choices.length
					? choice(name, [["", "–"], ...row.choices.map((word) => [word, word])], value)
					: row.multi_line
						? el("textarea", {
								name,
								rows: 4,
								autocomplete: "off",
								spellcheck: "false",
								placeholder: value,
							})
						: line(
								name,
								row.secret
									? { type: "password", autocomplete: "new-password", placeholder: value }
									: { value },
							);

				return field(name, input, {
					label: el("span", { lang: "en" }, label(row.name)),
					hint: el("span", { lang: "en" }, row.help ?? ""),
				});
			}),
		);
	}
	draw(answer);

	/* A credential that is left empty is kept. */
	const given = () => {
		const sent = { settings: {}, credentials: {} };

		for (const { name, secret } of provider.fields) {
			const value = form.elements[`${secret ? "credentials" : "settings"}.${name}`].value.trim();
			if (value) sent[secret ? "credentials" : "settings"][name] = value;
		}
		return sent;
	};
	const test = (deep) => async (happens) =>
		wait(happens.target, async () => {
			put(result, el("p", {}, t("testing")));
			try {
				const answer = (
					await call("POST", `${path}/validate`, {
						body: { ...given(), deep },
						key: crypto.randomUUID(),
						patience: 90000,
					})
				).data;
				put(result, el("p", {}, t(answer.ok ? "test_ok" : "test_bad")), checks(answer.checks));
			} catch (problem) {
				put(result, el("p", { class: "wrong" }, problem.words, " ", blame(form, problem)));
			}
		});

	saved(form, async () => {
		try {
			draw(
				await call("PUT", path, {
					etag,
					body: { enabled: form.elements.enabled.checked, ...given() },
				}),
			);
		} catch (problem) {
			if (problem.status === 412) draw(await call("GET", path));
			throw problem;
		}
	});
	form.lastChild.append(
		button(t("test"), test(false)),
		button(t("test_deep"), test(true)),
		sure(
			t("remove"),
			async () => {
				await call("DELETE", path);
				note(t("removed"));
				location.reload();
			},
			{ class: "danger" },
		),
	);
	return {
		state,
		node: el(
			"details",
			{ class: "card" },
			el("summary", {}, provider.title, " ", mark),
			state,
			form,
			result,
		),
	};
}

export async function providers(view) {
	const list = (await call("GET", "/api/config/providers")).data.items;
	const parts = [];

	for (const { name } of list) {
		const answer = await call("GET", `/api/config/providers/${name}`);
		parts.push({ name, ...one(answer) });
	}
	put(
		view,
		el("h1", {}, t("view_providers")),
		el("p", {}, t("say_providers")),
		parts.map(({ node }) => node),
	);
	/* How they are is looked at again; what is being typed is left alone. */
	return watch(view, async () => {
		for (const item of (await call("GET", "/api/config/providers")).data.items)
			put(parts.find(({ name }) => name === item.name).state, condition(item));
	});
}

/* ---- tables ---- */

/* A table that reads as a list where there is no room. */
function table(heads, rows) {
	return el(
		"table",
		{},
		el(
			"thead",
			{},
			el(
				"tr",
				{},
				heads.map((head) => el("th", { scope: "col" }, head)),
			),
		),
		el(
			"tbody",
			{},
			rows.map((cells) =>
				el(
					"tr",
					{},
					cells.map((cell, i) => el("td", { "data-head": heads[i] }, cell ?? "–")),
				),
			),
		),
	);
}

/* A list with a cursor: `more` gets the next page. */
function paged(heads, path, cells) {
	const box = el("div");
	let rows = [],
		cursor = null,
		latest = 0;
	const further = button(t("further"), () => wait(further, () => load(cursor)));

	async function load(from = null) {
		const mine = ++latest;
		const page = (
			await call(
				"GET",
				from
					? `${path()}${path().includes("?") ? "&" : "?"}cursor=${encodeURIComponent(from)}`
					: path(),
			)
		).data;

		if (mine !== latest) return; /* asked for something else meanwhile */
		rows = from ? [...rows, ...page.items] : page.items;
		cursor = page.next_cursor;
		put(
			box,
			rows.length ? table(heads, rows.map(cells)) : el("p", { class: "quiet" }, t("nothing_here")),
		);
		further.hidden = !cursor;
	}
	return { node: el("div", {}, box, further), load };
}

/* ---- outbox ---- */

export function outbox(view) {
	const count = el("p", { role: "status" });
	const state = choice(
		"state",
		[
			["failed", t("outbox_failed")],
			["due", t("outbox_due")],
			["waiting", t("outbox_waiting")],
			["", t("any")],
		],
		"failed",
	);
	const decide = (id, what) => async () => {
		await call("POST", `/api/outbox/${encodeURIComponent(id)}/${what}`, {
			body: {},
			key: crypto.randomUUID(),
		});
		note(t(`done_${what}_effect`));
		return list.load();
	};
	const readdress = (item) => () =>
		dialog(`readdress ${item.id}`, {
			title: t("readdress"),
			go: t("readdress"),
			about: el("p", {}, t("say_readdress"), " ", said(item.email)),
			fields: field("email", line("email", { type: "email", required: true })),
			async send(form) {
				await call("POST", `/api/outbox/${encodeURIComponent(item.id)}/readdress`, {
					body: { email: form.elements.email.value },
					key: crypto.randomUUID(),
				});
				await list.load();
				return t("done_readdress_effect");
			},
		});
	const list = paged(
		[t("what"), t("to"), t("since"), t("attempts"), t("next_attempt"), t("last_error"), t("decide")],
		() => `/api/outbox?limit=50${state.value && `&state=${state.value}`}`,
		(item) => [
			[el("code", {}, item.kind), " ", el("span", { class: "quiet" }, item.request_id)],
			said(item.email ?? item.provider ?? "–"),
			moment(item.created_at),
			String(item.attempts),
			item.state === "failed" ? t("outbox_failed") : moment(item.due),
			item.last_error && [
				el("span", { lang: "en" }, item.last_error.detail),
				" ",
				moment(item.last_error.at),
			],
			item.state === "failed" &&
				el(
					"div",
					{ class: "acts" },
					sure(t("retry"), decide(item.id, "retry")),
					sure(t("discard"), decide(item.id, "discard"), { class: "danger" }),
					item.email && button(t("readdress"), readdress(item)),
				),
		],
	);

	state.addEventListener("change", () => list.load());
	put(
		view,
		el("h1", {}, t("view_outbox")),
		el("p", {}, t("say_outbox")),
		count,
		field("state", state),
		list.node,
	);
	let before = "";
	return watch(view, async () => {
		/* The first page again, where something has changed and nobody is in the middle of it. */
		const page = (await call("GET", `/api/outbox?limit=1`)).data;
		const text = JSON.stringify(page.counts);

		count.textContent = t("outbox_counts", page.counts);
		if (text !== before && !list.node.contains(document.activeElement)) {
			await list.load();
			before = text;
		}
	});
}

/* ---- webhooks ---- */

const secret = (answer) =>
	dialog(`secret ${answer.id}`, {
		title: t("secret"),
		go: t("secret_kept"),
		about: [el("p", {}, t("say_secret")), el("p", {}, el("code", {}, answer.secret))],
		fields: [],
		send: async () => t("saved"),
	});

export function webhooks(view) {
	const deliveries = el("div");
	const add = () =>
		dialog("webhook", {
			title: t("add_webhook"),
			go: t("add_webhook"),
			fields: [
				field("url", line("url", { type: "url", required: true })),
				field("events", line("events", { required: true, value: "request.*, meeting.*" }), {
					hint: t("hint_list"),
				}),
			],
			async send(form) {
				const sent = {
					url: form.elements.url.value,
					events: form.elements.events.value.split(/[\s,]+/).filter(Boolean),
				};
				const answer = (
					await call("POST", "/api/config/webhooks", { body: sent, key: crypto.randomUUID() })
				).data;
				await list.load();
				setTimeout(() => secret(answer));
				return t("saved");
			},
		});
	const show = (hook) => async () => {
		const log = paged(
			[t("what"), t("state"), t("since"), t("attempts"), t("last_error"), t("decide")],
			() => `/api/config/webhooks/${hook.id}/deliveries?limit=50`,
			(item) => [
				[el("code", {}, item.type), " ", el("span", { class: "quiet" }, item.request_id)],
				`${item.state}${item.status ? ` (${item.status})` : ""}`,
				moment(item.created_at),
				String(item.attempts),
				item.last_error && el("span", { lang: "en" }, item.last_error.detail),
				sure(t("redeliver"), async () => {
					await call("POST", `/api/config/webhooks/${hook.id}/deliveries/${item.id}/redeliver`, {
						body: {},
						key: crypto.randomUUID(),
					});
					await log.load();
				}),
			],
		);
		put(deliveries, el("h2", { tabindex: -1 }, t("deliveries_of", { url: hook.url })), log.node);
		await log.load();
		deliveries.firstChild.focus();
	};
	const list = paged(
		[t("url"), t("events"), t("state"), t("decide")],
		() => "/api/config/webhooks?limit=50",
		(hook) => [
			el("code", {}, hook.url),
			hook.events.join(", "),
			hook.disabled_at ? t("disabled_since", { time: moment(hook.disabled_at) }) : t("enabled"),
			el(
				"div",
				{ class: "acts" },
				button(t("deliveries"), show(hook)),
				sure(t("rotate"), async () =>
					secret(
						(
							await call("POST", `/api/config/webhooks/${hook.id}/rotate`, {
								body: {},
								key: crypto.randomUUID(),
							})
						).data,
					),
				),
				sure(
					t("remove"),
					async () => {
						await call("DELETE", `/api/config/webhooks/${hook.id}`);
						await list.load();
					},
					{ class: "danger" },
				),
			),
		],
	);

	put(
		view,
		el("h1", {}, t("view_webhooks")),
		el("p", {}, t("say_webhooks")),
		el("div", { class: "acts" }, button(t("add_webhook"), add, { class: "primary" })),
		list.node,
		deliveries,
	);
	watch(view);
	return list.load();
}

/* ---- audit ---- */

export function audit(view) {
	const items = el("ol", { class: "trail" });
	const further = button(t("further"), () => wait(further, () => load(cursor)), { hidden: true });
	const alarm = el("p", { class: "wrong", role: "alert" });
	const verdict = el("p", { role: "status" });
	let cursor = null,
		asked = null, /* whose trail is shown, if it is one request's */
		latest = 0;
	const verify = button(
		t("verify"),
		() =>
			wait(verify, async () => {
				const id = asked;
				alarm.textContent = "";
				put(verdict);
				try {
					const path = `/api/requests/${encodeURIComponent(id)}/audit/verify`;
					const { whole, events, reason } = (await call("GET", path)).data;
					if (id !== asked) return;
					verdict.className = `state ${whole ? "good" : "bad"}`;
					put(
						verdict,
						whole
							? t("trail_whole", { events })
							: [t("trail_broken"), " ", el("span", { lang: "en" }, reason)],
					);
				} catch (problem) {
					if (!(problem instanceof Problem)) throw problem;
					if (id === asked) alarm.textContent = problem.words;
				}
			}),
		{ hidden: true },
	);
	const form = el(
		"form",
		{ class: "filters", role: "search" },
		["actor", "action", "request_id"].map((name) => field(name, line(name))),
		field("from", line("from", { type: "datetime-local" })),
		field("to", line("to", { type: "datetime-local" })),
		el("div", { class: "acts" }, el("button", { class: "primary" }, t("search"))),
	);

	async function load(from) {
		const mine = ++latest;
		const query = new URLSearchParams({ limit: 50 });

		for (const input of form.elements)
			if (input.name && input.value)
				query.set(
					input.name,
					input.type === "datetime-local"
						? `${new Date(input.value).toISOString().slice(0, 19)}Z`
						: input.value.trim(),
				);
		if (from) query.set("cursor", from);
		alarm.textContent = "";
		blame(form);
		try {
			const page = (await call("GET", `/api/audit?${query}`)).data;
			if (mine !== latest) return; /* searched for something else meanwhile */
			if (!from) {
				asked = query.get("request_id");
				verify.hidden = !asked;
				put(verdict);
				put(items);
			}
			items.append(
				...page.items.map((each) => {
					const node = event(each);
					if (each.request_id) node.append(" ", el("code", {}, each.request_id));
					return node;
				}),
			);
			if (!items.children.length) items.append(el("li", {}, t("nothing_here")));
			cursor = page.next_cursor;
			further.hidden = !cursor;
		} catch (problem) {
			if (!(problem instanceof Problem)) throw problem;
			alarm.textContent = `${problem.words} ${blame(form, problem)}`;
		}
	}
	form.addEventListener("submit", (happens) => {
		happens.preventDefault();
		load();
	});
	put(
		view,
		el("h1", {}, t("view_audit")),
		el("p", {}, t("say_audit")),
		form,
		alarm,
		verify,
		verdict,
		items,
		further,
	);
	watch(view);
	return load();
}

/* ---- how it is ---- */

const KEPT = 90; /* looks: a quarter of an hour */
const past = [];

const COUNTS = ["requests_failed", "meetings_made", "provider_calls_failed", "mails_sent", "mails_failed"];
const lately = []; /* what happened between looks */
const looks = new Map(); /* the latest at each host, which its start tells from others */
let latest = Infinity; /* when any was looked at, in ms */

/* Hosts count from their start: of one that started since we looked all is new, of one that is met
 * for the first time nobody knows what is. */
function compare(seen) {
	const isNew = Date.parse(seen.started_at) > latest;
	const from = looks.get(seen.started_at) ?? (isNew && { at: seen.started_at });

	looks.set(seen.started_at, seen);
	latest = Date.parse(seen.at);
	if (!from) return;
	const since = (name) => Math.max(0, seen[name] - (from[name] ?? 0));
	const seconds = Math.max(1, (Date.parse(seen.at) - Date.parse(from.at)) / 1000);

	lately.push({
		requests: (60 * since("requests")) / seconds,
		latency: since("requests_us") / 1000 / Math.max(1, since("requests")),
		...Object.fromEntries(COUNTS.map((name) => [name, since(name)])),
	});
	if (lately.length > KEPT) lately.shift();
}

/* A line of the latest values; the words beside it say the same. */
function spark(values) {
	const width = 240,
		height = 40,
		most = Math.max(1, ...values);
	const points = values.map(
		(value, i) =>
			`${((i + KEPT - values.length) * width) / (KEPT - 1)},${(height - 2 - (value * (height - 4)) / most).toFixed(1)}`,
	);

	return el(
		"svg:svg",
		{ viewBox: `0 0 ${width} ${height}`, class: "spark", "aria-hidden": "true", focusable: "false" },
		el("svg:polyline", { points: points.join(" "), fill: "none", "vector-effect": "non-scaling-stroke" }),
	);
}

const figure = (name, value, values) =>
	el(
		"figure",
		{ "data-figure": name },
		el("figcaption", {}, t(`figure_${name}`)),
		el("p", { class: "number" }, String(value)),
		spark(values),
	);

/* Rates are those of now, counts of all that is drawn. */
function drawn() {
	return Object.keys(lately[0] ?? {}).map((name) => {
		const values = lately.map((each) => each[name]);
		const value = COUNTS.includes(name)
			? values.reduce((sum, each) => sum + each, 0)
			: Math.round(10 * values.at(-1)) / 10;

		return figure(name, value, values);
	});
}

function bars(kinds) {
	const rows = Object.entries(kinds);
	const most = Math.max(1, ...rows.map(([, { owed, failed }]) => owed + failed));

	return table(
		[t("what"), t("figure_owed"), t("outbox_failed"), ""],
		rows.map(([kind, { owed, failed }]) => [
			el("code", {}, kind),
			String(owed),
			String(failed),
			el(
				"svg:svg",
				{
					viewBox: "0 0 200 10",
					preserveAspectRatio: "none",
					class: "bar",
					"aria-hidden": "true",
					focusable: "false",
				},
				el("svg:rect", { width: (200 * owed) / most, height: 10, class: "owed" }),
				el("svg:rect", {
					x: (200 * owed) / most,
					width: (200 * failed) / most,
					height: 10,
					class: "failed",
				}),
			),
		]),
	);
}

/* "ready", or why not: an answer of 503 is one too. */
async function readiness() {
	try {
		const answer = await fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(30000) });
		const text = await answer.json().catch(() => ({}));

		return answer.ok ? "" : (text.detail ?? t("code_unreachable"));
	} catch {
		return t("code_unreachable");
	}
}

export function health(view) {
	const figures = el("div", { class: "figures" });
	const ready = el("p", { role: "status", class: "state" });
	const live = el("div", { class: "figures" });
	const kinds = el("div");

	put(
		view,
		el("h1", {}, t("view_health")),
		ready,
		figures,
		el("h2", {}, t("live")),
		el("p", {}, t("say_live")),
		live,
		el("h2", {}, t("owed")),
		kinds,
	);
	return watch(view, async () => {
		const [board, box, counted, why] = await Promise.all([
			call("GET", "/api/dashboard"),
			call("GET", "/api/outbox?limit=1"),
			call("GET", "/api/figures"),
			readiness(),
		]);
		const seen = {
			...board.data.counts,
			owed_due: box.data.counts.due,
			owed_waiting: box.data.counts.waiting,
			owed_failed: box.data.counts.failed,
			oldest_due: box.data.oldest_due_at
				? Math.max(0, Math.round((now() - Date.parse(box.data.oldest_due_at)) / 1000))
				: 0,
		};

		past.push(seen);
		if (past.length > KEPT) past.shift();
		ready.textContent = why ? t("not_ready", { why }) : t("ready");
		ready.className = `state ${why ? "bad" : "good"}`;
		put(
			figures,
			...Object.entries(seen).map(([name, value]) =>
				figure(
					name,
					value,
					past.map((each) => each[name]),
				),
			),
		);
		compare(counted.data);
		put(live, drawn());
		put(
			kinds,
			Object.keys(box.data.counts.kinds).length
				? bars(box.data.counts.kinds)
				: el("p", { class: "quiet" }, t("nothing_here")),
		);
	});
}
