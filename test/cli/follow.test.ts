import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { startUnreliableProxy } from "../sdk/unreliable-proxy.ts";
import { seededRandom } from "../simulation/dynamodb/seeded-random.ts";
import { openCli, parseLines } from "./open-cli.ts";

/**
 * These tests run commands that follow a stream, or that read until their reader closes the pipe.
 */
const { el, elWith, lines, env, url, adminKey, home } = await openCli();
const program = join(import.meta.dirname, "../../packages/cli/bin/eventledger.mjs");

beforeAll(async () => {
  await el("streams", "create", "orders");
  const events = Array.from({ length: 20 }, (_, n) => `{"key":"k${n % 4}","data":${n}}\n`).join("");
  await elWith({ stdin: events }, "publish", "orders");
});

describe("a pipe", () => {
  it("asks the server for no more than its reader takes", async () => {
    const proxy = await startUnreliableProxy(url, seededRandom(1));
    afterAll(proxy.stop);
    await el("streams", "create", "wide");
    const events = Array.from({ length: 1_000 }, (_, n) => ({
      key: `k${n}`,
      data: "x".repeat(900),
    }));
    const wide = new EventLedger({ url, apiKey: adminKey }).stream("wide");
    for (let batch = 0; batch < 10; batch++) await wide.publish(events);
    const command = `set -o pipefail; node ${program} read wide -n 1000000 | head -1; echo $?`;
    const through = { env: { ...process.env, ...env, EVENTLEDGER_URL: proxy.url } };
    const { stdout, stderr } = await promisify(execFile)("bash", ["-c", command], through);
    const [first = "", status] = stdout.trim().split("\n");
    expect([JSON.parse(first).sequence, status, stderr]).toEqual([1, "0", ""]);
    // The stream has 20 pages. A page does not fit into a pipe, so the second one is not needed.
    expect(proxy.requests.length).toBeLessThanOrEqual(2);
  });
});

