"""Attacks on the marking page in a real browser: by students' answers, by other sites, by other programs.

The page has a person's right to give points. Controls show that this browser and the attacker's site can do
what the page does not let them.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from support.browser import Browser, Tab, browser, chromium
from support.marked_class import write_class
from support.notebooks import code
from support.report_samples import png
from support.review_page import class_in, hw3, reviewing

from grader.gradebook.store import Gradebook

HOME, ITEM = hw3(), "3.3.ii"
TITLE = HOME.assignment.title
READY = "document.readyState === 'complete' && document.getElementById('main') && !document.body.ariaBusy"

ANSWERS = {
    "script": "<script>owned = 1; fetch('{site}/script')</script>",
    "script_cut_open": "</article></main></script><script>owned = 1</script>",
    "picture_handler": "<img src={site}/x onerror='owned = 1'>",
    "svg_handler": "<svg onload='owned = 1'><script>owned = 1</script></svg>",
    "details_handler": "<details open ontoggle='owned = 1'>x</details>",
    "frame": "<iframe srcdoc='<script>parent.owned = 1</script>' src='{site}/frame'></iframe>",
    "refresh": "<meta http-equiv=refresh content='0;url={site}/refresh'><base href='{site}/'>",
    "style": "<style>@import '{site}/style.css'; body {{ background: url({site}/b.png) }}</style>",
    "markdown_picture": "![p]({site}/pixel.png) ![p](data:image/svg+xml,<svg onload=owned=1>)",
    "markdown_link": "[press](javascript:owned=1) <javascript:owned=1> [a]: javascript:owned=1",
    "reference_link": "[x][y]\n\n[y]: javascript:owned=1 'onmouseover=owned=1'",
    "fence_language": '```python"><img src=x onerror=owned=1>\nx\n```\n\n~~~ <script>owned=1\ny\n~~~',
    "code": "```python\ns = '</span><img src=x onerror=owned=1>'\n```",
    "formula_link": "$\\href{{javascript:owned=1}}{{x}}$ and $\\style{{background:url({site}/f)}}{{x}}$",
    "formula_text": "$\\text{{<img src=x onerror=owned=1>}}$",
    "formula_breaks_out": "$\\text{{</mtext></math><img src=x onerror=owned=1>}}$",
    "formula_annotation": "$$\\text{{<annotation-xml encoding='text/html'><img src=x onerror=owned=1>}}$$",
    "formula_bomb": "$" + "{{" * 900 + "x" + "}}" * 900 + "$ $" + "\\frac" * 300 + "$",
    "quotes_bomb": ">" * 4_000 + " x",
    "list_bomb": "\n".join(" " * k + "- x" for k in range(300)),
    "brackets_bomb": "[" * 20_000,
    "stars_bomb": "*a_ " * 8_000,
    "our_template": "{{{{ 7 * 7 }}}} {{% for x in ().__class__.__mro__ %}}",
    "enter_key": "<a data-key=Enter href='{site}/enter'>x</a><button data-do=undo>x</button>",
    "our_names": "<main id=main data-page=unit data-unit=x></main><form id=ruling></form>",
    "a_line_of_its_own": "<input type=checkbox name=line value=1 data-hundredths=200 checked>",
    "direction": "\u202eetad\u202c \u2066hidden\u2069 \u200bzero",
    "terminal": "\x1b]0;owned\x07\x1b[2J text \x00 \x7f",
    "form": "<form action='{site}/form'><button autofocus>x</button></form>",
    "attribute": '" onfocus="owned=1" autofocus x="\' onfocus=\'owned=1',
}


class Site:
    """Another site, on this machine, that remembers what it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                page = site.pages.get(self.path)
                self.send_response(404 if page is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((page or "").encode())

            do_POST = do_GET  # noqa: N815  # the base class's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Its origin: another host than the page's, as browsers see it."""
        return f"http://evil.example:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Scene:
    """The page of a class of attackers, the attackers' site, and a marker in a browser."""

    site: Site
    chrome: Browser
    db: str
    links: dict[str, str]
    rows: dict[str, int]
    tab: Tab

    @property
    def origin(self) -> str:
        return self.links["ada"].partition("/enter")[0]

    @property
    def port(self) -> int:
        return urlsplit(self.origin).port or 0

    @property
    def cookie(self) -> str:
        return f"chainrule_{self.port}={self.links['ada'].partition('token=')[2]}"

    def marks(self) -> int:
        with Gradebook.open(self.db) as book:
            return len(book.all_marks(TITLE))

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        """What another program on this machine is told."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        found = answer.status, answer.read().decode("latin-1"), {k.lower(): v for k, v in answer.getheaders()}
        connection.close()
        return found

    def a_save(self) -> bytes:
        """A save of a student's answer that would be taken from the page itself."""
        row = self.rows["script"]
        unit = self.unit("script")
        return json.dumps({"item": ITEM, "unit": unit, "shown": row, "seen": {str(row): 0}}).encode()

    def unit(self, student: str) -> str:
        import grader.review.classroom as rooms  # noqa: PLC0415

        with Gradebook.open(self.db) as book:
            room = rooms.classroom(book, HOME.assignment, only=[ITEM])
        return next(one.id for one in room.units[ITEM] if self.rows[student] in one.submissions)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    chromium()
    folder = tmp_path_factory.mktemp("scene")
    site, db = Site(), str(folder / "gradebook.sqlite")
    texts = {name: {ITEM: text.format(site=site.address)} for name, text in ANSWERS.items()}
    names = {name: f"<img src={site.address}/name onerror=owned=1>{name}" for name in texts}
    rows = class_in(db, HOME, texts, names=names)
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    with reviewing(db, "ada", "bob") as links, browser(folder / "profile", rules) as chrome:
        tab = chrome.tab()
        tab.open(links["ada"])
        tab.wait(f"location.pathname === '/' && {READY}")
        yield Scene(site, chrome, db, links, rows, tab)
    site.close()


def goto(scene: Scene, student: str, tab: Tab | None = None) -> Tab:
    tab = tab or scene.tab
    tab.open(f"{scene.origin}/mark?item={ITEM}&unit={scene.unit(student)}")
    tab.wait(f"document.getElementById('ruling') && {READY}")
    return tab


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_does_nothing_but_be_read(scene: Scene, name: str) -> None:
    """Nothing of it runs, nothing is fetched, and no key or element of ours becomes the student's."""
    scene.site.asked.clear()
    tab = goto(scene, name)
    tab.press("n")
    tab.wait(f"document.querySelector('[data-do=names]').ariaPressed === 'true' && {READY}")
    tab.press("n", "1", "1")
    tab.wait(f"document.querySelector('[data-do=names]').ariaPressed === 'false' && {READY}")
    assert tab.evaluate("typeof owned") == "undefined"
    assert tab.evaluate("location.origin") == scene.origin
    inside = tab.evaluate(
        "[...document.querySelectorAll('.answer *, .members bdi *')].filter((one) => "
        "one.attributes.length && ![...one.attributes].every(({name}) => "
        "['class', 'display', 'stretchy', 'fence', 'form', 'separator', 'accent', 'minsize', 'maxsize', "
        "'mathvariant', 'linethickness', 'columnalign', 'columnspacing', 'rowspacing', 'width', "
        "'accentunder'].includes(name))).map((one) => one.outerHTML)"
    )
    assert inside == []
    tags = set(tab.evaluate("[...document.querySelectorAll('.answer *')].map((one) => one.localName)"))
    assert not tags & {
        "script",
        "img",
        "a",
        "iframe",
        "form",
        "input",
        "button",
        "style",
        "svg",
        "object",
        "main",
    }
    assert tab.evaluate("document.querySelectorAll('#main, #ruling').length") == 2
    assert tab.evaluate("document.querySelectorAll('[name=line]').length") == 2
    assert scene.site.asked == []


def test_what_a_student_wrote_is_there_to_the_letter(scene: Scene) -> None:
    shown = goto(scene, "script").evaluate("document.querySelector('.answer').innerText")
    assert shown.strip() == ANSWERS["script"].format(site=scene.site.address)


def test_the_policy_alone_stops_what_escaping_would_let_through(scene: Scene) -> None:
    """The second wall: the same put into the page raw, where it could only be by a mistake of ours."""
    scene.site.asked.clear()
    tab = goto(scene, "script")
    raw = "".join(
        ANSWERS[name].format(site=scene.site.address)
        for name in ("picture_handler", "svg_handler", "style", "frame", "details_handler")
    )
    tab.evaluate(f"document.body.insertAdjacentHTML('beforeend', {json.dumps(raw)})")
    tab.evaluate(
        "{ const s = document.createElement('script'); s.text = 'window.owned = 1'; document.body.append(s) }"
    )
    tab.evaluate(f"fetch('{scene.site.address}/fetched').catch(() => 0)")
    tab.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert tab.evaluate("typeof owned") == "undefined"
    assert scene.site.asked == []


def test_this_browser_runs_and_fetches_without_our_walls(scene: Scene) -> None:
    """The control: on the attacker's own page the same does all of that."""
    scene.site.pages["/raw"] = ANSWERS["picture_handler"].format(site=scene.site.address)
    tab = scene.chrome.tab()
    tab.open(f"{scene.site.address}/raw")
    tab.wait("typeof owned !== 'undefined'")
    assert "/x" in scene.site.asked


# -- other sites in the marker's browser -----------------------------------------------------------


def evil(scene: Scene, script: str) -> object:
    """What a script of another site finds, in a tab of the same person, who has the page's cookie."""
    scene.site.pages["/evil"] = "<title>evil</title>"
    page = goto(scene, "script")
    page.open(f"{scene.site.address}/evil")
    try:
        return page.evaluate(script)
    finally:
        goto(scene, "script", page)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json"])
def test_another_site_cannot_save(scene: Scene, kind: str) -> None:
    before, body = scene.marks(), scene.a_save().decode()
    mode = "cors" if kind == "application/json" else "no-cors"
    script = (
        f"fetch('{scene.origin}/save', {{method: 'POST', mode: '{mode}', credentials: 'include', "
        f"headers: {{'Content-Type': '{kind}'}}, body: {json.dumps(body)}}})"
        ".then((one) => one.status || one.type).catch(() => 'refused')"
    )
    assert evil(scene, script) in {"refused", "opaque"}
    assert scene.marks() == before


def test_a_form_of_another_site_cannot_save(scene: Scene) -> None:
    before = scene.marks()
    name = json.dumps(scene.a_save().decode()[:-1] + ',"x":"')
    script = (
        f"{{ const f = document.createElement('form'); f.method = 'post'; f.enctype = 'text/plain'; "
        f"f.action = '{scene.origin}/save'; const i = document.createElement('input'); i.name = {name}; "
        "i.value = '\"}'; f.append(i); document.body.append(f); f.submit(); }"
    )
    tab = goto(scene, "script")
    tab.open(f"{scene.site.address}/evil")
    tab.evaluate(script)
    tab.wait("document.body.innerText.includes('came from another site')")
    assert scene.marks() == before


@pytest.mark.parametrize("path", ["/", "/review.js", "/plots?item=3.3.ii&submission=1"])
def test_another_site_reads_nothing(scene: Scene, path: str) -> None:
    address = f"{scene.origin}{path}"
    script = f"fetch('{address}', {{credentials: 'include'}}).then((one) => one.text()).catch(() => 'no')"
    assert evil(scene, script) == "no"
    as_script = (
        f"new Promise((done) => {{ const s = document.createElement('script'); s.src = '{address}'; "
        "s.onload = () => done('ran'); s.onerror = () => done('no'); document.body.append(s); })"
    )
    assert evil(scene, as_script) == "no"


def test_another_site_cannot_show_the_page_in_a_frame(scene: Scene) -> None:
    script = (
        f"new Promise((done) => {{ const f = document.createElement('iframe'); f.src = '{scene.origin}/'; "
        "f.onload = () => { try { done(f.contentDocument ? 'read' : 'no') } catch { done('no') } }; "
        "document.body.append(f); })"
    )
    assert evil(scene, script) == "no"
    assert (
        "frame-ancestors 'none'" in scene.ask("GET", "/", Cookie=scene.cookie)[2]["content-security-policy"]
    )


def test_another_site_does_not_hold_the_pages_window(scene: Scene) -> None:
    script = (
        f"new Promise((done) => {{ const w = open('{scene.origin}/'); "
        "setTimeout(() => { try { done(String(w.document.body.innerText.includes('HW3'))) } "
        "catch { done('no') } }, 500); })"
    )
    assert evil(scene, script) in {"no", "false"}


def test_a_link_on_another_site_brings_no_token_along(scene: Scene) -> None:
    scene.site.pages["/link"] = f"<a id=go href='{scene.origin}/'>x</a>"
    tab = goto(scene, "script")
    tab.open(f"{scene.site.address}/link")
    tab.evaluate("document.getElementById('go').click()")
    tab.wait("document.body.innerText.includes('No valid token')")


def test_the_link_works_when_it_is_opened_from_another_site(scene: Scene) -> None:
    """The control: a link in a mail or a chat."""
    scene.site.pages["/mail"] = f"<a id=go href='{scene.links['bob']}'>x</a>"
    tab = scene.chrome.tab()
    tab.open(f"{scene.site.address}/mail")
    tab.evaluate("document.getElementById('go').click()")
    tab.wait(f"location.pathname === '/' && {READY}")
    assert "bob" in tab.text()


def test_a_name_that_leads_here_is_not_ours(scene: Scene) -> None:
    """DNS rebinding: the attacker's name now means this machine, and the page is of their origin."""
    tab = scene.chrome.tab()
    for link in ("/", f"/enter?token={scene.links['ada'].partition('token=')[2]}"):
        tab.open(f"http://evil.example:{scene.port}{link}")
        assert "no such name" in tab.text()
    body = json.dumps(scene.a_save().decode())
    script = (
        f"fetch('/save', {{method: 'POST', headers: {{'Content-Type': 'application/json'}}, body: {body}}})"
        ".then((one) => one.status)"
    )
    before = scene.marks()
    assert tab.evaluate(script) == 421
    assert scene.marks() == before


def test_a_sandboxed_frame_cannot_save(scene: Scene) -> None:
    """Its origin is null."""
    status, words, _ = scene.ask(
        "POST", "/save", scene.a_save(), Origin="null", Cookie=scene.cookie, Content_Type="application/json"
    )
    assert (status, "another site" in words) == (403, True)


def test_scripts_do_not_see_the_token(scene: Scene) -> None:
    tab = goto(scene, "script")
    assert tab.evaluate("document.cookie") == ""
    token = scene.links["ada"].partition("token=")[2]
    assert token not in tab.evaluate("document.documentElement.outerHTML + location.href + document.referrer")
    found = scene.ask("GET", f"/enter?token={token}")[2]["set-cookie"]
    assert "HttpOnly" in found
    assert "SameSite=strict" in found


# -- other programs on this machine ----------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/", "/mark?item=3.3.ii", "/plots?item=3.3.ii&submission=1", "/review.css", "/plot?submission=1&name=x"],
)
@pytest.mark.parametrize(
    "cookie",
    ["", "chainrule_{port}=", "chainrule_{port}=x", "chainrule_{port}=\u00e9", "chainrule_1={token}"],
)
def test_without_the_token_there_is_nothing(scene: Scene, path: str, cookie: str) -> None:
    token = scene.links["ada"].partition("token=")[2]
    value = cookie.format(port=scene.port, token=token)
    status, words, _ = scene.ask("GET", path, **({"Cookie": value} if value else {}))
    assert (status, words) == (403, "No valid token. Open the link that `grade review` printed.\n")


