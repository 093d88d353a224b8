import { expect, it } from "vitest";
import type { StoredEvent } from "../model/event.ts";
import { inKeyOrder, type Sent } from "./in-key-order.ts";

const eventsOf = (keys: string): StoredEvent[] =>
  Array.from(keys, (key, at) => ({ key, sequence: at }) as StoredEvent);

/** Sends the events of keys, and returns their sequences, and how many were sent at a time. */
async function play(
  keys: string,
  order: Parameters<typeof inKeyOrder>[1],
  how: (event: StoredEvent) => Sent,
) {
  const sent: string[] = [];
  const atOnce: number[] = [];
  let now = 0;
  const complete = await inKeyOrder(eventsOf(keys), order, async (event) => {
    sent.push(`${event.key}${event.sequence}`);
    atOnce.push(++now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    now--;
    return how(event);
  });
  return { sent, most: Math.max(...atOnce), first: atOnce[1], complete };
}

it("[push.order] keys are sent at the same time, and nothing more of a key that has to wait", async () => {
  const { sent, most, complete } = await play("abcdabcd", { concurrency: 3 }, ({ key }) =>
    key === "b" ? "key-waits" : "done",
  );
  expect([most, complete]).toEqual([3, true]);
  expect(sent.filter((each) => each !== "b1").sort()).toEqual(["a0", "a4", "c2", "c6", "d3", "d7"]);
  expect(sent).not.toContain("b5");
});

it("[push.outage] a probe tries one key after another from any of them, until one is done", async () => {
  const order = { concurrency: 4, probeFrom: 0.5 };
  const refused = await play("abcdef", order, ({ key }) => (key === "f" ? "held" : "key-waits"));
  expect(refused).toMatchObject({ sent: ["d3", "e4", "f5", "a0", "b1", "c2"], most: 1 });
  expect(refused.complete).toBe(false);
  const accepted = await play("abcdef", order, () => "done");
  expect(accepted).toMatchObject({ most: 4, first: 1, complete: true });
  expect(accepted.sent[0]).toBe("d3");
  expect(accepted.sent).toHaveLength(6);
  expect(await play("", order, () => "done")).toMatchObject({ sent: [], complete: true });
});
