#include "http_visitor.h"
#include "unit.h"

#define KHTML   " (KHTML, like Gecko) "
#define IPHONE  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15" KHTML
#define ANDROID "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36" KHTML
#define WINDOWS "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36" KHTML
#define LINUX   "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" KHTML

static bool is_person(const char *method, const char *const *headers)
{
	const char *environment[8] = {method, "REQUEST_URI=/join/x"};
	struct arena *arena = arena_new();
	struct http_exchange exchange;
	size_t count = 2;
	bool person;

	while (*headers)
		environment[count++] = *headers++;
	http_exchange_init(&exchange, arena, environment, 0);
	person = http_visitor_is_person(&exchange);
	arena_free(&arena);
	return person;
}

static bool is_agent_of_person(const char *agent)
{
	char header[512];

	snprintf(header, sizeof(header), "HTTP_USER_AGENT=%s", agent);
	return is_person("REQUEST_METHOD=GET", (const char *const[]){header, NULL});
}

/* As they were met: browsers, and what mail and chat programs open a link with. */
static void test_people(void)
{
	static const char *const agents[] = {
		/* Chrome */
		ANDROID "Chrome/120.0.0.0 Mobile Safari/537.36",
		WINDOWS "Chrome/120.0.0.0 Safari/537.36",
		IPHONE "CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36" KHTML
		"Chrome/120.0.0.0 Safari/537.36",
		/* Firefox */
		"Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
		"Mozilla/5.0 (Android 14; Mobile; rv:121.0) Gecko/121.0 Firefox/121.0",
		IPHONE "FxiOS/121.0 Mobile/15E148 Safari/605.1.15",
		/* Safari */
		IPHONE "Version/17.2 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15" KHTML
		"Version/17.4 Safari/605.1.15 (Technology Preview)",
		/* Edge, Opera, Vivaldi, Brave, Samsung, DuckDuckGo, Ecosia, UC, Yandex, Avast */
		WINDOWS "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0",
		ANDROID "Chrome/120.0.0.0 Mobile Safari/537.36 EdgA/120.0.2210.115",
		IPHONE "Version/17.0 EdgiOS/120.0.2210.116 Mobile/15E148 Safari/604.1",
		WINDOWS "Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0",
		"Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; en) Presto/2.12.423 "
		"Version/12.16",
		WINDOWS "Chrome/120.0.0.0 Safari/537.36 Vivaldi/6.5.3206.39",
		"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36" KHTML
		"SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
		IPHONE "Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
		ANDROID "Chrome/111.0.0.0 Mobile Safari/537.36 (Ecosia android@111.0.5563.116)",
		"Mozilla/5.0 (Linux; U; Android 11; en-US; M2101K7AG) AppleWebKit/537.36" KHTML
		"Version/4.0 Chrome/78.0.3904.108 UCBrowser/13.4.0.1306 Mobile Safari/537.36",
		WINDOWS "Chrome/118.0.0.0 YaBrowser/23.11.0.0 Safari/537.36",
		WINDOWS "Chrome/120.0.0.0 Safari/537.36 Avast/120.0.23647.224",
		"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
		"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; SLCC2; "
		".NET CLR 2.0.50727; InfoPath.2)",
		LINUX "Ubuntu Chromium/120.0.0.0 Chrome/120.0.0.0 Safari/537.36",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15" KHTML
		"Version/16.0 Safari/605.1.15 Epiphany/605.1.15",
		"Mozilla/5.0 (compatible; Konqueror/4.14; Linux) KHTML/4.14.2" KHTML,
		"Mozilla/5.0 (Linux; Android 13; 2201116SI; wv) AppleWebKit/537.36" KHTML
		"Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 CamScanner/4.5.0",
		/* Telephones with unlucky names */
		"Mozilla/5.0 (Linux; Android 9; CUBOT_P40) AppleWebKit/537.36" KHTML
		"Chrome/120.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Linux; U; Android 4.2.2; de-de; CUBOT S208 Build/JDQ39) "
		"AppleWebKit/534.30" KHTML "Version/4.0 Mobile Safari/534.30",
		"Mozilla/5.0 (Linux; Android 8.1.0; Google Pixel 2) AppleWebKit/537.36" KHTML
		"Chrome/120.0.0.0 Mobile Safari/537.36",
		/* iOS Mail, Outlook, Gmail, Yahoo and Thunderbird, where they open links themselves
		 */
		IPHONE "Mobile/15E148",
		IPHONE "Mobile/15E148 Outlook-iOS/4.2352.0",
		"Mozilla/5.0 (Linux; Android 13; SM-S911B Build/TP1A.220624.014; wv) "
		"AppleWebKit/537.36" KHTML "Version/4.0 Chrome/120.0.6099.144 Mobile Safari/537.36",
		"Mozilla/5.0 (Linux; Android 13; SM-S911B; wv) AppleWebKit/537.36" KHTML
		"Version/4.0 Chrome/120.0.6099.144 Mobile Safari/537.36 Outlook-Android/4.2401",
		IPHONE "GSA/298.0.595435837 Mobile/15E148 Safari/604.1",
		IPHONE "Mobile/15E148 YahooMobileMail/1.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 "
		"Thunderbird/115.6.0",
		/* Facebook, Instagram, LINE, WeChat, LinkedIn, Snapchat, Teams */
		IPHONE "Mobile/15E148 [FBAN/FBIOS;FBAV/445.0.0.33.118;FBDV/iPhone14,5]",
		IPHONE "Mobile/15E148 Instagram 312.0.1.19.124 (iPhone14,5; iOS 17_2; en_US)",
		IPHONE "Safari Line/13.20.0",
		IPHONE "Mobile/15E148 MicroMessenger/8.0.44(0x18002c2f) NetType/WIFI Language/en",
		IPHONE "Mobile/15E148 [LinkedInApp]/9.29.2734",
		IPHONE "Mobile/15E148 Snapchat/12.60.0.42 (like Safari/8617.1.17.10.9, panda)",
		WINDOWS "Teams/1.6.00.4472 Chrome/102.0.5005.167 Electron/19.1.8 Safari/537.36",
		/* Chats whose previews have the word, too */
		"Mozilla/5.0 (Linux; Android 10; Redmi Note 7 Build/QKQ1.190920.002; wv) "
		"AppleWebKit/537.36" KHTML
		"Version/4.0 Chrome/81.0.4044.138 Mobile Safari/537.36 Viber/14.7.0.4",
		IPHONE "Mobile/15E148 Viber/20.6.0.0",
		IPHONE "Mobile/15E148 WhatsApp/23.20.79",
	};
	size_t i;

	for (i = 0; i < sizeof(agents) / sizeof(agents[0]); i++)
		UNIT_CHECK(is_agent_of_person(agents[i]), agents[i]);
}

