import { NewPortalToken } from "@eventledger/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { openPushTarget } from "./push-target.ts";
import { parseProblem, Refused } from "./wire.ts";

/**
 * These tests read on from the cursor of a publish, after the log has lost what was published later
 * in a partition that the publish did not touch. Every way to read is refused.
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api, opened, received, run } = target;
afterAll(target.close);

const JSON_TYPE = { "content-type": "application/json" };
const event = (key: string) => ({ key, data: { key } });

/** Returns a stream, and the cursor of a publish after which events of other keys are lost. */
async function lost() {
  const stream = await api.newStream({ partitions: 2, retentionHours: 1 });
  const { body } = await api.publish(stream, [event("first")]);
  const later = Array.from({ length: 8 }, (_, n) => event(`later ${n}`));
  await api.publish(stream, later);
  for (let days = 0; days < 10; days += 5) {
    aheadMs += 5 * DAY_MS;
    await opened.ledger.sweep();
  }
  // Both partitions have events that are kept.
  await api.publish(stream, later);
  return { stream, cursor: body.cursor };
}

const passed = { status: 410, body: { code: "retention-passed" } };

/** Returns the status and the code of a request. */
const ask = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await api.send({ path, headers });
  return { status: answer.status, body: { code: parseProblem(answer).code } };
};

describe("a place that the log has lost", () => {
  it("[cursor.unread] is refused to browsing, with filters and without", async () => {
    const { stream, cursor } = await lost();
    const from = encodeURIComponent(cursor);
    for (const filter of ["", "&keyPrefix=later", "&type=t", "&waitSeconds=1"]) {
      expect(await ask(`/streams/${stream}/events?from=${from}${filter}`)).toEqual(passed);
    }
    // A moment is no cursor: it names what is kept.
    const moment = new Date(Date.now()).toISOString();
    expect((await api.browse(stream, { from: moment })).body.events).toHaveLength(8);
  });

  it("[cursor.unread] is refused to event streams, when they begin and when they go on", async () => {
    const { stream, cursor } = await lost();
    await api.createSubscription(stream, { name: "s", start: "earliest" });
    const accept = { accept: "text/event-stream" };
    const from = encodeURIComponent(cursor);
    const [events, poll] = [`/streams/${stream}/events`, `/streams/${stream}/subscriptions/s/poll`];
    for (const path of [`${events}?from=${from}`, `${poll}?after=${from}`]) {
      expect(await ask(path, accept)).toEqual(passed);
    }
    for (const path of [events, poll]) {
      expect(await ask(path, { ...accept, "last-event-id": cursor })).toEqual(passed);
    }
  });

  it("[cursor.unread] is refused to a portal token", async () => {
    const { stream, cursor } = await lost();
    const made = await api.send({
      method: "POST",
      path: "/portal-tokens",
      headers: JSON_TYPE,
      body: JSON.stringify({ streams: [stream], keyPrefix: "later", scopes: ["read"] }),
    });
    const { token } = NewPortalToken.parse(made.body);
    const response = await fetch(
      `${api.target.baseUrl}/streams/${stream}/events?from=${encodeURIComponent(cursor)}`,
      { headers: { authorization: `Bearer ${token}` } },
    );
    expect(response.status).toBe(410);
  });

  it("[cursor.unread] disables a push that is sought there", async () => {
    const { stream, cursor } = await lost();
    await api.createSubscription(stream, { name: "hook", start: "latest" });
    const path = `/streams/${stream}/subscriptions/hook/push`;
    const body = JSON.stringify({ url: target.url });
    await api.send({ method: "PUT", path, headers: JSON_TYPE, body });
    await api.seek(stream, "hook", { cursor });
    await run();
    await run();
    expect(received).toEqual([]);
    const { body: push } = await api.send({ path });
    expect(push).toMatchObject({ status: "disabled", disabledBecause: "retention-passed" });
    await api.send({ method: "DELETE", path });
  });

  it("[cursor.unread] [difference.reach] is offered the difference, with what is lost", async () => {
    const { stream, cursor } = await lost();
    await api.createSubscription(stream, { name: "s", start: "latest" });
    const refusal = await api.poll(stream, "s", { after: cursor }).catch((error: unknown) => error);
    if (!(refusal instanceof Refused)) throw new Error("the poll is not refused");
    const { code, since = "" } = refusal.answer.body;
    expect(code).toBe("retention-passed");
    const { body } = await api.send({
      path: `/streams/${stream}/compacted?since=${encodeURIComponent(since)}`,
    });
    const { items } = body as { items: { key: string }[] };
    const keys = items.map(({ key }) => key).toSorted();
    expect(keys).toEqual(Array.from({ length: 8 }, (_, n) => `later ${n}`));
  });
});
