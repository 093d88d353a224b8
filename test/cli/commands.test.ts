import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildProgram } from "../../packages/cli/src/program.ts";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { newFolder, openCli, parseLines, run } from "./open-cli.ts";

const { el, elWith, lines, url, adminKey, home } = await openCli();
const orders = new EventLedger({ url, apiKey: adminKey }).stream("orders");

beforeAll(async () => {
  await el("streams", "create", "orders", "--archive", "30d");
  const events = Array.from({ length: 20 }, (_, n) => `{"key":"k${n % 4}","data":${n}}\n`).join("");
  await elWith({ stdin: events }, "publish", "orders");
  await el("subs", "create", "orders/shipping");
  await orders.subscription("shipping").park({ key: "k0", sequence: 1, reason: "no" });
  await orders.subscription("shipping").park({ key: "k1", sequence: 2, reason: "no" });
});

/** Accepts deliveries, except of the key `k3`. */
const receiver = createServer(async (request, response) => {
  const { key } = JSON.parse(Buffer.concat(await request.toArray()).toString());
  response.writeHead(key === "k3" ? 500 : 204).end();
});
beforeAll(() => new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve)));
afterAll(() => receiver.close());
const receiverUrl = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;

/** Writes schemas of `placed` into a file. */
function schemasFile(total: object = { type: "number" }): string {
  const file = join(newFolder(), "schemas.json");
  const placed = { type: "object", properties: { total }, required: ["total"] };
  writeFileSync(file, JSON.stringify({ schemas: { placed } }));
  return file;
}

/**
 * Each command with arguments that work. `KEY` is the id of a new API key, `RECEIVER` the URL of an
 * endpoint, and `SCHEMAS` a file with schemas.
 */
const COMMANDS: readonly (readonly string[])[] = [
  ["whoami"],
  ["doctor"],
  ["login"],
  ["profile", "ls"],
  ["profile", "use", "default"],
  ["profile", "rm", "default"],
  ["streams", "ls"],
  ["streams", "info", "orders"],
  ["streams", "create", "short"],
  ["streams", "set", "short", "--retention", "2d", "--description", "x"],
  ["streams", "set", "short", "--partitions", "2"],
  ["streams", "info", "short"],
  ["schemas", "set", "short", "SCHEMAS", "--compatibility", "backward"],
  ["schemas", "set", "short", "--compatibility", "full", "--force"],
  ["schemas", "check", "short", "SCHEMAS"],
  ["schemas", "get", "short"],
  ["schemas", "rm", "short", "--yes"],
  ["publish", "short", "-k", "a", "-d", "1"],
  ["publish", "short", "-k", "a", "--delete"],
  ["read", "orders"],
  ["state", "orders"],
  ["state", "orders", "k1"],
  ["view", "orders", "--ndjson"],
  ["view", "orders", "--sqlite", "json.db"],
  ["compact", "orders"],
  ["archive", "orders"],
  ["archive", "orders", "--segments"],
  ["verify", "orders"],
  ["erase", "short", "a", "--reason", "a test", "--yes"],
  ["erasures", "short"],
  ["erasures", "short", "ERASURE"],
  ["erasures", "short", "ERASURE", "--verify"],
  ["export", "orders", "all.ndjson.gz"],
  ["export", "orders", "some.ndjson.gz", "--from", "-1h", "--to", "latest", "--keep"],
  ["export", "orders", "state.ndjson.gz", "--state"],
  ["subs", "create", "orders/mail", "--start", "latest", "--key-prefix", "k"],
  ["subs", "ls"],
  ["subs", "ls", "orders"],
  ["subs", "info", "mail"],
  ["subs", "set", "mail", "--no-filter"],
  ["subs", "seek", "orders/mail", "-1h", "--yes"],
  ["subs", "lag"],
  ["subs", "lag", "orders/shipping"],
  ["subs", "rm", "mail", "--yes"],
  ["parked", "ls", "shipping"],
  ["parked", "retry", "shipping", "k0"],
  ["parked", "skip", "shipping", "--all", "--yes"],
  ["subs", "create", "orders/pushed", "--start", "latest"],
  ["push", "set", "pushed", "RECEIVER", "--concurrency", "2", "--timeout", "5"],
  ["push", "get", "pushed"],
  ["push", "disable", "pushed"],
  ["push", "enable", "pushed"],
  ["push", "test", "pushed"],
  ["push", "rotate", "orders/pushed"],
  ["push", "resend", "pushed", "k1", "2"],
  ["push", "deliveries", "pushed"],
  ["push", "replay", "pushed", "-15m", "--yes"],
  ["push", "rm", "pushed", "--yes"],
  ["subs", "rm", "pushed", "--yes"],
  ["keys", "create", "shop", "--scope", "publish"],
  ["keys", "ls"],
  ["keys", "info", "KEY"],
  ["keys", "rotate", "KEY", "--overlap", "1h"],
  ["portal", "token", "orders", "--key-prefix", "k", "--ttl", "5m"],
  ["tenants", "create", "acme"],
  ["tenants", "ls"],
  ["quota", "set", "--key", "KEY", "--requests", "100", "--events", "5", "--bytes", "1000"],
  ["quota", "show", "--key", "KEY"],
  ["quota", "rm", "--key", "KEY", "--yes"],
  ["usage"],
  ["usage", "--by", "key", "--step", "hour", "--from", "-24h"],
  ["keys", "rm", "KEY", "--yes"],
  ["streams", "rm", "short", "--yes"],
];

