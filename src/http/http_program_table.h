/*
 * THE PROGRAMS that fetch links without a person, by words of their User-Agent in lower case, found
 * anywhere in it. Only what names a browser's engine is looked up here (http_visitor.c), so that
 * most tools need no row. Words that browsers, telephones and the in-app browsers of mail and chat
 * programs have too ("preview", "scanner", "outlook", "line/", "snapchat") have none.
 *
 * PROGRAM(word)
 * CHAT(word): the chat's own browser has the word too, and says that it is mobile, which what
 *             fetches its previews does not.
 *
 * Sources: github.com/monperrus/crawler-user-agents, github.com/omrilotan/isbot (patterns.json),
 * github.com/JayBizzle/Crawler-Detect, developers.google.com/search/docs/crawling-indexing, and for
 * mail scanners the senders who meet them (Act-On, Suped, onetimesecret#359).
 */

/* What any program may say of itself. No browser has an address of the web in its name. */
PROGRAM("http:")
PROGRAM("https:")
PROGRAM("crawl")
PROGRAM("spider")
PROGRAM("scrape")
PROGRAM("fetcher")
PROGRAM("checker")
PROGRAM("linkcheck")
PROGRAM("validator")
PROGRAM("urlscan")
PROGRAM("unfurl")
PROGRAM("linkexpand")
PROGRAM("mailto:")

/* Browsers without a window. */
PROGRAM("headless")
PROGRAM("phantomjs")
PROGRAM("puppeteer")
PROGRAM("playwright")
PROGRAM("selenium")
PROGRAM("webdriver")
PROGRAM("lighthouse")
PROGRAM("pagespeed")
PROGRAM("prerender")
PROGRAM("ptst/")
PROGRAM("cypress/")
PROGRAM("synthetic")
PROGRAM("gomezagent")
PROGRAM("catchpoint")

/* Mail: gateways, and what Office asks before it hands a link to the browser. */
PROGRAM("ms-office")
PROGRAM("msoffice")
PROGRAM("microsoft office")
PROGRAM("microsoft outlook")
PROGRAM("barracuda")
PROGRAM("mimecast")
PROGRAM("proofpoint")
PROGRAM("ciscosecureemail")
PROGRAM("ironport")
PROGRAM("fortimail")
PROGRAM("sophos")
PROGRAM("messagelabs")
PROGRAM("symantec")
PROGRAM("forcepoint")
PROGRAM("websense")
PROGRAM("avanan")
PROGRAM("safelinks")
PROGRAM("urldefense")
PROGRAM("virustotal")
PROGRAM("yahoomailproxy")

/* Previews of chats and sites. */
CHAT("viber")
CHAT("whatsapp/")
PROGRAM("facebookexternalhit")
PROGRAM("facebookcatalog")
PROGRAM("meta-externalagent")
PROGRAM("meta-externalfetcher")
PROGRAM("slack-imgproxy")
PROGRAM("bingpreview")
PROGRAM("microsoftpreview")
PROGRAM("uripreview")
PROGRAM("url-preview")
PROGRAM("iframely")
PROGRAM("embedly")
PROGRAM("vkshare")
PROGRAM("line-poker")
PROGRAM("kakaotalk-scrap")
PROGRAM("flipboardproxy")
PROGRAM("bitrix link preview")
PROGRAM("yahoo link preview")

/* Google's, by user or by schedule. */
PROGRAM("google-")
PROGRAM("-google")
PROGRAM("googleimageproxy")
PROGRAM("googleother")
PROGRAM("google web preview")
PROGRAM("google web light")
PROGRAM("google favicon")
PROGRAM("googlemessages")
PROGRAM("google search console")
PROGRAM("google page speed")
PROGRAM("ggpht.com")

/* Libraries, in case they dress up. */
PROGRAM("curl")
PROGRAM("wget")
PROGRAM("python")
PROGRAM("libwww")
PROGRAM("winhttp")
PROGRAM("powershell")
PROGRAM("go-http-client")
PROGRAM("okhttp")
PROGRAM("httpclient")
PROGRAM("java/")
PROGRAM("node-fetch")
PROGRAM("node.js")
PROGRAM("axios")
PROGRAM("httrack")