static void test_programs(void)
{
	static const char *const agents[] = {
		/* Office and mail gateways */
		"Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
		"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; "
		"Microsoft Outlook 16.0.17126; ms-office; MSOffice 16)",
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17126; Pro)",
		"Microsoft Office Existence Discovery",
		"Microsoft Office Protocol Discovery",
		"Microsoft-WebDAV-MiniRedir/10.0.19045",
		"Barracuda Sentinel (EE)",
		"Mozilla/5.0 (compatible; BarracudaCentral) AppleWebKit/537.36",
		"Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36" KHTML
		"Chrome/96.0 Safari/537.36 Mimecast",
		LINUX "Chrome/96.0 Safari/537.36 Proofpoint/1.0",
		"CiscoSecureEmail/1.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
		"Mozilla/5.0 (compatible)",
		"Mozilla/5.0",
		"-",
		/* Previews */
		"Viber/13.3.0 CFNetwork/1121.2.2 Darwin/19.3.0",
		"Viber",
		LINUX "Chrome/96.0 Safari/537.36 Viber",
		LINUX "Chrome/96.0 Safari/537.36 WhatsApp/2.23.20.0",
		"Iframely/1.3.1 (+https://iframely.com/docs/about)",
		"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
		"Slack-ImgProxy (+https://api.slack.com/robots)",
		"WhatsApp/2.23.20.0 A",
		"facebookexternalhit/1.1",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4" KHTML
		"Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
		"TelegramBot (like TwitterBot)",
		"LinkedInBot/1.0 (compatible; Mozilla/5.0)",
		"Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
		"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36" KHTML
		"SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
		"Snapchat/10.12.0.2 (iPhone8,1; iOS 10.3.2; gzip)",
		LINUX "Chrome/68.0 Safari/537.36 BingPreview/1.0b",
		/* Google */
		ANDROID "Chrome/120.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; "
			"+http://www.google.com/bot.html)",
		"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com "
		"GoogleImageProxy)",
		LINUX "Chrome/120.0 Safari/537.36 Google-Read-Aloud",
		LINUX "Chrome/120.0 Safari/537.36 (compatible; Google-InspectionTool/1.0)",
		LINUX "Chrome/120.0 Safari/537.36 DuplexWeb-Google/1.0",
		LINUX "Chrome/49.0 Safari/537.36 Google Favicon",
		LINUX "Chrome/120.0 Safari/537.36 GoogleOther",
		/* Without a window */
		LINUX "HeadlessChrome/100.0.4896.88 Safari/537.36",
		"Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1" KHTML
		"PhantomJS/2.1.1 Safari/538.1",
		/* Crawlers */
		"Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36" KHTML
		"Mobile Safari/537.36 (compatible; AspiegelBot)",
		"Mozilla/5.0 (compatible; bingbot/2.0; like Gecko)",
		WINDOWS "Chrome/120.0 Safari/537.36; Bytespider;bytespider@bytedance.com",
		/* Tools */
		"curl/8.5.0",
		"Wget/1.21.4",
		"python-requests/2.31.0",
		"Python-urllib/3.11",
		"python-httpx/0.26.0",
		"Go-http-client/2.0",
		"okhttp/4.12.0",
		"Java/17.0.9",
		"Apache-HttpClient/4.5.14 (Java/17.0.9)",
		"axios/1.6.5",
		"node-fetch",
		"PostmanRuntime/7.36.0",
		"Dalvik/2.1.0 (Linux; U; Android 13; SM-S911B Build/TP1A.220624.014)",
		"Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.3803",
		"Mozilla/4.0 (compatible; Win32; WinHttp.WinHttpRequest.5)",
		"libwww-perl/6.72",
	};
	size_t i;

	for (i = 0; i < sizeof(agents) / sizeof(agents[0]); i++)
		UNIT_CHECK(!is_agent_of_person(agents[i]), agents[i]);
}

