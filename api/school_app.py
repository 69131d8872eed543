"""The application of a served instance."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from pydantic import BaseModel

import api.account_routes
import api.attendance_routes
import api.backup_routes
import api.change_routes
import api.comparison_routes
import api.duty_routes
import api.exam_routes
import api.judgement_routes
import api.layout_routes
import api.question_routes
import api.roster_routes
import api.scan_picture_routes
import api.scan_routes
import api.score_routes
import api.sign_in_routes
import api.upload_routes
from api.change_feeds import ChangeFeeds
from api.group_memory import GroupMemory
from api.http_rules import LOCAL_HOSTS, add_http_rules, problem_answers
from api.instance import Here, Instance, Transport
from api.request_log import add_request_log
from api.web_pages import page_files, page_folder

_HSTS = {"Strict-Transport-Security": "max-age=31536000"}
_PROBLEMS = problem_answers(400, 401, 403, 409, 412, 413, 422, 428, 503)
health = APIRouter()


class Health(BaseModel):
    """That the server is there."""

    status: str = "ok"


@health.get("/healthz")
def check_health() -> Health:
    """Whether the process answers."""
    return Health()


@health.get("/readyz")
def check_readiness(here: Here) -> Health:
    """Whether it can work: the database answers too."""
    here.database.check()
    return Health()


def _add_pages(app: FastAPI) -> None:
    """The page to set up and sign in with, and the one behind it."""
    entry = page_folder("entry") / "index.html"
    for address in ("/setup", "/signin"):
        app.get(address, include_in_schema=False)(lambda: FileResponse(entry))
    app.mount("/entry", page_files("entry"))
    app.mount("/", page_files("page"))


def create_school_app(instance: Instance, *more_routes: APIRouter) -> FastAPI:
    """The application over an open instance; everything but health, set-up and sign-in asks for a right.

    Args:
        instance: what it serves.
        more_routes: that it has besides, before all others.
    """
    app = FastAPI(
        title="saiten",
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's pages load their scripts from outside
        redoc_url=None,
        responses=_PROBLEMS,
    )
    app.state.instance = instance
    app.state.change_feeds = ChangeFeeds(instance.database, instance.school_id)
    app.state.group_memory = GroupMemory()
    for routes in (*more_routes, health):
        app.include_router(routes, tags=["health"])
    for module, tag in (
        (api.sign_in_routes, "sessions"),
        (api.account_routes, "accounts"),
        (api.backup_routes, "backups"),
        (api.exam_routes, "exams"),
        (api.change_routes, "changes"),
        (api.question_routes, "questions"),
        (api.comparison_routes, "questions"),
        (api.roster_routes, "rosters"),
        (api.score_routes, "scores"),
        (api.judgement_routes, "judgements"),
        (api.duty_routes, "duties"),
        (api.attendance_routes, "attendance"),
        (api.layout_routes, "layouts"),
        (api.upload_routes, "scans"),
        (api.scan_routes, "scans"),
        (api.scan_picture_routes, "scans"),
    ):
        app.include_router(module.routes, prefix="/api", tags=[tag])
    _add_pages(app)
    add_http_rules(
        app,
        # A name of another site that points here reaches no cookie of ours, so any name will do beyond this computer.
        hosts=LOCAL_HOSTS if instance.transport is Transport.LOCAL else None,
        caching="no-store",
        more_headers=_HSTS if instance.transport is Transport.ENCRYPTED else None,
    )
    add_request_log(app)
    return app
