"""Websites hear of every change, in order and until they have heard it, on every database."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from rq import Queue
from rq.serializers import JSONSerializer

from service.domain.comment import Status
from service.domain.decision import Decision
from service.domain.webhook import Endpoint, EventType, Message, MessageState
from service.jobs import WEBHOOKS, JobQueue
from service.storage import database_now, judging, outbox, upkeep
from service.storage.tables import outbox as messages_table
from service.webhooks.dispatch import dispatch
from service.webhooks.postman import INTERVALS, Postman
from service.webhooks.signing import secret_of
from tests.contract.desk import NO_REDIS, Desk, settings_of, verdict
from tests.support.receiver import Received, Receiver
from tests.support.waiting import wait_until

THREE_DAYS = timedelta(days=3)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A website that hears everything at once, unless a test wants otherwise."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def postman(desk: Desk) -> Iterator[Postman]:
    """A postman by the test's own clock."""
    settings = settings_of(WEBHOOK_NETWORKS="127.0.0.0/8", WEBHOOK_TIMEOUT="0.5")
    postman = Postman(desk.store, desk.keyring, settings, clock=lambda: desk.now)
    yield postman
    postman.close()


def listen(desk: Desk, url: str, *events: EventType) -> Endpoint:
    """Let the first site hear of its comments at `url`."""
    with desk.store.write() as db:
        return outbox.add_endpoint(
            db, desk.site.id, url, seed=f"seed of {url}", now=desk.now, events=events
        )


def messages(desk: Desk) -> list[Message]:
    """Return all messages, oldest first."""
    with desk.store.read() as db:
        return outbox.list_messages(db)[::-1]