/* What a browser says of a request, and what its method does. */
static void test_navigation(void)
{
#define AGENT  "HTTP_USER_AGENT=" WINDOWS "Chrome/120.0.0.0 Safari/537.36"
#define HIDDEN "HTTP_USER_AGENT=Mozilla/5.0"
#define CLICK                                                                                      \
	"HTTP_SEC_FETCH_USER=?1", "HTTP_SEC_FETCH_MODE=navigate", "HTTP_SEC_FETCH_DEST=document"
	static const struct {
		const char *name, *method, *headers[5];
		bool person;
	} rows[] = {
		{"a click", "GET",
			{AGENT, "HTTP_SEC_FETCH_MODE=navigate", "HTTP_SEC_FETCH_DEST=document",
				"HTTP_SEC_FETCH_USER=?1"},
			true},
		{"in other letters", "GET", {AGENT, "HTTP_SEC_FETCH_MODE=Navigate"}, true},
		{"HEAD", "HEAD", {AGENT}, true},
		{"fetch()", "GET", {AGENT, "HTTP_SEC_FETCH_MODE=cors"}, false},
		{"no-cors", "GET",
			{AGENT, "HTTP_SEC_FETCH_MODE=no-cors", "HTTP_SEC_FETCH_DEST=image"}, false},
		{"a frame", "GET",
			{AGENT, "HTTP_SEC_FETCH_MODE=navigate", "HTTP_SEC_FETCH_DEST=iframe"},
			false},
		{"an object", "GET", {AGENT, "HTTP_SEC_FETCH_DEST=object"}, false},
		{"no destination", "GET", {AGENT, "HTTP_SEC_FETCH_DEST=empty"}, false},
		{"prefetch", "GET", {AGENT, "HTTP_SEC_PURPOSE=prefetch"}, false},
		{"prerender", "GET", {AGENT, "HTTP_SEC_PURPOSE=prefetch;prerender"}, false},
		{"through a proxy", "GET", {AGENT, "HTTP_SEC_PURPOSE=prefetch;anonymous-client-ip"},
			false},
		{"Safari ahead", "GET", {AGENT, "HTTP_PURPOSE=prefetch"}, false},
		{"Safari's top sites", "GET", {AGENT, "HTTP_X_PURPOSE=preview"}, false},
		{"Firefox ahead", "GET", {AGENT, "HTTP_X_MOZ=prefetch"}, false},
		{"a click, after all", "GET", {AGENT, "HTTP_PURPOSE="}, true},
		{"no name at all", "GET", {NULL}, false},
		{"an empty name", "GET", {"HTTP_USER_AGENT="}, false},
		{"a browser that hides its name", "GET", {"HTTP_SEC_FETCH_MODE=navigate"}, true},
		{"a program in a browser's manner", "GET",
			{"HTTP_USER_AGENT=curl/8.5.0", "HTTP_SEC_FETCH_MODE=navigate"}, false},
		{"a click in a browser without an engine", "GET", {HIDDEN, CLICK}, true},
		{"nobody's click", "GET",
			{HIDDEN, "HTTP_SEC_FETCH_MODE=navigate", "HTTP_SEC_FETCH_DEST=document"},
			false},
		{"a click that was not", "GET",
			{HIDDEN, "HTTP_SEC_FETCH_USER=?0", "HTTP_SEC_FETCH_MODE=navigate",
				"HTTP_SEC_FETCH_DEST=document"},
			false},
		{"a click, to nowhere", "GET",
			{HIDDEN, "HTTP_SEC_FETCH_USER=?1", "HTTP_SEC_FETCH_MODE=navigate"}, false},
		{"a click in a frame", "GET",
			{HIDDEN, "HTTP_SEC_FETCH_USER=?1", "HTTP_SEC_FETCH_MODE=navigate",
				"HTTP_SEC_FETCH_DEST=iframe"},
			false},
		{"a click ahead of a click", "GET", {HIDDEN, CLICK, "HTTP_SEC_PURPOSE=prefetch"},
			false},
		{"a program that clicks", "GET",
			{"HTTP_USER_AGENT=" LINUX "HeadlessChrome/100.0.4896.88 Safari/537.36",
				CLICK},
			false},
		{"a bot that clicks", "GET", {"HTTP_USER_AGENT=Twitterbot/1.0", CLICK}, false},
	};
	char method[32];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(method, sizeof(method), "REQUEST_METHOD=%s", rows[i].method);
		UNIT_CHECK(is_person(method, rows[i].headers) == rows[i].person, rows[i].name);
	}
}

static const struct unit_case cases[] = {
	{"people come in", test_people},
	{"programs do not", test_programs},
	{"what a browser says of its request", test_navigation},
};

UNIT_MAIN("http_visitor", cases)
