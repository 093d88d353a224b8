import { readFileSync } from "node:fs";
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
    method: "OPTIONS",
    path: "/streams/s/events",
    headers: {
      authorization: "",
      origin,
      "access-control-request-method": "POST",
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

it("[http.private] a page's script can read every header that the API documents", async () => {
  const answer = await door.ask({ method: "GET", path: "/streams", headers: { origin: ORIGIN } });
  const exposed = (answer.headers["access-control-expose-headers"] ?? "").toLowerCase().split(",");
  // Browsers expose these headers of every answer.
  const simple = ["content-type", "cache-control", "content-length"];
  const missing = documentedHeaders().filter((name) => ![...exposed, ...simple].includes(name));
  expect(missing).toEqual([]);
});

function documentedHeaders(): string[] {
  type Answers = Record<string, { headers?: object }>;
  type Document = { paths: Record<string, Record<string, { responses?: Answers }>> };
  const { paths }: Document = JSON.parse(
    readFileSync(new URL("../../packages/functions/openapi.json", import.meta.url), "utf8"),
  );
  const answers = Object.values(paths)
    .flatMap((operations) => Object.values(operations))
    .flatMap(({ responses = {} }) => Object.values(responses));
  const names = answers.flatMap(({ headers = {} }) => Object.keys(headers));
  return [...new Set(names.map((name) => name.toLowerCase()))];
}
