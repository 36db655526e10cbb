"""The web server: Granian with the limits that we want, the same everywhere."""

import gc
import signal
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from service import logs
from service.local.processes import die_with_parent
from service.scratch import scratch_directory
from service.settings import Settings, export
from service.stopping import stopping

#: A client that has not sent its headers by then is not going to.
_HEADER_MILLISECONDS = 10_000
#: Longer than any request may take; then a process that should stop is killed.
_STOP_SECONDS = 20
#: Python's own 700 are made by a handful of requests.
_OBJECTS_BETWEEN_COLLECTIONS = 5_000
_STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})
#: The server's own log lines go where all others go, see `service.logs`.
_LOGGING: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}


def serve(settings: Settings, load: Callable[[str], Any] | None = None) -> None:
    """Serve the application until SIGTERM or SIGINT; requests under way are finished.

    `load` returns another application to serve in the same way, in each process.
    A process that dies is replaced, unless it dies again at once: then the
    whole server ends, so that whoever watches it can tell.
    """
    logs.configure(settings)
    server = _server(settings)
    with scratch_directory() as directory:
        # What the processes count they count together, see `service.metrics`.
        export(PROMETHEUS_MULTIPROC_DIR=str(directory))
        server.serve(target_loader=load or partial(_load_application, settings))
    # It is ending: to be told so once more must not make it look killed.
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _server(settings: Settings) -> AbstractServer[Any]:
    return Granian(
        "service.app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_SECONDS,
        log_level=LogLevels.error,
        log_dictconfig=_LOGGING,
        process_name="python -m service web",
    )


def _load_application(settings: Settings, _target: str) -> Any:
    """Return the application; runs in each process of the server."""
    die_with_parent()
    _heed_signals_at_once()
    # Not before the server has split into processes.
    from service.app import create_app
    from service.web.body_watch import BodyWatch

    application = BodyWatch(create_app(settings), settings.port)
    collect_rarely()
    return application


def collect_rarely() -> None:
    """Keep Python's garbage collector off what stays, and from stopping every thread often.

    Requests leave next to no cycles behind, and without this the collector's
    walks over all modules doubled the 99th percentile of an answer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def _heed_signals_at_once() -> None:
    """Have a thread of its own wait for the signals that stop this process.

    Python runs signal handlers in the main thread only, which sleeps here until
    the very end: a signal that the kernel hands to any other thread would go
    unheard. Threads started from now on leave these signals to this one.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    Thread(target=_hand_on_signals, name="signals", daemon=True).start()


def _hand_on_signals() -> None:
    while True:
        number = signal.sigwait(_STOP_SIGNALS)
        stopping.set()
        handler = signal.getsignal(number)
        if callable(handler):
            handler(number, None)
