"""Headers that nobody sends who means well, one name with several values each."""

from __future__ import annotations

LONG = "x" * 4096
NUL = "a\0b"
LINES = "a\r\nSet-Cookie: stolen=1"
CONTROLS = "a\x01\x08\x1b[2J\x7fb"
BYTES = "\xff\xfe\x80 \xed\xa0\x80"
WORDS = "' OR 1=1 -- {{7*7}} ../../../etc/passwd %00 %ff <script>alert(1)</script>"
COMMAS = "," * 500
ANYTHING = ("", " ", LONG, CONTROLS, BYTES, WORDS, COMMAS)
NO_TEXT = (NUL, LINES, "a\nb", "\0")

ADDRESSES = (
    *ANYTHING,
    "unknown",
    "203.0.113.9",
    "203.0.113.9:99999999999",
    "[2001:db8::1]:443",
    "2001:db8::1%eth0",
    "::ffff:999.1.1.1",
    ", ".join(["203.0.113.9"] * 300),
    "1" * 40,
)
DATES = (*ANYTHING, "Thu, 99 Foo 99999 99:99:99 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "-1")
URLS = (
    *ANYTHING,
    "http://[",
    "http://[::1",
    "javascript:alert(1)",
    "//evil.example",
    "http://testserver:99999999/",
    "null",
    "http://\u2028",
)

HEADERS: dict[str, tuple[str, ...]] = {
    "X-Forwarded-For": ADDRESSES,
    "X-Real-IP": ADDRESSES,
    "Forwarded": (*ANYTHING, 'for="[2001:db8::1]:99";proto=gopher;by=_x', "for=;;;==,,"),
    "X-Forwarded-Proto": (*ANYTHING, "https,http", "gopher"),
    "X-Forwarded-Host": (*ANYTHING, "evil.example"),
    "X-Forwarded-Port": (*ANYTHING, "-1", "99999999"),
    "X-Request-ID": (*ANYTHING, "0" * 64, "0" * 65, "a" * 8),
    "X-Correlation-ID": ANYTHING,
    "Accept": ANYTHING,
    "Accept-Encoding": (*ANYTHING, "gzip;q=nan", "br;q=-1"),
    "Accept-Language": (*ANYTHING, "es;q=9", "a-b-c-d-e-f;q=0.1,*;q=2", "en-" + "a" * 500),
    "Cookie": (
        *ANYTHING,
        "sessionid=" + LONG,
        "sessionid=; csrftoken=; django_language=../../x; shortcuts=\xff",
        "sessionid=a\x01b; csrftoken=a\x01b; django_language=a\x01b",
        "django_language=" + LONG,
        ";;;=;=;",
        '="',
    ),
    "Authorization": (*ANYTHING, "Basic !!!!", "Bearer", "Basic " + "A" * 4000),
    "Referer": URLS,
    "Origin": URLS,
    "User-Agent": ANYTHING,
    "Range": (*ANYTHING, "bytes=9-1", "bytes=-99999999999999999999", "bytes=0-0,1-1," * 50),
    "If-None-Match": (*ANYTHING, '"', 'W/"', "*"),
    "If-Modified-Since": DATES,
    "If-Range": DATES,
    "X-HTTP-Method-Override": (*ANYTHING, "DELETE"),
    "X-CSRFToken": ANYTHING,
    "X-Requested-With": ANYTHING,
    "HX-Request": ("true", "false", *ANYTHING),
    "HX-Boosted": ("true", *ANYTHING),
    "HX-Target": ANYTHING,
    "HX-Trigger": ANYTHING,
    "HX-Trigger-Name": ANYTHING,
    "HX-Prompt": ANYTHING,
    "HX-Current-URL": (*URLS, "%ff%fe", "%"),
    "HX-Current-URL-URI-AutoEncoded": ("true", *ANYTHING),
    "HX-Target-URI-AutoEncoded": ("true",),
    "HX-History-Restore-Request": ("true", *ANYTHING),
    "Triggering-Event": (*ANYTHING, "{", "[1,2", '{"a":' * 100, "null", "1e999"),
    "Sec-Fetch-Site": ANYTHING,
    "Sec-Fetch-Mode": ANYTHING,
}
HOSTS = (
    "",
    "evil.example",
    "testserver:99999999",
    "[::1",
    "a\0b",
    LONG,
    "testserver\r\nX: y",
    "..",
)
# Without NUL, which the server in front of Django refuses: tests/config/test_raw_requests.py.
BODIES = (
    "text/html",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=" + LONG,
    "multipart/form-data",
    "multipart/form-data; boundary=" + LONG,
    "multipart/form-data; boundary=\xff",
    "application/json; charset=\xff\x80",
    "",
    ";;;;",
    LONG,
)
LENGTHS = ("", "-1", "99999999999", "1.5", "abc", "0x10", NUL)


def bundles() -> list[dict[str, str]]:
    """Return requests' headers, several at a time, in which each value stands once at least."""
    rounds = max(len(values) for values in HEADERS.values())
    return [
        {name: values[turn % len(values)] for name, values in HEADERS.items()}
        for turn in range(rounds)
    ]