/** These commands run until Ctrl-C, or print no data. Other tests run them. */
const ELSEWHERE = ["start", "tail", "listen", "completion", "complete", "help"];

describe("JSON", () => {
  it("every command prints JSON, with --json and in a pipe", async () => {
    const [key] = await lines("keys", "create", "x", "--scope", "publish");
    const words = new Map([
      ["KEY", String(key?.id)],
      ["RECEIVER", receiverUrl()],
      ["SCHEMAS", schemasFile()],
    ]);
    for (const command of COMMANDS) {
      const argv = command.map((word) => words.get(word) ?? word);
      const { code, out, err } = await elWith({ tty: true }, ...argv, "--json");
      expect([argv, code, err]).toEqual([argv, 0, expect.anything()]);
      const isDocument = out.startsWith("{\n");
      const parsed = isDocument ? [JSON.parse(out)] : parseLines(out);
      if (command[0] === "erase") words.set("ERASURE", String(parsed[0]?.id));
      const mayBeEmpty = argv.includes("deliveries");
      expect([argv, parsed.length > 0 || mayBeEmpty]).toEqual([argv, true]);
    }
  });

  it("no command is missing in these tests", () => {
    const program = buildProgram({ writeHelp: () => {}, start: () => expect.fail("not run") });
    const names = program.commands.flatMap((command) =>
      command.commands.length === 0
        ? [command.name()]
        : command.commands.map((verb) => `${command.name()} ${verb.name()}`),
    );
    const tried = COMMANDS.flatMap(([noun = "", verb = ""]) => [noun, `${noun} ${verb}`]);
    expect(names.filter((name) => ![...tried, ...ELSEWHERE].includes(name))).toEqual([]);
  });

  it("every command has help with an example, within 80 columns", async () => {
    const program = buildProgram({ writeHelp: () => {}, start: () => expect.fail("not run") });
    for (const command of program.commands.flatMap((each) =>
      each.commands.length === 0 ? [each] : each.commands,
    )) {
      const path = command.parent === program ? [] : [command.parent?.name() ?? ""];
      if (command.name() === "complete") continue;
      const { code, out } = await el(...path, command.name(), "--help");
      expect(code).toBe(0);
      expect(out).toMatch(/Examples?:\n {2}\$ /);
      const [prose = ""] = out.split("Example");
      expect(prose.split("\n").filter((line) => line.length > 80)).toEqual([]);
    }
  });
});

