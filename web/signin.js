/* Tokens come from the host application: with the address of this page, by a message from its window,
 * or by another tab of this page. Its sign-in page is named by nginx, in config.json. */
import { adopt, el, away, button, session, t } from "./app.js";

let asked = null;

/* {sign_in}: the address of the host application's page that makes tokens; "" without one. */
const config = fetch("config.json", { credentials: "omit", signal: AbortSignal.timeout(30000) })
	.then((answer) => answer.json())
	.catch(() => ({ sign_in: "" }));

const origin = async () => {
	const { sign_in: page } = await config;

	return page ? new URL(page).origin : null;
};

/* A message to this window: {type: "meetlink.token", token}. Anybody may send one; only the host
 * application is believed. */
export async function told(event) {
	if (event.origin === (await origin())) adopt(event.data.token);
}

/* Asks whoever opened this window for a token, if it is the host application. */
export async function hint() {
	const ours = await origin();

	if (ours) window.opener?.postMessage({ type: "meetlink.token_wanted" }, ours);
}

/* Asks whoever opened this window, and the person. Nothing of the page below is touched. */
export async function ask() {
	if (asked) return;
	const before = session.claims;
	const box = (asked = el("dialog", { "aria-labelledby": "sign-in-title", class: "sign-in" }));

	box.addEventListener("cancel", (event) => event.preventDefault());
	box.append(
		el("h2", { id: "sign-in-title" }, t(before ? "signed_out" : "sign_in")),
		el("p", {}, t(before ? "say_signed_out" : "say_sign_in")),
	);
	document.body.append(box);
	box.showModal();
	const ours = await origin();

	if (ours) {
		const { sign_in: page } = await config;
		/* The new window may answer through window.opener. */
		box.append(el("p", {}, away(page, t("go_sign_in"), { class: "primary button", rel: "opener" })));
		hint();
	} else box.append(el("p", {}, t("no_sign_in")));
	box.querySelector("a")?.focus();
}

/* Called when a token has come. */
export function answered() {
	asked?.close();
	asked?.remove();
	asked = null;
}
