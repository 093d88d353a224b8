import { beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests the life that an answer names, and the reason for which a cursor is refused. */
export function livesContract(target: Target): void {
  const api = createClient(target);
  describe("lives", () => {
    lives(api);
    reasons(api);
  });
}

/** Returns the life in every answer about a stream, by the kind of answer. */
async function livesShown(api: Client, stream: string): Promise<Record<string, string>> {
  const name = "s";
  const created = await api.createSubscription(stream, { name });
  const page = await api.poll(stream, name);
  const items = await api.listCompacted(stream);
  const [listed] = (await api.listSubscriptions(stream)).body.subscriptions;
  return {
    stream: (await api.getStream(stream)).life,
    streams: await listedLife(api, stream),
    patched: (await api.patchStream(stream, { description: "d" })).body.life,
    receipt: (await api.publish(stream, { key: "k", data: 1 })).body.life,
    "empty receipt": (await api.publish(stream, "[]", { contentType: CLOUD_BATCH })).body.life,
    browsed: (await api.browse(stream)).body.life,
    polled: page.body.life,
    "committed and polled": (await api.commitAndPoll(stream, name, {})).body.life,
    committed: (await api.commit(stream, name, page.body.cursor)).body.life,
    sought: (await api.seek(stream, name, "earliest")).body.life,
    subscription: created.body.life,
    subscriptions: listed?.life ?? "none",
    "view of a subscription": (await api.getSubscription(stream, name)).life,
    compacted: items.life,
  };
}

/** Returns the life that the list of streams shows, on whichever page the stream is. */
async function listedLife(api: Client, stream: string): Promise<string> {
  let cursor: string | null | undefined;
  do {
    const query = cursor == null ? { limit: 500 } : { limit: 500, cursor };
    const { body } = await api.listStreams(query);
    const found = body.streams.find(({ name }) => name === stream);
    if (found !== undefined) return found.life;
    ({ cursor } = body);
  } while (cursor !== null);
  throw new Error(`${stream} is not listed`);
}

const CLOUD_BATCH = "application/cloudevents-batch+json";

function lives(api: Client): void {
  it("[life.named] the life is the same in every answer of one life, and another in the next", async () => {
    const stream = await api.newStream();
    const first = await livesShown(api, stream);
    expect(new Set(Object.values(first)).size, JSON.stringify(first)).toBe(1);
    await api.deleteStream(stream);
    await api.createStream({ name: stream });
    const next = await livesShown(api, stream);
    expect(new Set(Object.values(next)).size, JSON.stringify(next)).toBe(1);
    expect(next.stream).not.toBe(first.stream);
  });

  it("[life.named] the life is a header of CloudEvents pages and of the state of one key", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    await api.publish(stream, { key: "k", data: 1 });
    await api.compact(stream);
    const { life } = await api.getStream(stream);
    const headers = { accept: CLOUD_BATCH };
    for (const path of [
      `/streams/${stream}/events`,
      `/streams/${stream}/subscriptions/s/poll`,
      `/streams/${stream}/compacted/k`,
    ]) {
      expect((await api.send({ path, headers })).header("eventledger-life"), path).toBe(life);
    }
  });

  it("[life.named] the life keeps a consumer from skipping events of a stream that is created again", async () => {
    const stream = await api.newStream();
    const seen = new Map<string, number>();
    const applied: unknown[] = [];
    const consume = async () => {
      const { events, life } = (await api.browse(stream)).body;
      for (const { key, sequence, data } of events) {
        const at = JSON.stringify([life, key]);
        if (sequence <= (seen.get(at) ?? 0)) continue;
        seen.set(at, sequence);
        applied.push(data);
      }
    };
    await api.publish(stream, [
      { key: "k", data: 1 },
      { key: "k", data: 2 },
    ]);
    await consume();
    await api.deleteStream(stream);
    await api.createStream({ name: stream });
    await api.publish(stream, { key: "k", data: 3 });
    await consume();
    await consume();
    expect(applied).toEqual([1, 2, 3]);
  });
}