describe("push", () => {
  it("shows the secret once, what the endpoint says, and what has failed", async () => {
    await el("subs", "create", "orders/hook");
    const how = { tty: true };
    const made = await elWith(how, "push", "set", "hook", receiverUrl());
    expect(made.out).toMatch(/^secret +whsec_\S+\nsubscription +orders\/hook$/m);
    expect(made.err).toContain("keep the secret now");
    expect((await elWith(how, "push", "get", "hook")).out).not.toContain("whsec_");
    const sent = await elWith(how, "push", "test", "hook");
    expect([sent.code, sent.out]).toEqual([0, "The endpoint answered 204.\n"]);
    const refused = await elWith(how, "push", "resend", "hook", "k3", "4");
    expect([refused.code, refused.out]).toEqual([1, "The endpoint answered 500.\n"]);
    await expect
      .poll(async () => (await lines("push", "deliveries", "hook")).length, { timeout: 50_000 })
      .toBeGreaterThan(0);
    const { out } = await elWith(how, "push", "deliveries", "hook");
    expect(out).toMatch(/^AT +KEY +SEQUENCE +TRY +ANSWER +NEXT\n.* k3 +4 +1 +500 +/);
    const [rotated] = await lines("push", "rotate", "hook");
    expect(rotated?.secret).toMatch(/^whsec_/);
    expect((await elWith(how, "push", "disable", "hook")).out).toContain("hook is disabled");
    expect((await elWith(how, "push", "get", "hook")).out).toContain("disabled (asked)");
    expect((await el("push", "rm", "hook")).code).toBe(2);
    expect((await el("push", "rm", "hook", "--yes")).code).toBe(0);
    expect((await el("push", "get", "hook")).code).toBe(3);
    await el("subs", "rm", "hook", "--yes");
  });
});

describe("keys", () => {
  it("says which keys a revoked key has created, and revokes them when it is asked to", async () => {
    const [maker] = await lines("keys", "create", "maker", "--scope", "admin,read");
    const env = { EVENTLEDGER_API_KEY: String(maker?.apiKey) };
    const { out } = await elWith({ env }, "keys", "create", "made", "--scope", "read", "--json");
    const { id } = JSON.parse(out);
    const revoked = await elWith({ tty: true }, "keys", "rm", String(maker?.id), "--yes");
    expect(revoked.code).toBe(0);
    expect(revoked.err).toContain(`It has created 1 key that stays valid: ${id} (made).`);
    expect(revoked.err).toContain(`el keys rm ${maker?.id} --cascade`);
    expect((await el("keys", "info", id)).code).toBe(0);
    const both = await el("keys", "rm", String(maker?.id), "--cascade", "--yes");
    expect(both.code).toBe(0);
    expect((await el("keys", "info", id)).code).toBe(3);
    // Without --cascade there is nothing left to revoke.
    expect((await el("keys", "rm", String(maker?.id), "--yes")).code).toBe(3);
  });
});

describe("schemas", () => {
  it("shows whom a change would break, and refuses it until it is forced", async () => {
    await el("subs", "create", "orders/billing", "--reads", "placed=/total,/at");
    expect((await elWith({ tty: true }, "subs", "info", "billing")).out).toMatch(
      /^reads +placed \/at, \/total$/m,
    );
    await el("schemas", "set", "orders", schemasFile(), "--compatibility", "backward");
    const wider = schemasFile({ type: ["number", "string"] });
    const checked = await elWith({ tty: true }, "schemas", "check", "orders", wider);
    expect(checked.code).toBe(5);
    expect(checked.out).toMatch(/^accepted +no\nbackward +compatible\nforward +not proven$/m);
    expect(checked.out).toMatch(/^forward +\/schemas\/placed\/properties\/total\/type +type$/m);
    expect(checked.out).toMatch(/^billing +placed +\/total +may no longer be as /m);
    const refused = await el("schemas", "set", "orders", wider);
    expect([refused.code, refused.out]).toEqual([5, ""]);
    expect(refused.err).toContain("breaks the subscription billing");
    expect((await el("schemas", "set", "orders", wider, "--force")).code).toBe(0);
    const { out } = await elWith({ tty: true }, "schemas", "get", "orders");
    expect(out).toMatch(/^types +placed\nother types +accepted\ncompatibility +backward$/m);
    const input = { stdin: JSON.stringify({ schemas: {} }) };
    expect((await elWith(input, "schemas", "check", "orders", "-")).code).toBe(5);
    await el("subs", "set", "billing", "--no-reads");
    expect((await el("schemas", "rm", "orders", "--yes")).code).toBe(0);
    await el("subs", "rm", "billing", "--yes");
  });
});

