// What ical.js reads in calendars on standard input, a NUL behind each: a line of JSON for each.
// Its folder is the first argument.
import { readFileSync } from "node:fs";

const { default: ICAL } = await import(`${process.argv[2]}/dist/ical.js`);
for (const text of readFileSync(0, "utf8").split("\0").slice(0, -1)) {
	const events = new ICAL.Component(ICAL.parse(text)).getAllSubcomponents("vevent");
	if (events.length !== 1) throw new Error(`${events.length} events`);
	const value = (name) => events[0].getFirstPropertyValue(name);
	const time = (name) => value(name).toICALString();
	const people = events[0].getAllProperties("attendee");
	console.log(
		JSON.stringify({
			uid: value("uid"),
			summary: value("summary"),
			start: time("dtstart"),
			end: time("dtend"),
			sequence: String(value("sequence")),
			status: value("status"),
			location: value("location"),
			description: value("description"),
			organizer: value("organizer"),
			attendees: people.map((one) => one.getFirstValue()),
			names: people.map((one) => one.getFirstParameter("cn") ?? null),
			answers: people.map((one) => one.getFirstParameter("partstat") ?? null),
		}),
	);
}