@pytest.mark.parametrize("token", ["", "x", "%00", "../", "a" * 5000])
def test_a_guessed_link_is_refused(scene: Scene, token: str) -> None:
    assert scene.ask("GET", f"/enter?token={token}")[0] == 403


def raw(scene: Scene, request: str) -> str:
    with socket.create_connection(("127.0.0.1", scene.port), timeout=30) as connection:
        connection.sendall(request.encode("latin-1"))
        found = b""
        while piece := connection.recv(65536):
            found += piece
    return found.decode("latin-1")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "[::2]",
        "127.0.0.1:80@evil.example",
        "127.1",
        "0.0.0.0",  # noqa: S104  # only a name here
        "",
    ],
)
def test_other_hosts_are_refused(scene: Scene, host: str) -> None:
    found = raw(
        scene, f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {scene.cookie}\r\nConnection: close\r\n\r\n"
    )
    assert found.startswith(("HTTP/1.1 421", "HTTP/1.1 400"))


@pytest.mark.parametrize("hosts", [(), ("127.0.0.1", "evil.example")])
def test_none_or_two_hosts_are_refused(scene: Scene, hosts: tuple[str, ...]) -> None:
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    found = raw(scene, f"GET / HTTP/1.1\r\n{lines}Cookie: {scene.cookie}\r\nConnection: close\r\n\r\n")
    assert found.startswith(("HTTP/1.1 421", "HTTP/1.1 400"))


