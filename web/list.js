/* All requests of the reader: filters, an endless list, and a search in what has been loaded. And the
 * trail of one of them. */
import { button, call, el, isAdmin, instant, HERE, moment, place, put, said, t, watch } from "./app.js";
import { choice, field, line } from "./act.js";

const STATUS = ["open", "accepted", "completed", "cancelled", "declined", "lapsed"];
const MEETING = ["pending", "ready", "failed", "cancelled", "expired"];
const PAGE = 20;
const LOOKED_AT = 3; /* pages that are looked at each time */

const options = (kind, names) => [["", t("any")], ...names.map((name) => [name, t(`${kind}_${name}`)])];

/* Whether what is written there has all the words that are looked for. */
function has(row, text) {
	const hay = [
		row.title,
		row.description,
		row.client.name,
		row.lawyer.name,
		row.client.email,
		row.lawyer.email,
		row.id,
	]
		.join(" ")
		.toLocaleLowerCase();

	return text
		.toLocaleLowerCase()
		.split(/\s+/)
		.every((word) => hay.includes(word));
}

function filters(form) {
	const query = {};

	for (const name of ["status", "meeting_status", "order"])
		if (form.elements[name].value) query[name] = form.elements[name].value;
	for (const name of ["from", "to"]) {
		const day = form.elements[name].value;
		/* Where clocks are put on at midnight the day begins at one. */
		const at = instant(`${day}T00:00`, HERE) ?? instant(`${day}T01:00`, HERE);
		if (at) query[name] = at;
	}
	return query;
}

/* A page: what it was asked for with, and what it had the last time. */
async function load(page) {
	const answer = await call("GET", `/api/requests?${new URLSearchParams(page.query)}`, { etag: page.etag });

	if (answer.status !== 304)
		Object.assign(page, { etag: answer.etag, rows: answer.data.items, next: answer.data.next_cursor });
}

export function show(view) {
	let pages = [];
	const list = el("ul", { class: "cards" });
	const count = el("p", { class: "quiet", role: "status" });
	const further = button(t("further"), next, { hidden: true });
	const form = el(
		"form",
		{ class: "filters", role: "search" },
		field("search", line("search", { type: "search" }), { hint: t("hint_search") }),
		field("status", choice("status", options("status", STATUS))),
		field("meeting_status", choice("meeting_status", options("meeting", MEETING))),
		field("from", line("from", { type: "date" })),
		field("to", line("to", { type: "date" })),
		field(
			"order",
			choice("order", [
				["", t("latest_first")],
				["asc", t("earliest_first")],
			]),
		),
	);

	form.addEventListener("submit", (event) => event.preventDefault());
	form.addEventListener("input", (event) => (event.target.name === "search" ? draw() : begin()));

	function draw() {
		const rows = pages.flatMap((page) => page.rows);
		const found = rows.filter((row) => has(row, form.elements.search.value.trim()));

		place(list, [...new Map(found.map((row) => [row.id, row])).values()]);
		count.textContent = t("found", { found: found.length, loaded: rows.length });
		further.hidden = !pages.at(-1)?.next;
	}

	async function next() {
		const asked = pages;
		const page = { query: { ...pages.at(-1).query, cursor: pages.at(-1).next } };

		further.disabled = true;
		try {
			await load(page);
			if (asked !== pages) return; /* other filters meanwhile */
			pages.push(page);
			draw();
		} finally {
			further.disabled = false;
		}
	}

	function begin() {
		pages = [{ query: { limit: PAGE, ...filters(form) }, rows: [] }];
		let rounds = 0;

		return watch(view, async (isNews) => {
			const asked = pages;
			const turn = LOOKED_AT + (rounds++ % Math.max(1, asked.length - LOOKED_AT));

			/* One after the other: a page begins where the one before it ended. What lies farther
			 * down has its turn, or is looked at when something has changed. */
			for (const [i, page] of asked.entries()) {
				if (i) {
					if (!asked[i - 1].next) {
						asked.length = i;
						break;
					}
					if (page.query.cursor !== asked[i - 1].next)
						Object.assign(page, {
							query: { ...page.query, cursor: asked[i - 1].next },
							etag: null,
						});
					else if (i >= LOOKED_AT && i !== turn && !isNews) continue;
				}
				await load(page);
			}
			if (asked === pages) draw();
		});
	}

	put(view, el("h1", {}, t("view_all")), form, count, list, further);
	/* Reaching the end is asking for more; the button is for those who do not scroll. */
	new IntersectionObserver(
		([seen]) => seen.isIntersecting && !further.hidden && !further.disabled && next(),
	).observe(further);
	return begin();
}

/* ---- the trail ---- */

export function event(one) {
	return el(
		"li",
		{},
		el("time", { datetime: one.at, class: "quiet" }, moment(one.at)),
		" ",
		el("code", {}, one.action),
		one.from || one.to ? ` ${one.from ?? ""} → ${one.to ?? ""}` : "",
		one.detail ? [" ", said(one.detail)] : "",
		el(
			"span",
			{ class: "quiet" },
			` ${t(`role_${one.actor.role}`)}${isAdmin() && one.actor.id ? ` ${one.actor.id}` : ""} · ${one.source}`,
		),
	);
}

export async function trail(row, box) {
	const list = el("ol", { class: "trail" });
	const former = el("ul");
	let cursor = "";

	if (row.meeting?.generation > 1) {
		const all = (await call("GET", `${row.links.meeting}s`)).data.items;
		former.append(
			...all
				.slice(1)
				.map((meeting) =>
					el(
						"li",
						{},
						t("former", { n: meeting.generation }),
						" ",
						moment(meeting.ended_at),
						meeting.ended_reason && [" ", said(meeting.ended_reason)],
					),
				),
		);
	}
	put(box, former, list);
	do {
		const page = (await call("GET", `${row.links.audit}${cursor && `?cursor=${cursor}`}`)).data;
		list.append(...page.items.map(event));
		cursor = page.next_cursor ?? "";
	} while (cursor && list.children.length < 500);
}
