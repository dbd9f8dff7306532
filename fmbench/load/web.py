"""Locust's web UI at home with a study: tabs of its own, a start that asks for no numbers, and nobody let in from outside.

Only pages of the UI itself may change something or read along: the Host must be one of ours, other origins are refused, and what
changes something needs the cookie that the UI's own page was given. Beyond this machine it takes a password.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Response, request
from locust.runners import STATE_INIT

from fmbench.core.failures import Refused
from fmbench.load.web_end import BAR, Ending, Study
from fmbench.load.web_tabs import CELLS, CONFIGURATION, TABS, TIMES, cell_rows, configuration_rows, quotas_of
from fmbench.load.web_times import OverTime

PASSWORD = "FMBENCH_WEB_PASSWORD"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "fmbench_token"
__all__ = ["Study", "StudyUI"]


class StudyUI:
    """The web UI of one run. Made in Locust's ``init`` event, before the server listens."""

    def __init__(self, environment: Any, study: Study) -> None:
        self._environment, self._study = environment, study
        self._quotas = quotas_of(study.config, study.folder)
        self._ending, self._over_time = Ending(study), OverTime(study.progress, self._quotas)
        self._token = secrets.token_urlsafe(24)
        self._ui = environment.web_ui
        self._password = os.environ.get(PASSWORD)
        self._listen()
        self._ui.app.before_request(self._answer)
        self._ui.app.after_request_funcs.setdefault(None, []).insert(0, self._finish)  # the first one is called last
        self._over_time.routes(self._ui.app)
        self._ending.routes(self._ui.app)
        self._usual_arguments = self._ui.update_template_args
        self._ui.update_template_args = self._arguments

    def _listen(self) -> None:
        """This machine alone where nothing is said; elsewhere with a password. Raises ``Refused`` without one."""
        self._ui.host = self._ui.host or LOOPBACK[0]
        given = getattr(self._environment.parsed_options, "web_host", "")
        if given == "*":
            self._ui.host = ""
        if self._ui.host not in LOOPBACK and not self._password:
            raise Refused(f"--web-host {given}: the web UI listens beyond this machine only with a password: set {PASSWORD}.")

    def _answer(self) -> Response | None:
        """None to go on; else why not."""
        host = _split(f"//{request.headers.get('Host', '')}")[0]
        if self._ui.host in LOOPBACK and host not in LOOPBACK:
            return Response("this is not the address of this web UI\n", 403)
        origin = request.headers.get("Origin")
        if origin is not None and _split(origin)[1] != request.host:
            return Response("another site asks\n", 403)
        if request.path != "/" and request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site"):
            return Response("another site asks\n", 403)
        if self._password and not self._knows_password():
            return Response("a password is needed\n", 401, {"WWW-Authenticate": 'Basic realm="fmbench-load"'})
        if request.method not in ("GET", "HEAD") and not self._has_token():
            return Response("open the web UI itself, and do it there\n", 403)
        if request.path.endswith("/stop") and self._study.over():
            return self._ending.close()
        return self._start() if request.path.endswith("/swarm") else None

    def _knows_password(self) -> bool:
        given = request.authorization.password if request.authorization else None
        return hmac.compare_digest((given or "").encode(), (self._password or "").encode())

    def _has_token(self) -> bool:
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._token.encode())

    def _start(self) -> Response:
        """Begin the study: how many users there are is in the configuration, whatever the form says."""
        runner = self._environment.runner
        begun = self._study.begun() or runner.state != STATE_INIT
        if not begun:
            runner.start(0, 1)
        said = "the study has begun already" if begun else "the study begins"
        return Response(json.dumps({"success": not begun, "message": said, "host": ""}), mimetype="application/json")

    def _finish(self, response: Response) -> Response:
        for name in [name for name in response.headers.keys() if name.startswith("Access-Control-")]:  # noqa: SIM118
            del response.headers[name]
        response.headers["X-Frame-Options"] = "DENY"
        if request.path == "/" and response.status_code == 200:
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="Strict")
            response.set_data(response.get_data(as_text=True).replace("</body>", f"{BAR}</body>"))
        if request.path == "/stats/requests" and response.is_json:
            data = {**(response.get_json() or {}), "extended_stats": self._tables()}
            response.set_data(json.dumps(data))
        return response

    def _arguments(self) -> None:
        """Locust's own arguments of its page, and ours: no numbers are asked, and there are tabs for the study."""
        self._usual_arguments()
        self._ui.template_args |= {
            "hide_common_options": True,
            "is_host_required": False,
            "extended_tabs": [{"title": tab.title, "key": tab.key} for tab in TABS],
            "extended_tables": [
                {"key": tab.key, "structure": [{"key": key, "title": title} for key, title in tab.columns.items()]}
                for tab in TABS
            ],
        }

    def _tables(self) -> list[dict[str, Any]]:
        rows = {
            CELLS.key: cell_rows(self._study.progress, self._ending.summary(), self._quotas),
            TIMES.key: self._over_time.rows(),
            CONFIGURATION.key: configuration_rows(self._study.config),
        }
        return [{"key": key, "data": data} for key, data in rows.items()]


def _split(address: str) -> tuple[str, str]:
    """Host and authority of an address that anybody may have written; empty ones where it is none."""
    try:
        parts = urlsplit(address)
        return parts.hostname or "", parts.netloc
    except ValueError:
        return "", ""
