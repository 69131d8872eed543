"""How the demo signs its teacher in without a password: by an address that only this run's terminal shows."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from api.browser_sessions import check_way, open_session
from api.instance import Here  # noqa: TC001  (FastAPI reads it)
from api.web_pages import page_folder
from omr.errors import Refusal, Refused


class DemoToken(BaseModel):
    """The token of the address that the terminal shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = Field(max_length=100)


def demo_path(token: str) -> str:
    """The path by which the demo is opened; what stands behind # is sent to no server, so it reaches no log."""
    return f"/demo#{token}"


def demo_routes(teacher: str, token: str) -> APIRouter:
    """Routes for an application that is served on this computer alone, and that a school's server never has.

    Args:
        teacher: id of the account to sign in.
        token: that whoever comes in must know; it is valid as long as the demo runs.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/demo")
    def show_entry() -> FileResponse:
        return FileResponse(page_folder("entry") / "index.html")

    @routes.get("/signin")
    def lead_to_demo() -> RedirectResponse:
        return RedirectResponse("/demo")

    @routes.post("/api/demo-session", status_code=204)
    def sign_in(sent: DemoToken, here: Here, request: Request, response: Response) -> None:
        check_way(here, request)
        if not hmac.compare_digest(sent.token.encode(), token.encode()):
            raise Refused(
                Refusal.USED_LINK,
                "このアドレスでは見本を開けません。saiten demo を動かしている画面に出ているアドレスを開いてください。",
            )
        with here.database.write() as session:
            open_session(here, session, here.deed(teacher), response)

    return routes