describe("copies", () => {
  it("a copy in SQLite equals the stream after it was stopped again and again", async () => {
    await el("streams", "create", "moving");
    const moving = new EventLedger({ url, apiKey: adminKey }).stream("moving");
    const oracle = new Map<string, number>();
    let n = 0;
    const publishSome = async () => {
      for (let request = 0; request < 8; request++) {
        const events = Array.from({ length: 5 }, () => {
          const key = `k${(n * 7) % 23}`;
          n += 1;
          if (n % 5 === 0) oracle.delete(key);
          else oracle.set(key, n);
          return { key, data: n % 5 === 0 ? null : n };
        });
        await moving.publish(events);
      }
    };
    for (let round = 0; round < 3; round++) {
      const stop = new AbortController();
      const how = { tty: true, signal: stop.signal };
      const viewing = elWith(how, "view", "moving", "--sqlite", "moving.db", "-f");
      await publishSome();
      stop.abort(new Error("Ctrl-C"));
      expect((await viewing).code).toBe(130);
    }
    await publishSome();
    expect(await lines("view", "moving", "--sqlite", "moving.db")).toMatchObject([
      { rows: oracle.size, ready: true },
    ]);
    using database = new DatabaseSync(join(home, "moving.db"));
    const rows = database.prepare("SELECT key, value FROM moving ORDER BY key").all();
    const expected = [...oracle].toSorted(([one], [other]) => (one < other ? -1 : 1));
    expect(rows.map(({ key, value }) => [key, Number(value)])).toEqual(expected);
    const states = await lines("state", "moving");
    expect(states.map(({ key, data }) => [key, Number(data)])).toEqual(expected);
  });

  it("a copy in SQLite equals the stream after its process was killed under load", async () => {
    await el("streams", "create", "killed");
    const killed = new EventLedger({ url, apiKey: adminKey }).stream("killed");
    const oracle = new Map<string, number>();
    let n = 0;
    let isEnding = false;
    const publishing = (async () => {
      while (!isEnding) {
        const events = Array.from({ length: 20 }, () => {
          n += 1;
          const key = `k${(n * 7) % 101}`;
          if (n % 5 === 0) oracle.delete(key);
          else oracle.set(key, n);
          return { key, data: n % 5 === 0 ? null : n };
        });
        await killed.publish(events);
      }
    })();
    const argv = [program, "view", "killed", "--sqlite", "killed.db", "-f"];
    for (let round = 0; round < 5; round++) {
      const viewing = spawn(process.execPath, argv, { env: { ...process.env, ...env }, cwd: home });
      viewing.stderr.resume();
      const ended = once(viewing, "exit");
      // In the first rounds, the command is killed while it loads the copy or at its first change.
      if (round > 1) await once(viewing.stdout, "data");
      const before = n;
      await expect.poll(() => n, { timeout: 50_000 }).toBeGreaterThan(before + 40 * round);
      viewing.kill("SIGKILL");
      expect((await ended)[1]).toBe("SIGKILL");
    }
    isEnding = true;
    await publishing;
    expect(await lines("view", "killed", "--sqlite", "killed.db")).toMatchObject([
      { rows: oracle.size, ready: true },
    ]);
    using database = new DatabaseSync(join(home, "killed.db"));
    const rows = database.prepare("SELECT key, value FROM killed ORDER BY key").all();
    const expected = [...oracle].toSorted(([one], [other]) => (one < other ? -1 : 1));
    expect(rows.map(({ key, value }) => [key, Number(value)])).toEqual(expected);
    // The command continued where it was: the copy was never built a second time.
    const mark = database.prepare("SELECT mark FROM eventledger_marks").get();
    expect(JSON.parse(String(mark?.mark))).toMatchObject({ round: 1, shown: 1 });
  });

  it("events are sent to a local server in their order, and refusals are reported", async () => {
    const received: { sequence: number }[] = [];
    const hook = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      received.push(JSON.parse(body));
      response.writeHead(received.length === 2 ? 500 : 204).end();
    });
    await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
    const address = `127.0.0.1:${(hook.address() as AddressInfo).port}/hook`;
    const stop = new AbortController();
    const onWrite = () => {
      if (received.length === 3) setImmediate(() => stop.abort(new Error("Ctrl-C")));
    };
    const how = { signal: stop.signal, onWrite };
    const { out } = await elWith(how, "listen", "orders", "--forward", address, "--from", "-3");
    hook.close();
    expect(received.map(({ sequence }) => sequence)).toEqual([18, 19, 20]);
    expect(parseLines(out)).toMatchObject([{ status: 204 }, { status: 500 }, { status: 204 }]);
  });
});

describe("listen", () => {
  it("waits for a local server that is down, keeps the order, and says so", async () => {
    const received: number[] = [];
    const hook = createServer(async (request, response) => {
      const body = JSON.parse((await request.toArray()).join(""));
      received.push(body.sequence);
      response.writeHead(204).end();
      // The server goes down after the first event, and comes back when the command has noticed.
      if (received.length === 1) {
        hook.close();
        hook.closeAllConnections();
      }
    });
    const listenAt = (port: number) =>
      new Promise<void>((resolve) => hook.listen(port, "127.0.0.1", resolve));
    await listenAt(0);
    const { port } = hook.address() as AddressInfo;
    const stop = new AbortController();
    let waited = 0;
    const onWrite = (text: string) => {
      if (text.includes("attempt 3")) {
        waited += 1;
        void listenAt(port);
      }
      if (received.length === 3) setImmediate(() => stop.abort(new Error("Ctrl-C")));
    };
    const how = { tty: true, signal: stop.signal, onWrite };
    const forward = ["--forward", `127.0.0.1:${port}`, "--from", "-3", "--json"];
    const { code, out, err } = await elWith(how, "listen", "orders", ...forward);
    hook.closeAllConnections();
    hook.close();
    expect([code, waited, received]).toEqual([130, 1, [18, 19, 20]]);
    const [first, second, third] = parseLines(out);
    expect(first).not.toHaveProperty("attempts");
    expect(second).toMatchObject({ sequence: 19, status: 204 });
    expect(Number(second?.attempts)).toBeGreaterThan(2);
    expect(third).toMatchObject({ sequence: 20, status: 204 });
    expect(err).toMatch(/does not answer \(\w+\)\. Event 19 waits and is sent again/);
    expect(err).toContain("answers again");
  });
});