describe("quota", () => {
  it("changes the limits that are named, of a tenant and of a key", async () => {
    await el("tenants", "create", "tenant");
    const tenant = ["--tenant", "tenant"];
    const { out } = await elWith({ tty: true }, "quota", "show", ...tenant);
    expect(out).toBe("No limits are set for the tenant tenant.\n");
    const all = ["--requests", "100", "--events", "5", "--streams", "2", "--subscriptions", "3"];
    await el("quota", "set", ...tenant, ...all, "--stored-bytes", "1000000");
    const set = await elWith({ tty: true }, "quota", "set", ...tenant, "--requests", "none");
    expect(set.out).toMatch(
      /^limits of +the tenant tenant\nevents\/s +5\nstreams +2\nsubscriptions +3\nstored bytes +1,000,000\n$/,
    );
    expect((await el("quota", "rm", ...tenant)).code).toBe(2);
    expect((await el("quota", "rm", ...tenant, "--yes")).out).toBe("{}\n");
    const [key] = await lines("keys", "create", "limited", "--scope", "publish");
    const of = ["--key", String(key?.id)];
    const [limits] = await lines("quota", "set", ...of, "--bytes", "1000");
    expect(limits).toEqual({ bytesPerSecond: 1000 });
    expect((await el("quota", "set", ...of, "--streams", "1")).code).toBe(2);
    expect(await lines("quota", "show", ...of)).toEqual([{ bytesPerSecond: 1000 }]);
    await el("keys", "rm", String(key?.id), "--yes");
  });
});

describe("usage", () => {
  it("prints a table on a terminal, a line each into a pipe, and CSV", async () => {
    await el("compact", "orders");
    const [entry] = await lines("usage", "--by", "tenant");
    expect(entry).toMatchObject({ tenant: "default", published: { bytes: expect.any(Number) } });
    const { out } = await elWith({ tty: true }, "usage");
    expect(out).toMatch(/^DAY \(UTC\) +STREAM +REQUESTS +PUBLISHED +BYTES +DELIVERED +STORED$/m);
    expect(out).toMatch(/^20\d\d-\d\d-\d\d +orders +\d+ +20 /m);
    expect(await el("usage", "--csv")).toMatchObject({ code: 0, err: "" });
    const csv = (await el("usage", "--csv")).out.trimEnd().split("\n");
    expect(csv[0]).toMatch(/^time,stream,key,tenant,published_events,/);
    expect(csv[1]).toMatch(/^20\d\d-\d\d-\d\dT00:00:00.000Z,orders,,,20,/);
  });
});

