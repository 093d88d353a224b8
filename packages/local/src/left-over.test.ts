import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createLeftOver } from "./left-over.ts";

it("no write begins after the end, and the one in flight is awaited", async () => {
  const { pace, stop, stopped } = createLeftOver();
  const first = Promise.withResolvers<string>();
  const began: number[] = [];
  const write = (n: number, result: Promise<string>) =>
    pace.run(() => {
      began.push(n);
      return result;
    });
  const writes = [write(1, first.promise), write(2, Promise.resolve("second"))];
  const ended: string[] = [];
  const note = (end: string) => () => void ended.push(end);
  void Promise.race(writes.slice(1)).then(note("second"));
  await turn();
  const stopping = stop().then(note("stopped"));
  await stopped;
  await turn();
  expect({ began, ended }).toEqual({ began: [1], ended: [] });
  first.resolve("first");
  expect(await writes[0]).toBe("first");
  await stopping;
  await turn();
  expect({ began, ended }).toEqual({ began: [1], ended: ["stopped"] });
});

it("a write that fails is not awaited for ever", async () => {
  const { pace, stop } = createLeftOver();
  const failing = pace.run(() => Promise.reject(new Error("reset")));
  await expect(failing).rejects.toThrow("reset");
  await stop();
});