@pytest.mark.parametrize("name", ["127.0.0.1:1", "localhost", "LOCALHOST:9000", "[::1]:8123"])
def test_our_own_names_are_taken_with_any_port(scene: Scene, name: str) -> None:
    """The control: an SSH tunnel has another port."""
    assert scene.ask("GET", "/", Host=name, Cookie=scene.cookie)[0] == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:{port}.evil.example"},
        {"Content_Type": "text/plain"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_a_save_comes_from_our_own_page(scene: Scene, changes: dict[str, str]) -> None:
    headers = {"Origin": scene.origin, "Cookie": scene.cookie, "Content_Type": "application/json"}
    headers |= {name: value.format(port=scene.port) for name, value in changes.items()}
    before = scene.marks()
    sent = {name: value for name, value in headers.items() if value}
    assert scene.ask("POST", "/save", scene.a_save(), **sent)[0] in {403, 415}
    assert scene.marks() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"item": 1}',
        b'{"lines": ["x"]}',
        b'{"seen": {"x": 1}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_the_page_never_sends_changes_nothing(scene: Scene, body: bytes) -> None:
    headers = {"Origin": scene.origin, "Cookie": scene.cookie, "Content_Type": "application/json"}
    before = scene.marks()
    assert scene.ask("POST", "/save", body, **headers)[0] in {400, 409, 415}
    assert scene.marks() == before


