// What ical4j reads in calendars on standard input, a NUL behind each: a line of JSON for each. One
// that its validation finds a fault with ends it.
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.Parameter;
import net.fortuna.ical4j.model.Property;
import net.fortuna.ical4j.model.component.CalendarComponent;

public class Ical4j {
	private static final String[][] FIELDS = {
		{"uid", "UID"}, {"summary", "SUMMARY"}, {"start", "DTSTART"}, {"end", "DTEND"},
		{"sequence", "SEQUENCE"}, {"status", "STATUS"}, {"location", "LOCATION"},
		{"description", "DESCRIPTION"}, {"organizer", "ORGANIZER"},
	};

	private static String json(String text) {
		StringBuilder quoted = new StringBuilder("\"");
		for (char c : text.toCharArray()) {
			if (c == '"' || c == '\\' || c < ' ')
				quoted.append(String.format("\\u%04x", (int) c));
			else
				quoted.append(c);
		}
		return quoted.append('"').toString();
	}

	private static String list(List<Property> people, Function<Property, String> part) {
		return people.stream().map(part).map(one -> one == null ? "null" : json(one))
			.collect(Collectors.joining(",", "[", "]"));
	}

	private static String parameter(Property property, String name) {
		return property.getParameter(name).map(Parameter::getValue).orElse(null);
	}

	private static String read(String text) throws Exception {
		Calendar calendar = new CalendarBuilder().build(new StringReader(text));
		List<CalendarComponent> events = calendar.getComponents("VEVENT");
		StringBuilder line = new StringBuilder("{");
		if (calendar.validate().hasErrors() || events.size() != 1)
			throw new Exception(calendar.validate() + " in " + text);
		for (String[] field : FIELDS) {
			Optional<Property> found = events.get(0).getProperty(field[1]);
			line.append(json(field[0])).append(':');
			line.append(found.map(one -> json(one.getValue())).orElse("null")).append(',');
		}
		List<Property> people = events.get(0).getProperties("ATTENDEE");
		return line + "\"attendees\":" + list(people, Property::getValue)
			+ ",\"names\":" + list(people, one -> parameter(one, "CN"))
			+ ",\"answers\":" + list(people, one -> parameter(one, "PARTSTAT")) + "}";
	}

	public static void main(String[] arguments) throws Exception {
		PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
		System.setProperty("net.fortuna.ical4j.timezone.cache.impl",
			"net.fortuna.ical4j.util.MapTimeZoneCache");
		for (String text : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\0"))
			out.println(read(text));
		out.flush();
	}
}
