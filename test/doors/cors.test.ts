import { afterAll, expect, it } from "vitest";
import { apiGatewayEvent } from "../infra/http-event.ts";
import { lambdaDoor, openOnFake } from "./doors.ts";

const ORIGIN = "https://app.example.com";
const door = lambdaDoor(apiGatewayEvent, openOnFake([ORIGIN]));
afterAll(() => door.close());

it.each([
  [ORIGIN, ORIGIN],
  ["https://evil.example.com", undefined],
])("[http.private] a page of %s may call the router: %s", async (origin, allowed) => {
  const preflight = await door.ask({
    ...{ method: "OPTIONS", path: "/streams/s/events" },
    headers: {
      ...{ authorization: "", origin, "access-control-request-method": "POST" },
      "access-control-request-headers": "authorization,content-type",
    },
  });
  expect(preflight.headers["access-control-allow-origin"]).toBe(allowed);
  if (allowed !== undefined) {
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-methods"]).toContain("POST");
  }
  const answer = await door.ask({ method: "GET", path: "/streams", headers: { origin } });
  expect(answer.headers["access-control-allow-origin"]).toBe(allowed);
  if (allowed !== undefined) {
    expect(answer.headers["access-control-expose-headers"]).toContain("EventLedger-Cursor");
  }
  const refused = await door.ask({ method: "GET", path: "/none", headers: { origin } });
  expect(refused.headers["access-control-allow-origin"]).toBe(allowed);
});