describe("exit codes", () => {
  it.each([
    [2, ["streams", "create", "UPPER"]],
    [2, ["read", "orders", "--from", "-x"]],
    [2, ["nothing"]],
    [2, ["streams"]],
    [2, ["read"]],
    [2, ["schemas", "set", "orders"]],
    [2, ["schemas", "set", "orders", "--compatibility", "some"]],
    [2, ["schemas", "check", "orders", "no-such-file"]],
    [2, ["subs", "set", "shipping", "--reads", "placed"]],
    [3, ["schemas", "get", "nothing"]],
    [2, ["quota", "show"]],
    [2, ["quota", "set", "--tenant", "acme"]],
    [2, ["quota", "set", "--tenant", "acme", "--events", "many"]],
    [3, ["quota", "show", "--key", "zzzzzzzzzzzz"]],
    [2, ["usage", "--by", "colour"]],
    [2, ["push", "set", "shipping", "http://127.0.0.1:9/", "--format", "xml"]],
    [2, ["push", "resend", "shipping", "k1", "first"]],
    [3, ["push", "get", "shipping"]],
    [2, ["subs", "rm", "shipping"]],
    [2, ["subs", "create", "orders/late", "--start", "nowhere"]],
    [2, ["streams", "create", "never", "--retention", "0d"]],
    [2, ["whoami", "--api-key", "elk_secret\n"]],
    [2, ["login", "--api-key", "elk_se cret"]],
    [3, ["streams", "info", "nothing"]],
    [3, ["state", "orders", "nothing"]],
    [3, ["subs", "info", "nothing"]],
    [3, ["subs", "lag", "orders/nothing"]],
    [4, ["whoami", "--api-key", "elk_wrong"]],
    [5, ["streams", "create", "orders", "--partitions", "4"]],
    [5, ["publish", "orders", "-k", "k1", "-d", "1", "--expect", "9999"]],
    [75, ["whoami", "--url", "http://127.0.0.1:9"]],
  ])("%i: el %j, with an error in two lines", async (code, argv) => {
    const { code: got, out, err } = await el(...argv);
    expect([got, out]).toEqual([code, ""]);
    if (argv[0] === "streams" && argv.length === 1) return;
    expect(err).toMatch(/^error {2}[^\n]+\nhelp {3}[^\n]+\n$/);
    expect(err).not.toContain("elk_se");
  });

  it("a wrong option is answered with the help of its command", async () => {
    for (const [argv, help] of [
      [["subs", "create", "--nope"], "el subs create --help"],
      [["read", "orders", "-n", "0"], "el read --help"],
      [["subs", "nope"], "el subs --help"],
      [["nope"], "el --help"],
    ] as const) {
      const { code, err } = await el(...argv);
      expect([argv, code, err]).toEqual([argv, 2, expect.stringContaining(`help   ${help}\n`)]);
    }
  });

  it("with --json an error is a line of JSON", async () => {
    const { err } = await el("streams", "info", "nothing", "--json");
    expect(JSON.parse(err)).toMatchObject({
      code: "stream-not-found",
      exitCode: 3,
      help: "el streams ls",
      requestId: expect.any(String),
    });
  });
});

