"""The page's addresses. Starlette; every request passes ``guard`` first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from grader.model.errors import CannotGrade
from grader.review import screens
from grader.review.desk import Desk
from grader.review.guard import ENTRANCE, Guard, Keys
from grader.review.page import Decision, Flag, LineChange, Page, Place

STATIC = {"review.js": "text/javascript", "review.css": "text/css"}
DEEDS: Mapping[str, tuple[type, str]] = {
    "/save": (Decision, "save"),
    "/undo": (Place, "undo"),
    "/aside": (Place, "aside"),
    "/names": (Place, "names"),
    "/flag": (Flag, "flag"),
    "/reply": (Flag, "reply"),
    "/line/preview": (LineChange, "preview"),
    "/line": (LineChange, "line"),
    "/leave": (Place, "leave"),
}


def application(page: Page, keys: Keys) -> Starlette:
    """The whole site."""
    routes = [
        Route(ENTRANCE, _entrance(keys)),
        Route("/", _screen(page, lambda desk, _: page.overview(desk))),
        Route("/mark", _screen(page, lambda desk, asked: _mark(page, desk, asked))),
        Route("/plots", _plots(page)),
        Route("/plot", _plot(page)),
        *(Route(f"/{name}", _static(name, kind)) for name, kind in STATIC.items()),
        *(Route(path, _deed(page, kind, name), methods=["POST"]) for path, (kind, name) in DEEDS.items()),
    ]
    handlers: dict[Any, Any] = {CannotGrade: _mistake, HTTPException: _http}
    return Starlette(routes=routes, exception_handlers=handlers, middleware=[Middleware(Guard, keys=keys)])


Handler = Callable[[Request], Any]


def _mark(page: Page, desk: Desk, asked: Mapping[str, str]) -> tuple[Markup, str]:
    item, unit = asked.get("item", ""), asked.get("unit", "")
    if not unit:
        return page.next(desk, item)
    return page.unit(desk, item, unit, _number(asked.get("shown", "0")))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0  # noqa: PLR2004  # a row


def _screen(page: Page, show: Callable[[Desk, Mapping[str, str]], tuple[Markup, str]]) -> Handler:
    def answer(request: Request) -> Response:
        desk = page.desk(request.state.marker)
        html, url = show(desk, request.query_params)
        if "part" in request.query_params:
            return JSONResponse({"html": str(html), "url": url, "said": page.news(desk)})
        title = request.query_params.get("item") or page.title
        return HTMLResponse(screens.frame(html, title=title, assignment=page.title, marker=desk.marker))

    return answer


def _deed(page: Page, kind: type, name: str) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            data: Any = msgspec.json.decode(await request.body(), type=kind)
        except msgspec.DecodeError:
            return PlainTextResponse("this is nothing that the page sends\n", status_code=400)
        desk = page.desk(request.state.marker)
        reply = await run_in_threadpool(getattr(page, name), desk, data)
        return JSONResponse({**reply, "said": page.news(desk, reply.get("said", ""))})

    return answer


def _plots(page: Page) -> Handler:
    def answer(request: Request) -> Response:
        asked = request.query_params
        desk = page.desk(request.state.marker)
        return HTMLResponse(page.plots(desk, asked.get("item", ""), _number(asked.get("submission", ""))))

    return answer


def _plot(page: Page) -> Handler:
    def answer(request: Request) -> Response:
        asked = request.query_params
        desk = page.desk(request.state.marker)
        png = page.plot(desk, _number(asked.get("submission", "")), asked.get("name", ""))
        if png is None:
            return PlainTextResponse("no such plot\n", status_code=404)
        return Response(png, media_type="image/png")

    return answer


def _static(name: str, kind: str) -> Handler:
    text = resources.files("grader.review").joinpath(name).read_text(encoding="utf-8")

    async def answer(request: Request) -> Response:
        del request
        return Response(text, media_type=kind)

    return answer


def _entrance(keys: Keys) -> Handler:
    """The link's page: it leaves the cookie, and goes on by itself.

    A redirect would not do: followed from another site's page (a mail, a chat), the browser would withhold
    the strict cookie that it has just been given.
    """

    async def answer(request: Request) -> Response:
        marker = keys.marker(request.query_params.get("token", ""))
        if marker is None:
            words = "This link is no longer valid. Use the one that `grade review` printed last.\n"
            return PlainTextResponse(words, status_code=403)
        page = (
            "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>marking</title>"
            "<meta http-equiv=refresh content='0;url=/'><p><a href='/'>Go on</a>"
        )
        response = HTMLResponse(page)
        secure = keys.public.startswith("https:")
        token = keys.tokens[marker]
        response.set_cookie(keys.cookie, token, httponly=True, samesite="strict", secure=secure, path="/")
        return response

    return answer


async def _mistake(request: Request, error: Exception) -> Response:
    del request
    return PlainTextResponse(f"{error}\n", status_code=409)


async def _http(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse("there is no such page\n" if status == 404 else "no\n", status_code=status)  # noqa: PLR2004
