"""`python -m service.healthcheck web|worker`: exit status 0 if this container does its work.

Run every few seconds, so it imports as little as it can.
"""

import socket
import sys
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from service import settings

if TYPE_CHECKING:
    from redis import Redis

_SECONDS = 3.0
#: Where RQ lists the workers of a queue, and what it keeps of one until it is dead.
_QUEUES = ("moderation", "check", "webhooks", "trials")
_LISTED = "rq:workers:{queue}"


def web_answers() -> bool:
    """Whether the web server of this machine answers."""
    port = settings.load().port
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=_SECONDS) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def worker_works() -> bool:
    """Whether a worker of this machine is known to live on each queue."""
    from redis import Redis
    from redis.exceptions import RedisError

    redis = Redis.from_url(
        settings.load().redis_url, socket_timeout=_SECONDS, decode_responses=True
    )
    try:
        return all(socket.gethostname() in _hosts(redis, queue) for queue in _QUEUES)
    except RedisError:
        return False
    finally:
        redis.close()


def _hosts(redis: "Redis", queue: str) -> set[str]:
    # Those that died have no hash any more: it expires when they stop beating.
    found = (redis.hget(key, "hostname") for key in redis.smembers(_LISTED.format(queue=queue)))
    return {str(name) for name in found if name}


CHECKS = {"web": web_answers, "worker": worker_works}

if __name__ == "__main__":
    sys.exit(not CHECKS[sys.argv[1]]())