describe("the server", () => {
  it("flags come before the environment, and that before profiles", async () => {
    const env = { HOME: newFolder(), XDG_CONFIG_HOME: undefined };
    const alone = { ...env, EVENTLEDGER_URL: undefined, EVENTLEDGER_API_KEY: undefined };
    const login = ["login", url, "--name", "mine"];
    const { out: ofEnvironment } = await elWith({ env, stdin: "not read" }, ...login);
    expect(JSON.parse(ofEnvironment)).toMatchObject({ keyFrom: "the environment" });
    const { out } = await elWith({ env: alone, stdin: adminKey }, ...login);
    expect(JSON.parse(out)).toMatchObject({ name: "mine", keyId: "root", keyFrom: "the input" });
    const file = join(env.HOME, ".config/eventledger/profiles.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const origin = async (how: object, ...argv: string[]) => {
      const ran = await elWith({ env: { ...alone, ...how } }, "whoami", ...argv);
      return ran.code === 0 ? JSON.parse(ran.out).urlFrom : ran.err;
    };
    expect(await origin({})).toBe("the profile mine");
    expect(await origin({ EVENTLEDGER_URL: url, EVENTLEDGER_API_KEY: adminKey })).toBe(
      "the environment",
    );
    expect(await origin({ EVENTLEDGER_URL: "http://127.0.0.1:9" }, "--url", url)).toBe("the flags");
    expect(await origin({ EVENTLEDGER_PROFILE: "no" })).toContain('no profile "no"');
  });

  it("the key of a profile is sent only to its own address", async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401, { "content-type": "application/problem+json" });
      response.end('{"code":"unauthorized","status":401,"retry":"never"}');
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const env = { HOME: newFolder(), EVENTLEDGER_URL: undefined, EVENTLEDGER_API_KEY: undefined };
    await elWith({ env, stdin: adminKey }, "login", url);
    const { code } = await elWith({ env: { ...env, EVENTLEDGER_URL: address } }, "whoami");
    other.close();
    expect([code, seen]).toEqual([4, [undefined]]);
  });

  it("a damaged file of profiles is named, and a readable one is reported", async () => {
    const env = { HOME: newFolder() };
    const folder = join(env.HOME, ".config/eventledger");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "profiles.json"), '{"profiles":{}}', { mode: 0o644 });
    const { code, out } = await elWith({ env, tty: true }, "doctor");
    expect([code, out]).toEqual([1, expect.stringContaining("chmod 600")]);
    writeFileSync(join(folder, "profiles.json"), "{");
    const { err } = await elWith({ env }, "whoami");
    expect(err).toContain("is damaged");
  });
});

describe("asking", () => {
  it("nothing is deleted or moved without --yes where there is no terminal", async () => {
    for (const argv of [
      ["streams", "rm", "orders"],
      ["subs", "rm", "shipping"],
      ["subs", "seek", "shipping", "latest"],
    ]) {
      const { code, err } = await el(...argv);
      expect([code, err]).toEqual([2, expect.stringContaining("add --yes")]);
    }
    expect((await lines("streams", "info", "orders"))[0]).toMatchObject({ eventCount: 20 });
  });

  it("a seek says how many events come again, or are skipped", async () => {
    const seek = async (to: string, ...more: string[]) =>
      (await lines("subs", "seek", "shipping", to, ...more))[0];
    expect(await seek("latest", "--yes")).toMatchObject({ skipped: 20, again: 0, moved: true });
    expect(await seek("18", "--dry-run")).toMatchObject({ again: 3, moved: false });
    expect(await seek("earliest", "--yes")).toMatchObject({ again: 20, lag: { events: 20 } });
  });
});

