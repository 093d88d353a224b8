import { text } from "node:stream/consumers";
import { expect, it, vi } from "vitest";
import type { HttpEvent } from "../../packages/functions/src/lambda/http-event.ts";
import { apiGatewayEvent, functionUrlEvent } from "../infra/http-event.ts";
import {
  ADMIN_KEY,
  lambdaDoor,
  nodeDoor,
  openOnFake,
  openStreamedHandler,
  streamedDoor,
} from "./doors.ts";
import { startRuntime } from "./streaming-runtime.ts";

const ACCEPT = { accept: "text/event-stream" };

it.each([
  ["an HTTP API", apiGatewayEvent],
  ["a Function URL that sends whole answers", functionUrlEvent],
])("[sse.refused] %s answers 406, and says what to do instead", async (_, eventOf) => {
  const door = lambdaDoor(eventOf, openOnFake());
  await door.ask({ method: "POST", path: "/streams", body: { name: "s" } });
  const answer = await door.ask({ method: "GET", path: "/streams/s/events", headers: ACCEPT });
  expect(answer.status).toBe(406);
  expect(JSON.parse(answer.text)).toMatchObject({ code: "streaming-unavailable", retry: "never" });
  expect(JSON.parse(answer.text).detail).toContain("Accept: application/json");
  const whoami = await door.ask({ method: "GET", path: "/whoami" });
  expect(JSON.parse(whoami.text).streaming).toBe(false);
  await door.close();
});

it("[sse.ends] a server that stops ends its event streams", async () => {
  const door = await nodeDoor();
  await door.ask({ method: "POST", path: "/streams", body: { name: "s" } });
  const response = await fetch(`${door.url}/streams/s/events`, {
    headers: { ...ACCEPT, authorization: `Bearer ${ADMIN_KEY}` },
  });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toContain("event: page\n");
  const closing = door.close();
  for (let part = await reader?.read(); !part?.done; ) part = await reader?.read();
  await closing;
});

it("[sse.ends] a Function URL ends an event stream in time before Lambda ends the call", async () => {
  const opened = openOnFake();
  const door = await streamedDoor(opened);
  await door.ask({ method: "POST", path: "/streams", body: { name: "s" } });
  const whoami = await door.ask({ method: "GET", path: "/whoami" });
  expect(JSON.parse(whoami.text).streaming).toBe(true);
  const runtime = await startRuntime({ timeoutMs: 11_000 });
  const event = functionUrlEvent({
    method: "GET",
    path: "/streams/s/events",
    headers: { ...ACCEPT, authorization: `Bearer ${ADMIN_KEY}` },
  });
  const began = performance.now();
  const { head, body } = await runtime.call(openStreamedHandler(opened), event as HttpEvent);
  expect(head).toMatchObject({ statusCode: 200, headers: { "cache-control": "no-store" } });
  expect(await text(body)).toMatch(
    /^retry: 1000\n\nevent: page\n(.+\n)+\n(: no events\n(.+\n)+\n)?$/,
  );
  expect(performance.now() - began).toBeLessThan(11_000);
  await runtime.stop();
  await door.close();
});

it.each([
  ["browse", "events"],
  ["poll", "subscriptions/r/poll"],
] as const)("[sse.page] an event stream of %s waits even where polls may not", async (read, at) => {
  const opened = openOnFake();
  const requests: unknown[] = [];
  const reading = opened.ledger[read] as (...of: unknown[]) => Promise<unknown>;
  const watched = async (...of: unknown[]) => {
    requests.push(...of);
    if (requests.length > of.length) throw new Error("seen");
    return reading(...of);
  };
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const door = await streamedDoor({ ...opened, ledger: { ...opened.ledger, [read]: watched } });
  await door.ask({ method: "POST", path: "/streams", body: { name: "s" } });
  await door.ask({ method: "POST", path: "/streams/s/subscriptions", body: { name: "r" } });
  await door.ask({ method: "GET", path: `/streams/s/${at}`, headers: ACCEPT });
  expect(requests).toContainEqual(expect.objectContaining({ waitSeconds: 15, held: true }));
  logged.mockRestore();
  await door.close();
});