def endpoint_of(desk: Desk, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint as it is stored now."""
    with desk.store.read() as db:
        found = outbox.endpoint_by_id(db, endpoint.id)
    assert found is not None
    return found


def statuses(desk: Desk, message: Message) -> list[int | str | None]:
    """Return what came of each attempt."""
    with desk.store.read() as db:
        attempts = outbox.deliveries_of(db, [message.id])[message.id]
    return [attempt.status or attempt.error for attempt in attempts]


# --- what is written -----------------------------------------------------------


def test_without_an_endpoint_nothing_is_written(desk: Desk) -> None:
    desk.decide(desk.held())
    assert messages(desk) == []


def test_another_sites_endpoint_hears_nothing(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    desk.held(caller=desk.add_site("other"))
    assert messages(desk) == []


def test_every_change_of_status_is_told_by_its_name(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    comment_id = desk.held(external_id="wp-1")
    for decision in (Decision.APPROVE, Decision.SPAM, Decision.APPROVE, Decision.REJECT):
        desk.decide(comment_id, decision)
    desk.moderation.erase(comment_id, actor="site:news")

    told = [message.type for message in messages(desk)]

    assert told == ["comment.held", "comment.approved", "comment.spam", "comment.restored",
                    "comment.rejected", "comment.erased"]  # fmt: skip


def test_a_comment_that_its_author_takes_back_is_told(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    desk.moderation.withdraw(desk.submit())
    assert [message.type for message in messages(desk)] == ["comment.withdrawn"]


def test_what_goes_back_to_the_queue_is_told_when_it_is_judged(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    event = desk.decide(desk.submit(), Decision.SPAM)
    desk.moderation.undo(event=event.id, moderator=desk.moderator)
    assert [message.type for message in messages(desk)] == ["comment.spam"]


def test_a_message_says_what_a_website_needs_and_nothing_private(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    comment_id = desk.held("Secret words.", external_id="wp-1")
    desk.decide(comment_id, Decision.REJECT, note="a note")

    payload = messages(desk)[-1].payload

    assert payload["data"] == {
        "id": comment_id, "external_id": "wp-1", "site": "news",
        "thread": {"id": "an-article", "url": ""}, "status": "rejected",
        "previous_status": "held", "version": 3, "by": "moderator", "reason": "",
    }  # fmt: skip
    assert payload["timestamp"].endswith("Z")


def test_an_erased_comment_is_told_by_the_name_that_the_site_knows(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    comment_id = desk.held(external_id="wp-1")
    desk.moderation.erase(comment_id, actor="site:news")
    assert messages(desk)[-1].payload["data"]["external_id"] == "wp-1"


def test_an_endpoint_hears_only_what_it_asked_for(desk: Desk) -> None:
    listen(desk, "https://news.example/hook", EventType.APPROVED)
    desk.decide(desk.held(), Decision.APPROVE)
    assert [message.type for message in messages(desk)] == ["comment.approved"]


def test_a_change_that_is_undone_with_its_transaction_is_not_told(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    comment_id = desk.submit()

    def fail() -> None:
        held = judging.Judged(comment_id, 1, verdict())
        with desk.store.write() as db:
            assert judging.record_verdicts(db, [held], desk.now) == {comment_id}
            raise RuntimeError("the transaction fails")

    with pytest.raises(RuntimeError):
        fail()
    assert messages(desk) == []
    assert desk.status(comment_id) is Status.PENDING


def test_deleting_old_text_is_no_news(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    comment_id = desk.held()
    desk.decide(comment_id, Decision.SPAM)
    desk.set(comment_id, decided_at=desk.long_ago(days=91))
    assert desk.moderation.retain().texts == 1
    assert [message.type for message in messages(desk)] == ["comment.held", "comment.spam"]


# --- how it is delivered -------------------------------------------------------


def test_a_message_arrives_signed(desk: Desk, postman: Postman, receiver: Receiver) -> None:
    endpoint = listen(desk, receiver.url)
    desk.held()

    assert postman.deliver(endpoint.id) == 1

    [request] = receiver.received
    [message] = messages(desk)
    assert request.is_signed_with(secret_of(desk.keyring, endpoint))
    assert not request.is_signed_with("whsec_" + "A" * 43 + "=")
    assert request.headers["webhook-id"] == message.key
    assert request.headers["webhook-timestamp"] == str(int(desk.now.timestamp()))
    assert request.headers["content-type"] == "application/json"
    assert message.state is MessageState.DELIVERED
    assert statuses(desk, message) == [204]


def test_what_arrived_is_not_sent_again(desk: Desk, postman: Postman, receiver: Receiver) -> None:
    endpoint = listen(desk, receiver.url)
    desk.held()
    postman.deliver(endpoint.id)
    assert postman.deliver(endpoint.id) == 0
    assert len(receiver.received) == 1


def test_while_a_secret_is_replaced_both_prove_a_message(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    old = listen(desk, receiver.url)
    until = desk.now + timedelta(hours=24)
    with desk.store.write() as db:
        outbox.update_endpoint(db, old.id, seed="new", old_seed=old.seed, old_until=until)
    new = endpoint_of(desk, old)
    desk.held()
    postman.deliver(old.id)
    desk.now += timedelta(hours=25)
    desk.held()
    postman.deliver(old.id)

    during, after = receiver.received

    assert secret_of(desk.keyring, old) != secret_of(desk.keyring, new)
    assert during.is_signed_with(secret_of(desk.keyring, old))
    assert during.is_signed_with(secret_of(desk.keyring, new))
    assert not after.is_signed_with(secret_of(desk.keyring, old))
    assert after.is_signed_with(secret_of(desk.keyring, new))


def test_a_failing_website_is_tried_over_three_days_and_then_no_more(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    receiver.behave = lambda _request: 500
    endpoint = listen(desk, receiver.url)
    desk.held()
    began, waits = desk.now, []

    while (message := messages(desk)[0]).state is MessageState.WAITING:
        assert message.next_at is not None
        waits.append(message.next_at - desk.now)
        desk.now = max(message.next_at, endpoint_of(desk, endpoint).resting_until or desk.now)
        postman.deliver(endpoint.id)

    assert [round(wait.total_seconds()) for wait in waits] == [
        0, *(pytest.approx(seconds, rel=0.11) for seconds in INTERVALS)
    ]  # fmt: skip
    assert THREE_DAYS * 0.95 < desk.now - began < THREE_DAYS * 1.15
    assert message.state is MessageState.DEAD
    assert statuses(desk, message) == [500] * 10
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    desk.now += timedelta(days=30)
    assert postman.deliver(endpoint.id) == 0
    assert len(receiver.received) == 10


def test_a_website_that_returns_after_an_hour_hears_everything_at_once(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    receiver.behave = lambda _request: 503
    endpoint = listen(desk, receiver.url)
    ids = [desk.held() for _ in range(60)]
    ended = desk.now + timedelta(hours=1)
    while desk.now < ended:
        postman.deliver(endpoint.id)
        desk.now += timedelta(minutes=1)
    tried = len(receiver.received)

    receiver.behave = lambda _request: 200
    desk.now += timedelta(minutes=5)
    delivered = postman.deliver(endpoint.id) + postman.deliver(endpoint.id)

    assert delivered == len(ids)
    assert tried < 60, "it is not knocked on for each message"
    heard = [request.json()["data"]["id"] for request in receiver.received[tried:]]
    assert sorted(heard) == sorted(ids)
    assert endpoint_of(desk, endpoint).failures == 0


def test_messages_about_a_comment_keep_their_order(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    def refuse_the_first(request: Received) -> int:
        return 422 if request.type == "comment.held" and len(receiver.received) < 2 else 200

    receiver.behave = refuse_the_first
    endpoint = listen(desk, receiver.url)
    first, second = desk.held(), desk.held()
    desk.decide(first, Decision.APPROVE)

    postman.deliver(endpoint.id)
    assert [r.json()["data"]["id"] for r in receiver.received] == [first, second]
    desk.now += timedelta(seconds=6)
    postman.deliver(endpoint.id)

    versions = [
        r.json()["data"]["version"] for r in receiver.received if r.json()["data"]["id"] == first
    ]
    assert versions == [2, 2, 3]


def test_a_message_that_was_given_up_keeps_the_next_one_from_nothing(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    endpoint = listen(desk, receiver.url)
    comment_id = desk.held()
    change_all(desk, state=MessageState.DEAD, next_at=None)
    desk.decide(comment_id, Decision.APPROVE)

    assert postman.deliver(endpoint.id) == 1
    assert receiver.types == ["comment.approved"]


def test_a_website_that_stalls_is_given_up_in_time_and_left_alone_for_a_while(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    def stall(_request: Received) -> int:
        wait_until(lambda: messages(desk)[0].attempts > 0, 10, "the postman gave up")
        return 200

    receiver.behave = stall
    endpoint = listen(desk, receiver.url)
    first = desk.held()
    desk.held()

    assert postman.deliver(endpoint.id) == 0

    assert statuses(desk, messages(desk)[0]) == ["no answer within 0.5 s"]
    assert [message.attempts for message in messages(desk)] == [1, 0]
    assert receiver.received[0].json()["data"]["id"] == first
    assert postman.deliver(endpoint.id) == 0
    assert len(receiver.received) == 1, "it rests"


def test_a_website_may_say_how_long_to_leave_it_alone(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    receiver.behave, receiver.headers = lambda _request: 429, {"Retry-After": "3600"}
    endpoint = listen(desk, receiver.url)
    desk.held()
    postman.deliver(endpoint.id)

    desk.now += timedelta(minutes=59)
    postman.deliver(endpoint.id)
    assert len(receiver.received) == 1
    desk.now += timedelta(minutes=1)
    postman.deliver(endpoint.id)
    assert len(receiver.received) == 2


def test_an_endpoint_that_is_gone_is_switched_off(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    receiver.behave = lambda _request: 410
    endpoint = listen(desk, receiver.url)
    desk.held()
    desk.held()
    postman.deliver(endpoint.id)
    desk.held()

    assert [message.state for message in messages(desk)] == [MessageState.DEAD] * 2
    assert endpoint_of(desk, endpoint).disabled_why == "the website answered 410 Gone"
    assert len(receiver.received) == 1


def test_a_redirect_is_a_failure(desk: Desk, postman: Postman, receiver: Receiver) -> None:
    receiver.behave, receiver.headers = lambda _request: 301, {"Location": receiver.url}
    endpoint = listen(desk, receiver.url)
    desk.held()
    assert postman.deliver(endpoint.id) == 0
    assert len(receiver.received) == 1


def test_private_addresses_are_not_called_as_shipped(desk: Desk, receiver: Receiver) -> None:
    endpoint = listen(desk, receiver.url)
    desk.held()
    as_shipped = Postman(desk.store, desk.keyring, settings_of(), clock=lambda: desk.now)
    assert as_shipped.deliver(endpoint.id) == 0
    assert receiver.received == []
    assert "private address" in str(statuses(desk, messages(desk)[0]))


def test_what_was_given_up_can_be_sent_again(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    endpoint = listen(desk, receiver.url)
    desk.held()
    change_all(desk, state=MessageState.DEAD, next_at=None, attempts=10)

    with desk.store.write() as db:
        assert outbox.send_again(db, desk.now, endpoint_id=endpoint.id) == 1
    assert postman.deliver(endpoint.id) == 1

    assert messages(desk)[0].state is MessageState.DELIVERED


def test_one_message_can_be_sent_again_though_it_arrived(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    endpoint = listen(desk, receiver.url)
    desk.held()
    postman.deliver(endpoint.id)
    with desk.store.write() as db:
        assert outbox.send_again(db, desk.now, key=messages(desk)[0].key) == 1
        assert outbox.send_again(db, desk.now, key="msg_unknown") == 0
    postman.deliver(endpoint.id)
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_one_postman_at_a_time_goes_to_an_endpoint(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    endpoint = listen(desk, receiver.url)
    desk.held()
    with desk.store.write() as db:
        assert upkeep.take_lease(db, f"webhook:{endpoint.id}", "another", seconds=60)
    assert postman.deliver(endpoint.id) == 0
    assert receiver.received == []


def test_an_endpoint_that_stalls_delays_no_other(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    with Receiver() as quick:

        def stall(_request: Received) -> int:
            wait_until(lambda: quick.received, 10, "the other one heard")
            return 200

        receiver.behave = stall
        endpoints = [listen(desk, receiver.url).id, listen(desk, quick.url).id]
        desk.held()
        postman.send_out(endpoints)
        wait_until(lambda: quick.received and receiver.received, 10, "both heard")


def test_old_messages_are_forgotten_with_their_log(
    desk: Desk, postman: Postman, receiver: Receiver
) -> None:
    endpoint = listen(desk, receiver.url)
    desk.held()
    postman.deliver(endpoint.id)
    desk.held()
    change_all(desk, created_at=desk.long_ago(days=31))

    assert desk.moderation.retain().messages == 1

    assert [message.state for message in messages(desk)] == [MessageState.WAITING]


# --- how it is found -----------------------------------------------------------


def jobs_waiting(desk: Desk) -> list[list[int]]:
    """Return the endpoints that each waiting job names."""
    queue = Queue(WEBHOOKS, connection=desk.jobs.connection, serializer=JSONSerializer)
    return [job.args[0] for job in queue.jobs]


def find(desk: Desk, jobs: JobQueue | None = None) -> int:
    """Look once for what is due."""
    return dispatch(desk.store, jobs or desk.jobs, lambda: desk.now)


def test_what_is_due_is_put_on_the_queue_once(desk: Desk) -> None:
    first = listen(desk, "https://news.example/one")
    second = listen(desk, "https://news.example/two")
    assert find(desk) == 0
    desk.held()
    assert find(desk) == 2
    assert find(desk) == 0, "a job waits already"
    assert jobs_waiting(desk) == [[first.id, second.id]]


def test_a_lost_job_is_put_again(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    desk.held()
    find(desk)
    desk.lose_jobs()
    assert find(desk) == 1


@pytest.mark.parametrize(
    "obstacle",
    [
        pytest.param(lambda now: {"resting_until": now + timedelta(seconds=1)}, id="rests"),
        pytest.param(lambda now: {"disabled_at": now}, id="is off"),
    ],
)
def test_an_endpoint_that_is_not_to_be_called_is_passed_over(
    desk: Desk, obstacle: Callable[[Any], dict[str, Any]]
) -> None:
    endpoint = listen(desk, "https://news.example/hook")
    desk.held()
    with desk.store.write() as db:
        outbox.update_endpoint(db, endpoint.id, **obstacle(desk.now))
    assert find(desk) == 0


def test_an_endpoint_that_is_being_served_is_passed_over(desk: Desk) -> None:
    endpoint = listen(desk, "https://news.example/hook")
    desk.held()
    with desk.store.write() as db:
        upkeep.take_lease(db, f"webhook:{endpoint.id}", "a postman", seconds=60)
        assert outbox.due_endpoints(db, desk.now, database_now(db)) == []
    assert find(desk) == 0


def test_while_redis_is_away_everything_stays_due(desk: Desk) -> None:
    listen(desk, "https://news.example/hook")
    desk.held()
    away = JobQueue(NO_REDIS)
    assert find(desk, away) == 0
    assert find(desk) == 1


def change_all(desk: Desk, **columns: Any) -> None:
    """Change columns of all messages behind everybody's back."""
    with desk.store.write() as db:
        db.execute(sa.update(messages_table).values(**columns))
