/*
 * All that the first view needs, in one file: words, elements, times, the API, and the overview.
 * What comes later is loaded when it is asked for: act.js (forms), list.js (all requests), desk.js
 * (the administrator's), signin.js (tokens that are missing or at their end).
 */

/* ---- words ---- */

const WORDS = JSON.parse(document.getElementById("words").textContent);
const LANGUAGES = ["en", "de", "fr"];
const wanted = navigator.languages ?? [navigator.language];
/* As the browser writes it, "de-AT": dates follow it. */
export const locale = wanted.find((tag) => LANGUAGES.includes(tag.slice(0, 2))) ?? "en";
const column = LANGUAGES.indexOf(locale.slice(0, 2));

/* The words of a key, with {name} replaced; a key that has none stands for itself. */
export function t(key, values = {}) {
	const text = WORDS[key]?.[column] ?? key.replaceAll("_", " ");
	return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const known = (key) => key in WORDS;

/* ---- elements ---- */

/* Only what leads to a page, a mail or a calendar: nothing that runs. */
function address(url) {
	return /^(https?|webcal|mailto|tel):/i.test(url) || /^(#|\/(?!\/))/.test(url) ? url : null;
}

/* An element. Children are nodes, or texts, which become text nodes; null and false are left out. */
export function el(tag, attributes = {}, ...children) {
	const svg = tag.startsWith("svg:");
	const node = svg
		? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
		: document.createElement(tag);

	for (const [name, value] of Object.entries(attributes)) {
		if (value === null || value === undefined || value === false) continue;
		if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
		else if (name === "value") node.value = value;
		else if (name === "href") node.setAttribute(name, address(value) ?? "#");
		else node.setAttribute(name, value === true ? "" : value);
	}
	return put(node, children);
}

/* Fills a node with these, in place of what is in it. */
export function put(node, ...children) {
	node.replaceChildren(
		...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false),
	);
	return node;
}

/* A link to somewhere else. */
export const away = (url, text, attributes = {}) =>
	el("a", { href: url, target: "_blank", rel: "noopener noreferrer", ...attributes }, text);

export const button = (text, onclick, attributes = {}) =>
	el("button", { type: "button", onclick, ...attributes }, text);

/* What people have written reads in its own direction. */
export const said = (text) => el("bdi", {}, text);

let alarmed = 0;

export function note(text, bad = false) {
	const line = document.getElementById(bad ? "alarm" : "note");

	if (bad) alarmed = Date.now();
	line.textContent = "";
	line.append(text);
}

/* ---- times ---- */

export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
let skew = null; /* of the clock here; null: not known yet */

/* What time it is on the server. */
export const now = () => Date.now() + (skew ?? 0);

/* Learns it from an answer. It has whole seconds, which is less than a clock that is wrong. */
function learn(at) {
	if (at && (skew === null || Math.abs(at - now()) > 2000)) skew = at - Date.now();
}

const formats = new Map();

/* A format is made once: making one takes much longer than writing with it. Null: a zone that this
 * browser does not know. */
function format(language, options) {
	const key = JSON.stringify([language, options]);

	if (!formats.has(key)) {
		try {
			formats.set(key, new Intl.DateTimeFormat(language, options));
		} catch {
			formats.set(key, null);
		}
	}
	return formats.get(key);
}

const dated = (zone, options) => format(locale, { timeZone: zone, ...options });

const DAY = { weekday: "short", year: "numeric", month: "short", day: "numeric" };
const CLOCK = { hour: "numeric", minute: "2-digit" };

export const knows = (zone) => Boolean(zone && dated(zone));

export const zoneName = (zone, at) =>
	`${zone.replaceAll("_", " ")} (${
		dated(zone, { timeZoneName: "shortOffset" })
			.formatToParts(at)
			.find((part) => part.type === "timeZoneName").value
	})`;

export function moment(at, options = { ...DAY, ...CLOCK }) {
	return at ? dated(HERE, options).format(new Date(at)) : "–";
}

/* "Mon, 1 Mar 2027, 14:00 – 15:00", or NULL. */
function span(from, to, zone) {
	return dated(zone, { ...DAY, ...CLOCK })?.formatRange(from, to);
}

/* Minutes that the zone is ahead of UTC at that moment. */
function ahead(zone, at) {
	const parts = {};

	for (const { type, value } of format("en", {
		timeZone: zone,
		hourCycle: "h23",
		year: "numeric",
		month: "numeric",
		day: "numeric",
		hour: "numeric",
		minute: "numeric",
		second: "numeric",
	}).formatToParts(at))
		parts[type] = +value;
	const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
	return Math.round((wall - at) / 60000);
}

/* The instant of "2027-03-01T14:00" in a zone, the earlier one if there are two; null: there is no
 * such time there. */
export function instant(text, zone) {
	const wall = Date.parse(`${text}Z`);
	if (Number.isNaN(wall)) return null;

	const first = [...new Set([ahead(zone, wall - 864e5), ahead(zone, wall + 864e5)])]
		.map((minutes) => wall - minutes * 60000)
		.filter((at) => at + ahead(zone, at) * 60000 === wall)
		.sort((a, b) => a - b)[0];

	return first === undefined ? null : `${new Date(first).toISOString().slice(0, 19)}Z`;
}

/* The other way: what a clock in the zone shows. */
export const wall = (at, zone) =>
	new Date(Date.parse(at) + ahead(zone, Date.parse(at)) * 60000).toISOString().slice(0, 16);

const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

/* "in 3 hours" */
export function until(at) {
	const seconds = (Date.parse(at) - now()) / 1000;

	for (const [unit, size, from] of [
		["day", 86400, 172800],
		["hour", 3600, 7200],
		["minute", 60, 90],
	])
		if (Math.abs(seconds) >= from) return relative.format(Math.round(seconds / size), unit);
	return relative.format(Math.round(seconds), "second");
}

/* Texts that follow the clock: functions that say whether they are still wanted. */
const ticking = new Set();

export function tick(node, update) {
	const each = () => node.isConnected && update(node) !== false;

	update(node);
	ticking.add(each);
	return node;
}

setInterval(() => {
	for (const each of ticking) if (!document.hidden && !each()) ticking.delete(each);
}, 1000);

/* ---- who is here ---- */

export const session = { token: null, claims: null };
const kept = "meetlink.token";
const waiting = [];
export const tabs = new BroadcastChannel("meetlink");

function claimsOf(token) {
	try {
		const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
		const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
		const claims = JSON.parse(new TextDecoder().decode(bytes));

		return claims.sub && claims.role ? claims : null;
	} catch {
		return null;
	}
}

/* By the server's clock, or because it has said so (exp is 0 then). */
const isOver = ({ exp }) => exp === 0 || (skew !== null && exp * 1000 <= now());
const isSame = (one, other) => one.sub === other.sub && one.role === other.role;

/* Takes a token; false when it is none, or at its end already. Another person begins anew. */
export function adopt(token, from = "") {
	const claims = claimsOf(String(token));
	const before = session.claims;

	if (!claims || isOver(claims)) return false;
	if (from === "tab" && !(before && isSame(before, claims))) return false;
	sessionStorage.setItem(kept, token);
	if (before && !isSame(before, claims)) {
		location.reload();
		return true;
	}
	Object.assign(session, { token, claims });
	if (from !== "tab") tabs.postMessage({ token });
	for (const resolve of waiting.splice(0)) resolve();
	return true;
}

/* Waits for a token that works, whoever brings it. */
async function renewed() {
	const fresh = new Promise((resolve) => waiting.push(resolve));
	const signin = await import("./signin.js");

	signin.ask();
	await fresh;
	signin.answered();
}

/* The fragment is gone before anything is asked, and before anybody sees it. */
function takeFragment() {
	const token = new URLSearchParams(location.hash.slice(1)).get("token");

	if (token === null) return;
	history.replaceState(null, "", location.pathname + location.search);
	const claims = claimsOf(token);
	const before = session.claims ?? claimsOf(sessionStorage.getItem(kept) ?? "");
	const name = (one) => one.name ?? one.sub;

	/* A link is anybody's: nobody becomes somebody else unawares. */
	if (
		!claims ||
		!before ||
		isSame(before, claims) ||
		confirm(t("other_person", { before: name(before), name: name(claims) }))
	)
		adopt(token);
}

/* ---- the API ---- */

export class Problem extends Error {
	constructor(status, problem, after) {
		super(problem.detail ?? problem.title ?? "");
		Object.assign(this, {
			status,
			code: problem.code,
			errors: problem.errors ?? [],
			after,
			at: problem.instance,
		});
	}

	/* In the reader's language where there are words for it, and what the service says itself. */
	get words() {
		return known(`code_${this.code}`) ? t(`code_${this.code}`) : this.message || t("code_internal");
	}
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* The first look of all was asked for by index.html, while this file was on its way. */
function takeEarly(method, path) {
	const { early } = window;

	window.early = null;
	return early?.token === session.token &&
		method === "GET" &&
		path === early.path &&
		Date.now() - early.at < OLD - EVERY
		? early.answer
		: null;
}

async function once(method, path, { body, etag, key, patience = 30000 }) {
	const headers = { Authorization: `Bearer ${session.token}`, Accept: "application/json" };
	let answer, text;

	if (body !== undefined) headers["Content-Type"] = "application/json";
	if (key) headers["Idempotency-Key"] = key;
	if (etag) headers[method === "GET" ? "If-None-Match" : "If-Match"] = etag;
	try {
		answer = await (takeEarly(method, path) ??
			fetch(path, {
				method,
				headers,
				cache: "no-store",
				credentials: "omit",
				referrerPolicy: "no-referrer",
				body: body === undefined ? undefined : JSON.stringify(body),
				signal: AbortSignal.timeout(patience),
			}));
		learn(Date.parse(answer.headers.get("Date")));
		text = answer.status === 304 ? "" : await answer.text();
	} catch {
		throw new Problem(0, { code: "unreachable" });
	}
	if (answer.ok || answer.status === 304) {
		return {
			status: answer.status,
			etag: answer.headers.get("ETag"),
			data: text ? JSON.parse(text) : null,
		};
	}
	let problem = {};
	try {
		problem = JSON.parse(text);
	} catch {
		/* not from us: the status has to do */
	}
	throw new Problem(answer.status, problem, +answer.headers.get("Retry-After") || 0);
}

const passes = (problem) =>
	[0, 429, 502, 503, 504].includes(problem.status) && problem.code !== "too_many_changes";

/*
 * One call: {status, etag, data}, or a Problem is thrown. A token at its end is renewed, however long
 * that takes, and the call made again. What is sent under a key is safe to repeat, and is, twice.
 */
export async function call(method, path, options = {}) {
	for (let tries = 0; ; tries++) {
		if (!session.token || isOver(session.claims)) await renewed();
		const used = session.token;
		try {
			return await once(
				method,
				new URL(path, location.origin).pathname + new URL(path, location.origin).search,
				options,
			);
		} catch (problem) {
			if (problem.status === 401) {
				/* Another one may have come meanwhile. If that is refused too, not at once again. */
				if (session.token === used) session.claims.exp = 0;
				await pause(Math.min(1000 * 2 ** tries, EVERY) - 1000);
				continue;
			}
			if (!options.key || tries >= 2 || !passes(problem)) throw problem;
			await pause(1000 * Math.max(problem.after || 0, 1 + tries));
		}
	}
}

/* ---- what is looked at again and again ---- */

const EVERY = 10000;
const SOON = 90000; /* a token is asked for before it is at its end */
const MOST = 20; /* rows of a part of the dashboard */
const OLD = 15000;
let turn = 0;
let wake = null;
let fresh = Date.now(); /* when what is shown was known to be true, by the reader's clock */

function stale(why) {
	document.getElementById("stale").textContent = why
		? t("stale", { time: moment(fresh, { ...CLOCK, second: "2-digit" }), why })
		: "";
}

/* What hangs is said too. */
setInterval(() => {
	if (wake && !document.hidden && Date.now() - fresh > OLD) stale(t("code_unreachable"));
}, 1000);

/*
 * Calls look() now and every ten seconds, as long as this view is shown and the tab is seen; with
 * true where something is known to have changed. What fails is tried again after 2, 4, 8 and then
 * 10 s, and said.
 */
export function watch(view, look = async () => {}) {
	if (!view.isConnected) return null; /* another one was gone to meanwhile */
	const mine = ++turn;
	let failures = 0,
		timer = 0,
		running = false,
		again = false,
		news = true;

	async function round(isNews = false) {
		clearTimeout(timer);
		news ||= isNews;
		if (mine !== turn || document.hidden) return;
		if (running) {
			again = true;
			return;
		}
		const told = news;
		running = true;
		again = news = false;
		try {
			await look(told);
			failures = 0;
			fresh = Date.now();
			if (mine === turn) stale();
			if (Date.now() - alarmed > EVERY) note("", true);
			if (session.claims.exp * 1000 - now() < SOON) (await import("./signin.js")).hint();
		} catch (problem) {
			if (!(problem instanceof Problem)) throw problem;
			failures++;
			news ||= told;
			if (mine === turn) stale(problem.words);
		} finally {
			running = false;
			if (mine === turn)
				timer = setTimeout(
					round,
					again ? 0 : failures ? Math.min(1000 * 2 ** failures, EVERY) : EVERY,
				);
		}
	}

	wake = round;
	return round();
}

/* Something has changed here: this view and the other tabs look at once. */
export function changed() {
	tabs.postMessage({ changed: true });
	return wake?.(true);
}

document.addEventListener("visibilitychange", () => {
	if (document.hidden) return;
	fresh = Math.max(fresh, Date.now() - OLD + 2000); /* the answer may take that long */
	wake?.();
});

/* Follows a request to where it stays: a link that is being made. Backs off to ten seconds. Of many
 * some are: the look at the whole finds the others. */
const followed = new Set();
const FOLLOWED = 5;

async function follow(row) {
	let etag = null;

	if (followed.has(row.id) || followed.size >= FOLLOWED) return;
	followed.add(row.id);
	try {
		for (
			let wait = 1000;
			row.meeting?.status === "pending" && shown(row.id);
			wait = Math.min(wait * 1.5, EVERY)
		) {
			await pause(wait);
			if (document.hidden) continue;
			const answer = await call("GET", row.links.self, { etag });
			if (answer.status === 304) continue;
			etag = answer.etag;
			row = answer.data;
			if (row.meeting?.status !== "pending") await changed();
		}
	} catch (problem) {
		if (!(problem instanceof Problem)) throw problem; /* the look at the whole says so */
	} finally {
		followed.delete(row.id);
	}
}

const shown = (id) => document.getElementById(`r-${id}`) !== null;

/* ---- a request ---- */

export const isClient = () => session.claims.role === "client";
export const isAdmin = () => session.claims.role === "admin";

const people = (row) => (isAdmin() ? [row.client, row.lawyer] : [isClient() ? row.lawyer : row.client]);

/* The reader's time, and beside it that of who lives by another clock. */
export function times(row) {
	const from = Date.parse(row.starts_at),
		to = Date.parse(row.ends_at);
	const lines = people(row)
		.filter((person) => knows(person.timezone) && ahead(person.timezone, from) !== ahead(HERE, from))
		.map((person) =>
			el(
				"p",
				{ class: "quiet" },
				t("for_whom"),
				" ",
				said(person.name),
				": ",
				span(from, to, person.timezone),
				", ",
				zoneName(person.timezone, from),
			),
		);

	return el(
		"div",
		{ class: "when" },
		el(
			"p",
			{},
			el("strong", {}, span(from, to, HERE)),
			" ",
			el("span", { class: "quiet" }, zoneName(HERE, from)),
		),
		lines,
	);
}

export function stateKey(row) {
	if (row.status !== "accepted") return `status_${row.status}`;
	return row.meeting ? `meeting_${row.meeting.status}` : "status_accepted";
}

function tone(row) {
	if (["cancelled", "declined", "lapsed"].includes(row.status) || row.meeting?.status === "cancelled")
		return "off";
	if (row.meeting?.status === "failed") return "bad";
	return row.status === "accepted" && row.meeting?.status === "ready" ? "good" : "";
}

/* The way in: lights by itself when the doors open. */
function entry(row) {
	const { meeting } = row;
	if (!row.links.join || !meeting) return null;

	const isOpen = () => now() >= Date.parse(meeting.opens_at);
	const box = el("p", { class: "entry" });
	let lit = null;

	return tick(box, () => {
		const open = isOpen();

		if (open !== lit)
			put(
				box,
				open
					? away(row.links.join, t("join"), { class: "primary button" })
					: el("span", { class: "waits" }),
			);
		lit = open;
		if (!open) box.firstChild.textContent = t("opens", { in: until(meeting.opens_at) });
		return now() < Date.parse(meeting.expires_at);
	});
}

const facts = (pairs) =>
	el(
		"dl",
		{},
		pairs
			.filter(([, value]) => value && value.length !== 0)
			.map(([key, value]) => [el("dt", {}, t(key)), el("dd", {}, value)]),
	);

const PROVIDERS = { google_meet: "Google Meet", zoom: "Zoom", teams: "Microsoft Teams", jitsi: "Jitsi Meet" };
export const provider = (name) => PROVIDERS[name] ?? name;
export const providers = Object.keys(PROVIDERS);

function calendars({ add_to_calendar: links, calendar_url: file }) {
	const names = { google: "Google", outlook: "Outlook", office365: "Microsoft 365", yahoo: "Yahoo" };

	return [
		file && el("a", { href: new URL(file).pathname, download: "" }, t("calendar_file")),
		Object.entries(names)
			.filter(([key]) => links?.[key])
			.map(([key, name]) => [" · ", away(links[key], name)]),
	];
}

function attendance({ attendance: known_, status }) {
	return known_ && ["pending", "ready", "failed"].includes(status)
		? ["client", "lawyer"].map((who, i) => [
				i ? ", " : "",
				t(`role_${who}`),
				": ",
				t(`attendance_${known_[who]}`),
			])
		: null;
}

function particulars(row) {
	const meeting = row.meeting ?? {};

	return facts([
		["description", row.description && el("span", { class: "lines", dir: "auto" }, row.description)],
		["lawyers_message", row.message && el("span", { class: "lines", dir: "auto" }, row.message)],
		[
			"provider",
			meeting.provider && [
				provider(meeting.provider),
				meeting.provider !== meeting.requested_provider &&
					` (${t("instead_of", { name: provider(meeting.requested_provider) })})`,
			],
		],
		["passcode", meeting.passcode && el("code", {}, meeting.passcode)],
		["dial_in", (meeting.dial_in ?? []).map((number) => el("div", {}, number))],
		["calendar", meeting.calendar_url && calendars(meeting)],
		["attendance", meeting.attendance && attendance(meeting)],
		[
			"warnings",
			(meeting.warnings ?? []).map((warning) =>
				el("div", { lang: "en" }, warning.detail ?? warning.code),
			),
		],
		[
			"last_error",
			meeting.last_error && [
				el("span", { lang: "en" }, meeting.last_error.detail),
				" ",
				moment(meeting.last_error.at),
			],
		],
		[
			"next_attempt",
			meeting.status === "pending" && meeting.next_attempt_at && moment(meeting.next_attempt_at),
		],
		["ended_reason", meeting.ended_reason && said(meeting.ended_reason)],
		["outcome", meeting.outcome && t(`outcome_${meeting.outcome}`)],
		[
			"undeliverable",
			["client", "lawyer"].filter((who) => row[who].undeliverable).map((who) => said(row[who].email)),
		],
		["number", row.id],
	]);
}

/* What may be done, by the links of the row: the forms are in act.js. */
const ACTS = [
	["accept", "respond", "primary"],
	["decline", "respond"],
	["retry", "retry", "primary"],
	["proposal_accept", "proposal", "primary"],
	["proposal_decline", "proposal"],
	["outcome", "outcome"],
	["reschedule", "reschedule"],
	["regenerate", "regenerate"],
	["propose", "propose"],
	["withdraw", "withdraw_proposal"],
	["cancel_meeting", "cancel_meeting", "danger"],
	["cancel", "cancel", "danger"],
];

const act = (name, row) => async () => (await import("./act.js")).open(name, row);

function acts(row) {
	return el(
		"div",
		{ class: "acts" },
		ACTS.filter(
			([name, link]) =>
				row.links[link] &&
				!(name === "retry" && row.meeting?.status === "ready" && !row.reasons?.length),
		).map(([name, , look = ""]) =>
			button(t(`do_${name}`), act(name, row), { class: look, "data-act": name }),
		),
		row.links.host && button(t("do_host"), act("host", row), { "data-act": "host" }),
	);
}

function proposal(row) {
	const asked = row.proposal;
	if (!asked) return null;

	const ends = new Date(
		Date.parse(asked.starts_at) + (asked.duration_minutes ?? row.duration_minutes) * 60000,
	).toISOString();
	return el(
		"div",
		{ class: "box" },
		el("p", {}, el("strong", {}, t(`proposal_${asked.status}`))),
		times({ ...row, starts_at: asked.starts_at, ends_at: ends }),
		[asked.message, asked.answer].map(
			(words) => words && el("p", { class: "lines", dir: "auto" }, words),
		),
	);
}

function more(row) {
	const inside = el("div");
	const trail = button(
		t("trail"),
		async () => {
			trail.disabled = true;
			(await import("./list.js")).trail(row, inside);
		},
		{ class: "plain" },
	);

	/* Nobody opens most of them: what is in one is made when it is opened. */
	const box = el(
		"details",
		{ ontoggle: () => box.childElementCount > 1 || box.append(particulars(row), trail, inside) },
		el("summary", {}, t("more")),
	);
	return box;
}

function card(row) {
	return el(
		"article",
		{ id: `r-${row.id}`, class: `card ${tone(row)}`, "aria-labelledby": `t-${row.id}`, tabindex: -1 },
		el("p", { class: "state" }, t(stateKey(row))),
		el("h3", { id: `t-${row.id}`, dir: "auto" }, row.title),
		el(
			"p",
			{},
			t("with"),
			" ",
			people(row).map((person, i) => [i ? " · " : "", said(person.name)]),
		),
		times(row),
		row.reasons?.length > 0 &&
			el(
				"ul",
				{ class: "reasons" },
				row.reasons.map((reason) => el("li", {}, t(`reason_${reason}`))),
			),
		proposal(row),
		entry(row),
		acts(row),
		more(row),
	);
}

/* Brings the cards of a section to these rows: what has not changed stays as it is, with what is open
 * in it; what has keeps the focus and what was open. */
export function place(section, rows) {
	const before = new Map([...section.children].map((node) => [node.dataset.id, node]));

	rows.forEach((row, i) => {
		const text = JSON.stringify(row);
		const old = before.get(row.id);
		let node = old;

		before.delete(row.id);
		if (!old || old.made !== text) {
			node = el("li", { "data-id": row.id }, card(row));
			node.made = text;
			if (old) exchange(old, node);
		}
		if (section.children[i] !== node) section.insertBefore(node, section.children[i] ?? null);
		if (row.meeting?.status === "pending") follow(row);
	});
	for (const node of before.values()) node.remove();
}

function exchange(old, node) {
	const focus = old.contains(document.activeElement) ? document.activeElement : null;

	if (old.querySelector("details").open) node.querySelector("details").open = true;
	old.replaceWith(node);
	if (focus)
		(node.querySelector(`[data-act="${focus.dataset.act}"]`) ?? node.querySelector("article")).focus();
}

/* ---- views ---- */

const main = document.getElementById("main");
const VIEWS = {
	"": overview,
	all: async (view) => (await import("./list.js")).show(view),
	policy: desk("policy"),
	providers: desk("providers"),
	outbox: desk("outbox"),
	webhooks: desk("webhooks"),
	audit: desk("audit"),
	health: desk("health"),
};
const TABS = {
	client: ["", "all"],
	lawyer: ["", "all"],
	admin: ["", "all", "health", "providers", "policy", "outbox", "webhooks", "audit"],
};

function desk(name) {
	return async (view) => (await import("./desk.js"))[name](view);
}

/* A heading, and a list that says how long it is. */
export function section(key, list) {
	const heading = el("h2", { id: `h-${key}` });
	const node = el("section", { "aria-labelledby": `h-${key}` }, heading, list);

	node.fill = (rows, count = rows.length) => {
		heading.textContent = `${t(key)} (${count})`;
		node.hidden = rows.length === 0;
		place(list, rows);
	};
	return node;
}

function overview(view) {
	const sections = ["needs_action", "upcoming", "waiting", "recent"].map((key) => [
		key,
		section(key, el("ul", { class: "cards" })),
	]);
	const nothing = el("p", { class: "quiet", hidden: true }, t("nothing"));

	put(
		view,
		el("h1", {}, t("view_overview")),
		el(
			"div",
			{ class: "acts" },
			isClient() &&
				button(t("do_file"), async () => (await import("./act.js")).file(), {
					class: "primary",
					"data-act": "file",
				}),
			!isAdmin() &&
				button(t("do_feed"), async () => (await import("./act.js")).feed(), { "data-act": "feed" }),
		),
		nothing,
		sections.map(([, node]) => node),
	);
	for (const [, node] of sections) node.hidden = true;
	return watch(view, async () => {
		const board = (await call("GET", "/api/dashboard")).data;

		for (const [key, node] of sections) {
			/* Shown once: where it needs somebody. */
			const first = key === "needs_action" ? [] : board.needs_action;
			const rows = board[key].filter((row) => !first.some((one) => one.id === row.id));
			node.fill(rows, board[key].length < MOST ? rows.length : `${rows.length}+`);
		}
		nothing.hidden = sections.some(([, node]) => !node.hidden);
	});
}

function navigation(view) {
	const names = TABS[session.claims.role] ?? [];

	const tabs_ = document.getElementById("tabs");

	tabs_.setAttribute("aria-label", t("product"));
	put(
		tabs_,
		...names.map((name) =>
			el(
				"a",
				{ href: `#${name}`, "aria-current": name === view ? "page" : null },
				t(`view_${name || "overview"}`),
			),
		),
	);
	put(
		document.getElementById("who"),
		said(session.claims.name ?? session.claims.sub),
		` · ${t(`role_${session.claims.role}`)}`,
	);
}

async function show() {
	const asked = location.hash.slice(1);

	if (!TABS[session.claims.role]) return note(t("no_page"), true);
	const view = TABS[session.claims.role].includes(asked) ? asked : "";
	const box = el("div");
	navigation(view);
	put(main, box);
	note("");
	note("", true);
	document.title = `${t(`view_${view || "overview"}`)} · ${t("product")}`;
	await VIEWS[view](box);
}

/* Whatever goes wrong where nobody waits for it is said, and not in silence. */
window.addEventListener("unhandledrejection", (event) =>
	note(event.reason instanceof Problem ? event.reason.words : t("code_internal"), true),
);
window.addEventListener("hashchange", () => {
	if (location.hash.includes("token=")) takeFragment();
	else show().then(() => main.focus());
});
window.addEventListener("message", async (event) => {
	if (event.data?.type === "meetlink.token") (await import("./signin.js")).told(event);
});
tabs.onmessage = ({ data }) => {
	if (data.token) adopt(data.token, "tab");
	if (data.changed) wake?.(true);
};

async function begin() {
	document.documentElement.lang = locale;
	for (const node of document.querySelectorAll("[data-words]")) node.textContent = t(node.dataset.words);
	/* The fragment names the view: the focus moves without it. */
	document.querySelector(".skip").addEventListener("click", (event) => {
		event.preventDefault();
		main.focus();
	});
	takeFragment();
	if (!session.token) adopt(sessionStorage.getItem(kept) ?? "");
	if (!session.token) await renewed();
	await show();
}

begin();
