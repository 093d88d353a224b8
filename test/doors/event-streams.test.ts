import { expect, it } from "vitest";
import { apiGatewayEvent, functionUrlEvent } from "../infra/http-event.ts";
import { ADMIN_KEY, lambdaDoor, nodeDoor, openOnFake } from "./doors.ts";

const ACCEPT = { accept: "text/event-stream" };

it.each([
  ["an HTTP API", apiGatewayEvent],
  ["a Function URL", functionUrlEvent],
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
