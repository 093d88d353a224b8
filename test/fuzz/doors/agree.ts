import { isUtf8 } from "node:buffer";
import { expect } from "vitest";
import { asDecoded, onceJoined, pathAt, textOf, withKeyInQuery } from "./documented.ts";
import { eventFor, GATEWAYS, type Gateway } from "./gateways.ts";
import {
  type LambdaTwin,
  openLambdaTwin,
  openNodeTwin,
  openStreamedTwin,
  type Seen,
  type SharedTime,
} from "./twins.ts";
import type { WireRequest } from "./wire-request.ts";

export type Doors = {
  /**
   * Returns the text that all entry points answer, or none for a request that AWS changes. Throws
   * when they differ in anything undocumented.
   */
  ask(request: WireRequest): Promise<string>;
  close(): Promise<void>;
};

/** Opens every entry point, each in front of a ledger with the same state. */
export async function agree(counts: Record<string, number>): Promise<Doors> {
  const time: SharedTime = { ms: Date.now() };
  const node = await openNodeTwin(time);
  const gateways = await Promise.all(
    GATEWAYS.map(async (gateway) => ({
      gateway,
      twin: await (gateway.streams ? openStreamedTwin(time) : openLambdaTwin(time)),
    })),
  );
  const note = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  /**
   * Sends a request through a gateway. The request that arrives is either refused or answered like
   * the original.
   */
  async function askThrough(
    gateway: Gateway,
    twin: LambdaTwin,
    request: WireRequest,
    expected: Seen,
  ) {
    const path = pathAt(gateway, request);
    if (path !== "same") {
      note(`${path} path`);
      await askAstray(gateway, twin, request, path);
      const byQuery = withKeyInQuery(request);
      if (byQuery !== undefined && expected.status < 400) {
        await askThrough(gateway, twin, byQuery, expected);
      } else if (request.method !== "OPTIONS") {
        expect(expected.status, "a path without a meaning").toBeGreaterThanOrEqual(400);
      }
      return;
    }
    const text = await askByType(gateway, twin, request);
    if (text !== undefined) return assertAlike(text, expected, gateway.name);
    const event = eventFor(gateway, request, "base64");
    if (event !== undefined) {
      return assertAlike(await twin.ask(event), expected, `${gateway.name} in Base64`);
    }
    note("too large for Lambda");
    expect(expected.status, "a body that Lambda does not take").toBeGreaterThanOrEqual(400);
  }

  /**
   * Returns the answer to the event that AWS creates. Returns undefined when the body does not
   * arrive intact.
   */
  async function askByType(gateway: Gateway, twin: LambdaTwin, request: WireRequest) {
    const event = eventFor(gateway, request, "by type");
    if (event === undefined) return undefined;
    const isText = "isBase64Encoded" in event && event.isBase64Encoded === false;
    const kept = isText && takesBody(request) ? textOf(request.body) : "kept";
    if (kept === "kept") return twin.ask(event);
    note(`replaced bytes ${kept}`);
    if (kept === "noticed") assertProblem(await twin.ask(event), 400, "malformed-json");
    return undefined;
  }

  /**
   * Sends a path that looks like another one. It must change nothing, unless it is that other path.
   */
  async function askAstray(
    gateway: Gateway,
    twin: LambdaTwin,
    request: WireRequest,
    path: "unclear" | "other",
  ) {
    const event = eventFor(gateway, request, "base64");
    // A preflight is answered without a look at its path.
    if (event === undefined || request.method === "OPTIONS") return;
    if (path === "unclear") return assertProblem(await twin.ask(event), 400, "invalid-request");
    if (request.method !== "GET") return;
    const decoded = asDecoded(gateway, request);
    assertAlike(await twin.ask(event), await node.ask(decoded), `${gateway.name}, decoded`);
  }

  return {
    async ask(sent) {
      time.ms += 1_000;
      if (sent.headers.some(([, value]) => isTwofold(value))) {
        note("header with two meanings");
        return "";
      }
      let request = sent;
      const joined = onceJoined(sent);
      if (joined !== undefined) {
        note("repeated header");
        assertProblem(await node.ask(sent), 400, "invalid-request");
        request = joined;
      }
      const expected = await node.ask(request);
      expect(expected.status, expected.text.slice(0, 300)).toBeLessThan(500);
      for (const { gateway, twin } of gateways) {
        await askThrough(gateway, twin, request, expected);
      }
      note("agreed");
      if (expected.status < 300) note("succeeded");
      return expected.text;
    },
    async close() {
      await node.close();
      for (const { twin } of gateways) await twin.close();
    },
  };
}

/**
 * Whether AWS passes a header on in a form that could also be the bytes of another text, such as
 * "Ã©" and "é". No entry point on AWS can tell them apart.
 */
function isTwofold(value: string): boolean {
  const text = Buffer.from(value, "latin1").toString("utf8");
  const bytes = Buffer.from(text, "latin1");
  const isAscii = bytes.every((byte) => byte < 0x80);
  return !isAscii && bytes.toString("latin1") === text && isUtf8(bytes);
}

const takesBody = ({ method }: WireRequest) => method !== "GET" && method !== "HEAD";

function assertProblem(seen: Seen, status: number, code: string): void {
  expect(seen.status, seen.text.slice(0, 300)).toBe(status);
  if (seen.text !== "") expect(JSON.parse(seen.text)).toMatchObject({ code });
}

/** Headers that a server sets for its connection, or that contain the current time. */
const OWN = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding"]);

function assertAlike(seen: Seen, expected: Seen, door: string): void {
  expect(comparable(seen), door).toEqual(comparable(expected));
}

function comparable({ status, headers, text }: Seen) {
  const own = Object.entries(headers).filter(([name]) => !OWN.has(name));
  const { "x-request-id": id = "", ...rest } = Object.fromEntries(own);
  // The server returns a client's own id. Any other id is generated.
  const isOwn = id.length !== 36;
  // An answer may quote a repeated header. The joined value has a comma with or without a space.
  const joined = (isOwn ? text : text.replaceAll(id, "")).replaceAll(", ", ",");
  // Only some entry points can stream, and `GET /whoami` says which.
  const shown = joined.replace(/"streaming":(true|false)\}$/, '"streaming":"?"}');
  return { status, headers: rest, id: isOwn ? id : "", text: shown };
}
