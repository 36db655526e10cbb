"""SIGTERM: the web server answers whom it has taken on, then ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGTERM

from tests.faults.conftest import audited
from tests.support.ledger import Ledger
from tests.support.processes import unread_connections, waiting_for_lock
from tests.support.stack import HASTY, Stack
from tests.support.waiting import wait_until
from tests.support.world import comment_json

#: What the goals allow from SIGTERM to the end.
_BOUND = 10.0


def test_requests_under_way_are_answered_before_the_web_server_ends(
    own_stack: Callable[..., Stack],
) -> None:
    stack = own_stack(**HASTY, COMMIT_TIMEOUT="30")
    lock = Path(stack.database_url.removeprefix("sqlite:///") + ".lock")

    def all_under_way() -> bool:
        return waiting_for_lock(lock) > 0 and unread_connections(stack.port) == 0

    with ThreadPoolExecutor(8) as clients:
        with stack.store.write():  # nothing else is stored within this block
            posts = [clients.submit(stack.post, comment_json()) for _ in range(8)]
            wait_until(all_under_way, 10, "all requests are under way")
            stack.web.tell(SIGTERM)
            wait_until(lambda: not listens(stack), 10, "nobody else is let in")
        answers = [post.result() for post in posts]

    assert {answer.status for answer in answers} == {202}
    assert stack.web.stop(bound=_BOUND) == 0


def test_a_web_server_that_stops_under_load_breaks_no_promise(
    own_stack: Callable[..., Stack], ledger_over: Callable[..., Ledger]
) -> None:
    stack = own_stack(**HASTY)
    with ledger_over(stack, per_second=50) as ledger:
        ledger.let_pass(2)
        assert stack.web.stop(bound=_BOUND) == 0
        stack.start_web()
        wait_until(stack.serves, 30, "the web server is back")

    audited(stack, ledger)


def listens(stack: Stack) -> bool:
    """Return whether the port still takes connections."""
    try:
        stack.request("GET", "/healthz", timeout=1)
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True
