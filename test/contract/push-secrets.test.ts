import { Webhook } from "standardwebhooks";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import * as described from "../../packages/protocol/src/described/index.ts";
import { openPushTarget, type Received } from "./push-target.ts";

/** These tests rotate the secret of an endpoint, and verify what a real receiver gets. */

const SECOND_MS = 1_000;
const DAY_MS = 86_400 * SECOND_MS;

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api, received, run, answer, sendTo, pushed, deliveriesOf } = target;
afterAll(target.close);
beforeEach(() => {
  received.length = 0;
  answer(() => 204);
});

const rotate = async (stream: string) =>
  described.NewPush.parse((await sendTo(stream, "/rotate", "POST")).body);
const failuresOf = async (stream: string) => (await deliveriesOf(stream)).deliveries;
const event = (key: string, n: number) => ({ key, type: "order.paid", data: { n } });

it("[push.secret] a rotated secret signs together with its successor for a day", async () => {
  const { stream, secret } = await pushed();
  const rotated = await rotate(stream);
  expect(rotated.secret).not.toBe(secret);
  await api.publish(stream, [event("a", 1)]);
  await run();
  const verify = (with_: string, { text, headers }: Received) =>
    new Webhook(with_).verify(text, headers as never);
  for (const each of [secret, rotated.secret]) {
    verify(each, received[0] as Received);
  }
  aheadMs += DAY_MS + SECOND_MS;
  await api.compact(stream);
  await api.publish(stream, [event("a", 2)]);
  await run();
  verify(rotated.secret, received[1] as Received);
  expect(() => verify(secret, received[1] as Received)).toThrow("No matching signature found");
});

it("[push.secret] secrets are rotated under load, and no delivery fails", async () => {
  const { stream, secret } = await pushed({ concurrency: 4 }, 2);
  let held = secret;
  let refused = 0;
  answer(({ text, headers }) => {
    try {
      new Webhook(held).verify(text, headers as never);
      return 204;
    } catch {
      refused++;
      return 401;
    }
  });
  const events = 300;
  let published = 0;
  let rotations = 0;
  const publishing = async () => {
    for (; published < events; published += 10) {
      const some = Array.from({ length: 10 }, (_, n) => event(`k${n}`, published / 10));
      await api.publish(stream, some);
    }
  };
  const pushing = async () => {
    while (received.length < events) await run();
  };
  // The receiver changes its secret as soon as it has it, while deliveries are under way.
  const rotating = async () => {
    while (received.length < events) {
      const next = received.length + 20;
      held = (await rotate(stream)).secret;
      rotations++;
      // A run looks for new secrets once a second.
      aheadMs += 2 * SECOND_MS;
      await vi.waitUntil(() => received.length >= Math.min(next, events), { timeout: 30_000 });
    }
  };
  await Promise.all([publishing(), pushing(), rotating()]);
  expect(refused).toBe(0);
  expect(rotations).toBeGreaterThanOrEqual(5);
  expect(await failuresOf(stream)).toEqual([]);
});

it("[push.secret] a receiver that is two rotations late is still in time within a day", async () => {
  const { stream, secret } = await pushed();
  for (let n = 0; n < 2; n++) await rotate(stream);
  await api.publish(stream, [event("a", 1)]);
  await run();
  const { text, headers } = received[0] as Received;
  new Webhook(secret).verify(text, headers as never);
});

it("[push.secret] a page that is being sent is signed with secrets that were rotated meanwhile", async () => {
  const { stream } = await pushed({ concurrency: 1 });
  await api.publish(stream, [event("a", 1), event("b", 2), event("c", 3)]);
  const stops = new Set([1, 2]);
  answer(() => (stops.has(received.length) ? "nothing" : 204));
  const running = run();
  const held: string[] = [];
  for (const stop of stops) {
    await vi.waitUntil(() => received.length === stop, { timeout: 10_000 });
    for (let n = 0; n < 3; n++) held.push((await rotate(stream)).secret);
    aheadMs += 2 * SECOND_MS;
    target.release();
  }
  await running;
  expect(received).toHaveLength(3);
  const [first, second, third] = received as [Received, Received, Received];
  const verify = (secret: string | undefined, { text, headers }: Received) =>
    new Webhook(secret ?? "").verify(text, headers as never);
  // The first delivery had begun before the rotations, of which two were prepared.
  verify(held[1], first);
  expect(() => verify(held[2], first)).toThrow("No matching signature found");
  verify(held[2], second);
  verify(held[5], third);
});
