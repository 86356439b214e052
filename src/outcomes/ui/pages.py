"""The pages: what is asked is looked up in a list of what there is, and written out with every sign escaped."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from outcomes.errors import OutcomesError, UsageError, place_of, visible
from outcomes.operate import read_status
from outcomes.operate.refusals import lying_refusals
from outcomes.release import published_id
from outcomes.release.places import LATEST, kept_releases
from outcomes.report.page.palette import style
from outcomes.store.limited import USUAL, Limits, ask_limited
from outcomes.store.text_tables import cell_text
from outcomes.study import StudyFolder
from outcomes.ui.guard import ANSWERING, DOCUMENT_POLICY
from outcomes.ui.reading import DOCUMENTS, document_files, exactly, read_codebook, read_release

NAVIGATION = {
    "/": "Overview", "/findings": "Findings", "/documents": "Documents", "/codebook": "Codebook", "/ask": "Ask",
    "/history": "History",
}  # fmt: skip
_FIRST_QUESTION = "select * from mart_sessions limit 20"
_MOST_COLUMNS_LISTED = 400
_MOST_FIELDS = 10  # of a form
_KINDS = {".html": "text/html", ".pdf": "application/pdf"}


class Pages:
    """The pages of one study, and the application that answers with them.

    Parameters
    ----------
    study : StudyFolder
        Read only.
    limits : Limits
        What a question in SQL may take.
    """

    def __init__(self, study: StudyFolder, limits: Limits = USUAL) -> None:
        self._root, self._limits = study.root, limits
        self._templates = Environment(
            loader=PackageLoader("outcomes.ui", "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, finalize=_seen,
        )  # fmt: skip
        self._templates.filters["cell"] = cell_text
        self.app = Starlette(
            routes=[
                Route("/", self._page("overview.html", self._overview)),
                Route("/findings", self._page("findings.html", self._findings)),
                Route("/documents", self._page("documents.html", self._documents)),
                Route("/codebook", self._page("codebook.html", self._codebook)),
                Route("/history", self._page("history.html", self._history)),
                Route("/ask", self._ask, methods=["GET", ANSWERING]),
                Route("/releases/{release_id}", self._page("release.html", self._release)),
                Route("/releases/{release_id}/{name}", self._document),
                Route("/style.css", self._style),
            ],
            exception_handlers={
                HTTPException: self._in_words, OutcomesError: self._in_words, Exception: self._in_words,
            },
        )  # fmt: skip

    def _study(self) -> StudyFolder:
        """The study as it is now: its file may have been edited since the page before."""
        return StudyFolder.open(self._root)

    def _page(self, template: str, read: Callable[[StudyFolder, Request], dict[str, Any]]) -> Callable:
        def answer(request: Request) -> Response:
            study = self._study()
            return self._written(request, template, study.settings.study.name, **read(study, request))

        return answer

    def _written(self, request: Request, template: str, study_name: str, code: int = 200, **facts: Any) -> Response:
        page = self._templates.get_template(template)
        said = page.render(navigation=NAVIGATION, path=request.url.path, study_name=study_name, **facts)
        return HTMLResponse(said, code)

    def _overview(self, study: StudyFolder, _: Request) -> dict[str, Any]:
        status = read_status(study)
        trend = {found.release_id: found for found in status.trend}
        return {"status": status, "releases": kept_releases(study)[::-1], "trend": trend}

    def _release(self, study: StudyFolder, request: Request) -> dict[str, Any]:
        return self._of_release(study, request.path_params["release_id"])

    def _of_release(self, study: StudyFolder, which: str) -> dict[str, Any]:
        kept = exactly(study, which)
        found = next((one for one in read_status(study).trend if one.release_id == kept.release_id), None)
        view = read_release(study, kept, found.new if found else ())
        return {"view": view, "titles": DOCUMENTS, "resolved": found.resolved if found else ()}

    def _findings(self, study: StudyFolder, _: Request) -> dict[str, Any]:
        lying = lying_refusals(study)
        if published_id(study) is None:
            return {"view": None, "refused": lying, "resolved": ()}
        return {**self._of_release(study, LATEST), "refused": lying}

    def _documents(self, study: StudyFolder, _: Request) -> dict[str, Any]:
        releases = kept_releases(study)[::-1]
        return {"releases": [(kept, document_files(kept)) for kept in releases], "titles": DOCUMENTS}

    def _codebook(self, study: StudyFolder, request: Request) -> dict[str, Any]:
        word = request.query_params.get("word", "")[:100]
        tables, columns = read_codebook(study, exactly(study, LATEST), word)
        return {"word": word, "tables": tables, "columns": columns[:_MOST_COLUMNS_LISTED], "n": len(columns)}

    def _history(self, study: StudyFolder, _: Request) -> dict[str, Any]:
        from outcomes.ui.history import read_history  # Altair takes a second

        return {"history": read_history(study)}

    async def _ask(self, request: Request) -> Response:
        is_asked = request.method == ANSWERING
        text = (await request.body()).decode("utf-8", "replace")
        form = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        sql = form.get("sql", [""])[0] if is_asked else _FIRST_QUESTION
        return await run_in_threadpool(self._asked, request, sql, is_asked)

    def _asked(self, request: Request, sql: str, is_asked: bool) -> Response:
        study = self._study()
        kept, answer, refused = exactly(study, LATEST), None, None
        if is_asked:
            try:
                answer = ask_limited(kept.database, sql, self._limits)
            except UsageError as wrong:
                refused = wrong
        return self._written(
            request, "ask.html", study.settings.study.name, 400 if refused else 200,
            sql=sql, answer=answer, refused=refused, limits=self._limits, kept=kept,
        )  # fmt: skip

    def _document(self, request: Request) -> Response:
        kept = exactly(self._study(), request.path_params["release_id"])
        name = request.path_params["name"]
        known = [file for _, found in document_files(kept) for file in found]
        if name not in known:
            raise HTTPException(404, "There is no such document.")
        policy = {"Content-Security-Policy": DOCUMENT_POLICY}
        return FileResponse(kept.folder / name, media_type=_KINDS[Path(name).suffix], headers=policy)

    def _style(self, _: Request) -> Response:
        own = (files("outcomes.ui") / "style.css").read_text(encoding="utf-8")
        return Response(f"{style()}\n{own}", media_type="text/css")

    def _in_words(self, request: Request, failed: Exception) -> Response:
        """What went wrong, with the remedy; of what nobody foresaw its kind and place, and no value."""
        status, hint = 500, "the terminal of `outcomes ui` has no more; `outcomes status` may"
        match failed:
            case HTTPException():
                status, message, hint = failed.status_code, failed.detail, "use the links above"
            case UsageError():
                status, message, hint = 404, failed.message, failed.hint
            case OutcomesError():
                message, hint = failed.message, failed.hint
            case _:
                message = f"It failed unexpectedly: {place_of(failed)}"
        return self._written(request, "message.html", "", status, message=message, hint=hint)


def _seen(content: Any) -> Any:
    """Nothing hidden in what is written: signs that cannot be seen become escapes."""
    return visible(content) if isinstance(content, str) and not isinstance(content, Markup) else content
