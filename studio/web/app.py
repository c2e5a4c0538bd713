"""The application: requests in, pages out."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from studio.account.account import Account
from studio.account.attempts import is_missing, sentence
from studio.account.calls import recording
from studio.errors import ReadOnly, StudioError
from studio.pages import endpoints, executions, prediction
from studio.pages.lessons import lesson_page, list_page
from studio.place import WHO
from studio.previews.preview import raw
from studio.web.guard import UNTRUSTED_POLICY, Gatekeeper, guarded
from studio.web.live import Part, Streams
from studio.web.render import FOLDER, call_rows, environment
from studio.web.routes import CHANGES, PAGES, Asked, Change, Context, Read


class Studio:
    """The pages of one account."""

    def __init__(self, account: Account, keeper: Gatekeeper, lessons: Path | None = None) -> None:
        self._account, self._keeper, self._lessons = account, keeper, lessons
        self._templates, self._streams = environment(), Streams(account.poll_seconds)

    def application(self) -> Any:
        """The guarded ASGI application."""
        self._account.warm_up()
        routes = [
            # changes first: /registry/{group}/{version} must not take their addresses
            *(Route(path, self._changing(change), methods=["POST"]) for path, change in CHANGES),
            Route("/endpoints/{endpoint}/prediction", self._predict, methods=["POST"]),
            Route("/pipelines/{pipeline}/executions/{execution}/live", self._live_execution),
            Route("/endpoints/{endpoint}/live", self._live_endpoint),
            Route("/raw", self._raw),
            Route(WHO, self._who),
            *(Route(path, self._showing(template, read)) for path, template, read in PAGES),
            Route("/lessons", self._showing("lessons.html", lambda _: list_page(self._lessons))),
            Route("/lessons/{name}", self._showing("lesson.html", self._lesson)),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ]
        return guarded(
            Starlette(routes=routes, exception_handlers={404: self._not_found, 500: self._fault}), self._keeper
        )

    def _showing(self, template: str, read: Read) -> Callable[[Request], Response]:
        def show(request: Request) -> Response:
            return self._page(request, template, lambda: read(self._asked(request, request.query_params)))

        return show

    def _lesson(self, ask: Asked) -> Context:
        return lesson_page(self._lessons, ask.path["name"])

    def _asked(self, request: Request, values: Mapping[str, str]) -> Asked:
        return Asked(self._account, request.path_params, values)

    def _page(self, request: Request, template: str, read: Callable[[], Context], status: int = 200) -> Response:
        with recording() as record:
            try:
                context = read()
            except (StudioError, ClientError, BotoCoreError) as error:
                status = _status(error)
                template, context = "problem.html", {"problem": sentence(error)}
            return HTMLResponse(self._render(template, context, request.url.path, call_rows(record)), status)

    def _render(self, template: str, context: Context, path: str, calls: Any = ()) -> str:
        return self._templates.get_template(template).render(
            **context,
            account=self._account,
            token=self._keeper.token if self._account.may_change else "",
            path=path,
            calls=calls,
            has_lessons=self._lessons is not None,
        )

    def _changing(self, change: Change) -> Callable[[Request], Any]:
        async def submit(request: Request) -> Response:
            form = await _form(request)
            if not self._keeper.knows(form.get("token", "")):
                return self._refused(
                    request, "The studio was restarted after this form was loaded: reload the page.", 403
                )
            return await run_in_threadpool(self._change, request, change, form)

        return submit

    def _change(self, request: Request, change: Change, form: Mapping[str, str]) -> Response:
        try:
            return RedirectResponse(change(self._asked(request, form)), 303)
        except (StudioError, ClientError, BotoCoreError) as error:
            return self._refused(request, sentence(error), _status(error))

    def _refused(self, request: Request, problem: str, status: int) -> Response:
        return HTMLResponse(self._render("problem.html", {"problem": problem}, request.url.path), status)

    async def _predict(self, request: Request) -> Response:
        form = await _form(request)
        if not self._keeper.knows(form.get("token", "")):
            return self._refused(request, "The studio was restarted after this form was loaded: reload the page.", 403)
        return await run_in_threadpool(self._predicted, request, form)

    def _predicted(self, request: Request, form: Mapping[str, str]) -> Response:
        name = request.path_params["endpoint"]

        def read() -> Context:
            page = endpoints.endpoint_page(self._account, name)
            sample = page["sample"].value
            if form.get("form") == "fields" and sample is not None and sample.fields:
                values = {key.removeprefix("field."): text for key, text in form.items() if key.startswith("field.")}
                body, content_type = sample.filled(values), sample.content_type
            else:
                body = form.get("body", "").encode()
                content_type, values = form.get("content_type", "application/json"), {}
            return {
                **page,
                "values": values,
                "raw": body.decode(),
                "raw_type": content_type,
                "reply": prediction.predict(self._account, name, body, content_type),
                "snippets": prediction.snippets(self._account, name, body, content_type),
            }

        return self._page(request, "endpoint.html", read)

    async def _live_execution(self, request: Request) -> Response:
        pipeline, identity = request.path_params["pipeline"], request.path_params["execution"]

        def read() -> Part:
            execution = executions.read_execution(self._account, pipeline, identity)
            html = self._render("execution_live.html", {"execution": execution, "chosen": None}, request.url.path)
            return Part(html, execution.is_over)

        return self._stream(request, read)

    async def _live_endpoint(self, request: Request) -> Response:
        def read() -> Part:
            page = endpoints.read_endpoint(self._account, request.path_params["endpoint"])
            return Part(self._render("endpoint_live.html", page, request.url.path), False)

        return self._stream(request, read)

    def _stream(self, request: Request, read: Callable[[], Part]) -> Response:
        def careful() -> Part:
            try:
                return read()
            except (StudioError, ClientError, BotoCoreError) as error:
                return Part(self._render("problem_part.html", {"problem": sentence(error)}, request.url.path), True)

        answer = self._streams.answer(request, careful)
        return answer or PlainTextResponse("Too many live pages are open: close some.", 429)

    def _raw(self, request: Request) -> Response:
        try:
            content, media = raw(self._account, self._asked(request, request.query_params).needed("uri"))
        except (StudioError, ClientError, BotoCoreError) as error:
            return PlainTextResponse(sentence(error), _status(error))
        headers = {"content-security-policy": UNTRUSTED_POLICY, "x-frame-options": "SAMEORIGIN"}
        return Response(content, media_type=media, headers=headers)

    def _who(self, _: Request) -> Response:
        return JSONResponse({"endpoint_url": self._account.endpoint_url, "pid": os.getpid()})

    def _fault(self, request: Request, error: Exception) -> Response:
        told = f"This page failed because of a fault in the studio, {type(error).__name__}: see its output."
        return self._refused(request, told, 500)

    def _not_found(self, request: Request, _: Exception) -> Response:
        return self._refused(request, f"There is no page {request.url.path}.", 404)


async def _form(request: Request) -> dict[str, str]:
    """A form as browsers send it by default; no files are taken."""
    body = await request.body()
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _status(error: Exception) -> int:
    if isinstance(error, ReadOnly):
        return 403
    if isinstance(error, ClientError):
        return 404 if is_missing(error) else 502
    return 502 if isinstance(error, BotoCoreError) else 400