def test_more_than_the_page_ever_sends_is_not_read(scene: Scene) -> None:
    head = (
        f"POST /save HTTP/1.1\r\nHost: 127.0.0.1:{scene.port}\r\nOrigin: {scene.origin}\r\n"
        f"Cookie: {scene.cookie}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    )
    assert raw(scene, f"{head}Content-Length: 999999999999\r\n\r\n{{").startswith("HTTP/1.1 415")
    assert raw(scene, f"{head}Transfer-Encoding: chunked\r\n\r\n").startswith("HTTP/1.1 415")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused(scene: Scene, method: str) -> None:
    assert scene.ask(method, "/", Cookie=scene.cookie)[0] == 405


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/%2e%2e/app.py", "/review.js/../app.py", "//evil.example/", "/app.py", "/.env"],
)
def test_there_are_no_files_but_ours(scene: Scene, path: str) -> None:
    status, words, _ = scene.ask("GET", path, Cookie=scene.cookie)
    assert (status, words) == (404, "there is no such page\n")


def test_an_upgrade_to_a_websocket_is_refused(scene: Scene) -> None:
    key = base64.b64encode(b"0" * 16).decode()
    found = raw(
        scene,
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{scene.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade, close\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )
    assert found.startswith("HTTP/1.1 403")


def test_a_marker_saves_under_their_own_name_whatever_they_send(scene: Scene) -> None:
    row = scene.rows["form"]
    body = {
        "item": ITEM,
        "unit": scene.unit("form"),
        "shown": row,
        "seen": {str(row): 0},
        "author": "ada",
        "marker": "ada",
    }
    cookie = f"chainrule_{scene.port}={scene.links['bob'].partition('token=')[2]}"
    headers = {"Origin": scene.origin, "Cookie": cookie, "Content_Type": "application/json"}
    assert scene.ask("POST", "/save", json.dumps(body).encode(), **headers)[0] == 200
    with Gradebook.open(scene.db) as book:
        assert book.marks(TITLE)[row, ITEM].author == "bob"


def test_every_answer_has_the_headers(scene: Scene) -> None:
    for path, cookie in (
        ("/", scene.cookie),
        ("/", ""),
        ("/none", scene.cookie),
        ("/review.js", scene.cookie),
    ):
        _, _, headers = scene.ask("GET", path, **({"Cookie": cookie} if cookie else {}))
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


# -- pictures --------------------------------------------------------------------------------------


def test_no_byte_of_a_students_picture_is_sent(scene: Scene, tmp_path: Path) -> None:
    """A picture that is a page, a script and an archive as well is sent as its pixels alone, as a picture."""
    marker = b"<script>owned=1</script>"
    own = png(8, 4)
    text = b"Comment\0" + marker
    chunk = len(text).to_bytes(4, "big") + b"tEXt" + text + zlib.crc32(b"tEXt" + text).to_bytes(4, "big")
    picture = own[:33] + chunk + own[33:] + marker
    shown = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/png": base64.b64encode(picture).decode()},
    }
    answers = {"ada": {"3.4.ii": "About 0.9."}}
    path = write_class(tmp_path, answers, [code("record('3.4.i')", shown)])["ada"]
    db = str(tmp_path / "gradebook.sqlite")
    row = class_in(db, HOME, answers, paths={"ada": path})["ada"]
    with reviewing(db, "ada") as links:
        own_scene = Scene(scene.site, scene.chrome, db, links, {"ada": row}, scene.tab)
        status, html, _ = own_scene.ask(
            "GET", f"/plots?item=3.4.ii&submission={row}", Cookie=own_scene.cookie
        )
        found = re.search(r'src="([^"]+)"', html)
        assert (status, bool(found)) == (200, True)
        address = found[1].replace("&amp;", "&") if found else ""
        status, body, headers = own_scene.ask("GET", address, Cookie=own_scene.cookie)
        assert (status, headers["content-type"]) == (200, "image/png")
        assert marker not in body.encode("latin-1")
        other = address.replace(f"submission={row}", "submission=999")
        assert own_scene.ask("GET", other, Cookie=own_scene.cookie)[0] == 404
        assert (
            own_scene.ask("GET", f"/plot?submission={row}&name={quote('../x')}", Cookie=own_scene.cookie)[0]
            == 404
        )


def test_a_link_of_an_earlier_page_opens_nothing(scene: Scene, tmp_path: Path) -> None:
    db = str(tmp_path / "gradebook.sqlite")
    class_in(db, HOME, {"ada": {ITEM: "x"}})
    with reviewing(db, "ada") as links:
        token = scene.links["ada"].partition("token=")[2]
        own = Scene(scene.site, scene.chrome, db, links, {}, scene.tab)
        assert own.ask("GET", f"/enter?token={token}")[0] == 403
