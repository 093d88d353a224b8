import { expect, it } from "vitest";
import type { Life } from "../model/names.ts";
import { createNotifier } from "./notifier.ts";

const [LIFE, OTHER] = ["orders#1" as Life, "others#1" as Life];

it("a notification wakes the polls of its life, and a stopped poll is forgotten", () => {
  const notifier = createNotifier();
  const [first, second, other] = [LIFE, LIFE, OTHER].map((life) => notifier.listen(life));
  expect(notifier.size()).toBe(3);
  second?.stop();
  expect(notifier.size()).toBe(2);
  notifier.notify(LIFE);
  expect([first, second, other].map((each) => each?.signal.aborted)).toEqual([true, true, false]);
  first?.stop();
  other?.stop();
  expect(notifier.size()).toBe(0);
});

it("a poll whose client has disconnected does not wait, nor one after the end", () => {
  const notifier = createNotifier();
  const gone = new AbortController();
  const waiter = notifier.listen(LIFE, gone.signal);
  gone.abort();
  expect(waiter.signal.aborted).toBe(true);
  expect(notifier.listen(LIFE, gone.signal).signal.aborted).toBe(true);
  const open = notifier.listen(LIFE);
  notifier.close();
  expect([open, notifier.listen(LIFE)].map(({ signal }) => signal.aborted)).toEqual([true, true]);
});
