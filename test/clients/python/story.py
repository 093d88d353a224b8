"""The story of ../story.ts with a client of openapi-python-client."""

import json
import os
import sys

from event_ledger_client import AuthenticatedClient
from event_ledger_client.api.compacted import compact_stream
from event_ledger_client.api.events import publish_events
from event_ledger_client.api.streams import create_stream, get_stream
from event_ledger_client.api.subscriptions import (
    commit,
    commit_and_poll,
    create_subscription,
    poll,
    seek,
)
from event_ledger_client.models import (
    CommitBody,
    CreateStream,
    CreateSubscription,
    NewEvent,
    NewEvents,
    PlaceCursor,
    PollBody,
    Problem,
    SeekBody,
)

stream = sys.argv[1]
api = AuthenticatedClient(
    base_url=os.environ["EVENTLEDGER_URL"], token=os.environ["EVENTLEDGER_API_KEY"]
)


def answer(asked):
    """The answer, or the problem as an error."""
    if asked is None or isinstance(asked, Problem):
        raise RuntimeError(asked)
    return asked


def publish(body, **headers):
    return answer(publish_events.sync(stream, client=api, body=body, **headers))


def sequences(events):
    return [event.sequence for event in events]


made = answer(create_stream.sync(client=api, body=CreateStream(name=stream)))

two = NewEvents(
    events=[
        NewEvent(key="order-1", type_="order.placed", data={"total": 42}),
        NewEvent(key="order-2", data={"total": 7}),
    ]
)
first = publish(two, idempotency_key="story-1")
again = publish(two, idempotency_key="story-1")
third = publish(NewEvent(key="order-1", data={"total": 43}))
tombstone = publish(NewEvent(key="order-2", data=None))

answer(create_subscription.sync(stream, client=api, body=CreateSubscription(name="reader")))
page = answer(poll.sync(stream, "reader", client=api, limit=3))
committed = answer(commit.sync(stream, "reader", client=api, body=CommitBody(cursor=page.cursor)))
rest = answer(commit_and_poll.sync(stream, "reader", client=api, body=PollBody()))
answer(commit_and_poll.sync(stream, "reader", client=api, body=PollBody(commit=rest.cursor)))

answer(compact_stream.sync(stream, client=api))
late_from = CreateSubscription.from_dict({"name": "late", "start": "bootstrap"})
answer(create_subscription.sync(stream, client=api, body=late_from))
state = {}
late = answer(poll.sync(stream, "late", client=api))
for _ in range(20):
    for event in late.events:
        if event.data is None:
            state.pop(event.key, None)
        else:
            state[event.key] = event.data["total"]
    if late.caught_up:
        break
    late = answer(
        commit_and_poll.sync(stream, "late", client=api, body=PollBody(commit=late.cursor))
    )

target = SeekBody(to=PlaceCursor(cursor=first.cursor))
answer(seek.sync(stream, "reader", client=api, body=target))
sought = answer(poll.sync(stream, "reader", client=api))
missing = get_stream.sync("no-such", client=api)

print(
    json.dumps(
        {
            "partitions": made.partitions,
            "published": [sequences(one.events) for one in (first, again, third, tombstone)],
            "polled": [sequences(one.events) for one in (page, rest)],
            "stale": committed.stale,
            "caughtUp": rest.caught_up,
            "state": state,
            "consistent": late.consistent,
            "sought": sequences(sought.events),
            "problem": [str(missing.code), str(missing.retry), missing.status],
        }
    )
)