describe("since a cursor", () => {
  let since: string;
  beforeAll(async () => {
    await el("streams", "create", "changing");
    const changing = new EventLedger({ url, apiKey: adminKey }).stream("changing");
    for (const key of ["a", "b", "c"]) since = (await changing.publish({ key, data: 0 })).cursor;
    for (const data of [1, 2]) await changing.publish({ key: "a", data });
    await changing.publish({ key: "b", data: null });
    await changing.publish({ key: "new", data: 1 });
    await el("compact", "changing");
  });

  it("el state has each key that changed once, and deletions, and the cursor of the next time", async () => {
    const { code, out, err } = await elWith({ tty: true }, "state", "changing", "--since", since);
    expect(code).toBe(0);
    expect(out).toMatch(/ 5 .* a .*2\n/);
    const states = await lines("state", "changing", "--since", since);
    expect(states.map(({ key, data }) => [key, data])).toEqual([
      ["a", 2],
      ["b", null],
      ["new", 1],
    ]);
    const [next] = /(?<=el state changing --since )\S+/.exec(err) ?? [];
    const later = await elWith({ tty: true }, "state", "changing", "--since", String(next));
    expect(later.err).toContain("No key of changing has changed since.");
    const some = await lines("state", "changing", "--since", since, "--key-prefix", "n");
    expect(some.map(({ key }) => key)).toEqual(["new"]);
    const narrow = ["--since", since, "--key-prefix", "n"];
    const hinted = await elWith({ tty: true }, "state", "changing", ...narrow);
    const [, cursor, prefix] = / --since (\S+) --key-prefix (\S+)/.exec(hinted.err) ?? [];
    const again = ["--since", String(cursor), "--key-prefix", String(prefix)];
    expect(await lines("state", "changing", ...again)).toEqual([]);
  });

  it("el state names no key with it", async () => {
    const { code, err } = await el("state", "changing", "a", "--since", since);
    expect([code, err]).toEqual([2, expect.stringContaining("--since lists keys")]);
  });

  it("el subs seek moves a subscription to the changed states", async () => {
    await el("subs", "create", "changing/late", "--start", "latest");
    const seek = (...more: string[]) => lines("subs", "seek", "changing/late", ...more);
    const to = { since };
    expect(await seek("--since", since, "--dry-run")).toMatchObject([{ to, moved: false }]);
    expect(await seek("--since", since, "--yes")).toMatchObject([{ to, moved: true }]);
    const path = "/streams/changing/subscriptions/late/poll";
    const ledger = new EventLedger({ url, apiKey: adminKey });
    const page = await ledger.request<{ events: { key: string }[] }>({ method: "GET", path });
    expect(page.events.map(({ key }) => key)).toEqual(["a", "b", "new"]);
    for (const places of [[], ["latest", "--since", since]]) {
      const { code, err } = await el("subs", "seek", "changing/late", ...places, "--yes");
      expect([code, err]).toEqual([2, expect.stringContaining("a place, or a cursor")]);
    }
  });

  it("el subs create begins with the changed states", async () => {
    const create = (...more: string[]) => el("subs", "create", "changing/begun", ...more);
    const both = await create("--start", "latest", "--since", since);
    expect([both.code, both.err]).toEqual([2, expect.stringContaining("or a cursor with --since")]);
    expect((await create("--since", since)).code).toBe(0);
    expect(await lines("subs", "info", "changing/begun")).toMatchObject([
      { phase: "bootstrap", start: { since } },
    ]);
  });

  it("a dry run refuses a cursor of another stream as the server does, and so does el subs create", async () => {
    await el("streams", "create", "elsewhere");
    const elsewhere = new EventLedger({ url, apiKey: adminKey }).stream("elsewhere");
    const { cursor } = await elsewhere.publish({ key: "a", data: 0 });
    await el("subs", "create", "changing/strict", "--start", "latest");
    for (const words of [
      ["seek", "changing/strict", "--since", cursor, "--dry-run"],
      ["seek", "changing/strict", cursor, "--dry-run"],
      ["create", "changing/stricter", "--since", cursor],
    ]) {
      const { code, err } = await el("subs", ...words);
      expect([words[0], code, err]).toEqual([
        words[0],
        1,
        expect.stringMatching(/belongs to another stream[\s\S]*docs\/problems#invalid-cursor/),
      ]);
    }
  });
});

it("a number of partitions that is none is refused with what is allowed", async () => {
  for (const command of ["create", "set"]) {
    const { code, err } = await el("streams", command, "orders", "--partitions", "some");
    expect([code, err]).toEqual([2, expect.stringContaining("1 or more, or auto: some")]);
  }
});

it("the completion knows commands, options, streams and subscriptions", async () => {
  const words = async (...given: string[]) => {
    const { out } = await el("complete", "--", ...given);
    return out.split("\n").flatMap((line) => line.split("\t")[0] || []);
  };
  expect(await words("str")).toEqual(["streams"]);
  expect(await words("streams", "")).toEqual(["ls", "info", "create", "set", "rm"]);
  expect(await words("read", "ord")).toEqual(["orders"]);
  expect(await words("subs", "info", "orders/")).toEqual(["orders/shipping"]);
  expect(await words("read", "orders", "--fr")).toEqual(["--from"]);
  const { code, out } = await run(["complete", "--", "read", ""], { env: { HOME: home } });
  expect([code, out]).toEqual([0, ""]);
});
