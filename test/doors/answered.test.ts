import { expect, it } from "vitest";
import { functionUrlEvent } from "../infra/http-event.ts";
import { lambdaDoor } from "./doors.ts";

it("[error.problem] the log names the problem of every refused request, also of unknown routes", async () => {
  const door = lambdaDoor(functionUrlEvent);
  const requests = [
    { method: "GET", path: "/nothing" },
    { method: "PUT", path: "/streams" },
    { method: "GET", path: "/streams/none" },
    { method: "GET", path: "/streams" },
  ];
  for (const request of requests) await door.ask(request);
  const problems = ["route-not-found", "method-not-allowed", "stream-not-found", undefined];
  expect(door.log.map(({ problem }) => problem)).toEqual(problems);
  await door.close();
});