function reasons(api: Client): void {
  const names = { name: "s", other: "t" };
  let stream: string;
  let elsewhere: string;
  let polled: string;
  let receipt: string;
  beforeAll(async () => {
    [stream, elsewhere] = [await api.newStream(), await api.newStream()];
    receipt = (await api.publish(stream, { key: "k", data: 1 })).body.cursor;
    for (const name of Object.values(names)) {
      await api.createSubscription(stream, { name });
      await api.createSubscription(elsewhere, { name });
    }
    polled = (await api.poll(stream, names.name)).body.cursor;
  });

  /** Returns every request that takes a cursor of a poll or of the stream. */
  const uses = (of: string, name: string, cursor: string) => ({
    from: () => api.browse(of, { from: cursor }),
    start: () => api.createSubscription(of, { name: "new", start: { cursor } }),
    after: () => api.poll(of, name, { after: cursor }),
    "body's after": () => api.commitAndPoll(of, name, { after: cursor }),
    commit: () => api.commit(of, name, cursor),
    "commit and poll": () => api.commitAndPoll(of, name, { commit: cursor }),
    "seek's target": () => api.seek(of, name, { cursor }),
    list: () => api.listCompacted(of, { cursor }),
  });

  async function refusedAs(
    reason: string,
    calls: Partial<Record<string, () => Promise<unknown>>>,
  ): Promise<void> {
    for (const [use, call] of Object.entries(calls)) {
      if (call === undefined) continue;
      const problem = await refusal(call(), "invalid-cursor");
      expect(problem.reason, use).toBe(reason);
    }
  }

  it("[cursor.reason] another stream's cursor is refused with other-stream", async () => {
    await refusedAs("other-stream", uses(elsewhere, names.name, polled));
    await refusedAs("other-stream", uses(elsewhere, names.name, receipt));
  });

  it("[cursor.reason] another subscription's cursor is refused with other-subscription, also where none belongs", async () => {
    const { from, start, ...others } = uses(stream, names.other, polled);
    await refusedAs("other-subscription", { from, start, ...others });
    const { commit, "commit and poll": both } = uses(stream, names.name, receipt);
    await refusedAs("other-subscription", { commit, both });
  });

  it("[cursor.reason] a cursor for another purpose is refused with other-query", async () => {
    const { list } = uses(stream, names.name, receipt);
    await refusedAs("other-query", { list });
    await api.publish(stream, [
      { key: "a", data: 1 },
      { key: "b", data: 1 },
    ]);
    await api.compact(stream);
    const inList = (await api.listCompacted(stream, { limit: 1 })).cursor ?? "";
    const { start } = uses(stream, names.name, inList);
    await refusedAs("other-query", { start });
  });

  it("[cursor.reason] a changed cursor and a text that is no cursor are refused with malformed", async () => {
    for (const cursor of [`${polled.slice(0, -2)}AA`, `${polled}A`, "A".repeat(64)]) {
      await refusedAs("malformed", uses(stream, names.name, cursor));
    }
    const list = { cursor: "QUFB" };
    await refusedAs("malformed", {
      streams: () => api.listStreams(list),
      subscriptions: () => api.listSubscriptions(stream, list),
      parked: () => api.listParked(stream, names.name, { cursor: "b3JkZXJz" }),
    });
  });

  it("[cursor.reason] a cursor from before a seek is refused with seeked", async () => {
    const before = (await api.poll(stream, names.other)).body.cursor;
    await api.seek(stream, names.other, "earliest");
    const { after, "body's after": body, commit, ...rest } = uses(stream, names.other, before);
    await refusedAs("seeked", { after, body, commit, both: rest["commit and poll"] });
  });

  it("[cursor.reason] a cursor of an earlier life is refused with other-life, even when its data is gone", async () => {
    const gone = await api.newStream({ partitions: 3 });
    await api.createSubscription(gone, { name: names.name });
    const old = {
      receipt: (await api.publish(gone, { key: "k", data: 1 })).body.cursor,
      polled: (await api.poll(gone, names.name)).body.cursor,
    };
    for (let life = 0; life < 2; life++) {
      await api.deleteStream(gone);
      await api.createStream({ name: gone, partitions: life + 1 });
      await api.createSubscription(gone, { name: names.name });
      await refusedAs("other-life", uses(gone, names.name, old.polled));
      await refusedAs("other-life", uses(gone, names.name, old.receipt));
    }
  });
}
