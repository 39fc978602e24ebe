"""How gunicorn serves the application: read by `rewards run` and by the Procfile.

Threads, because a request mostly waits for the database; no control socket, because by default it
lies in the home folder and two services of one user would share it.
"""

from gunicorn.glogging import Logger

from rewards_service.kit import log
from rewards_service.settings import load_settings

_settings = load_settings()


class QuietLogger(Logger):
    """gunicorn's log lines, sent through ours."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)  # type: ignore[no-untyped-call]
        log.configure(_settings.log_format)


bind = (
    f"[{_settings.host}]:{_settings.port}"
    if ":" in _settings.host
    else (f"{_settings.host}:{_settings.port}")
)
worker_class = "gthread"
workers = _settings.web_workers
threads = 4
keepalive = 75
graceful_timeout = 8
timeout = 60
control_socket_disable = True
logger_class = QuietLogger
