import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openCli, parseLines } from "./open-cli.ts";

const { el, elWith, home, lines } = await openCli();
beforeAll(async () => {
  await el("streams", "create", "orders");
});

/** Data of every awkward kind, as JSON text. */
const AWKWARD = [
  '{"n":9007199254740993,"e":1e400,"z":-0,"d":1.10}',
  '{"a":1,"a":2,"__proto__":{"b":[ 1 , 2 ]}}',
  '"\\u0000\\u001b[31m \\u00e9 é"',
  "[]",
  "false",
];

describe("publish and read", () => {
  it("data of any kind comes out as it went in", async () => {
    for (const data of AWKWARD) {
      const { code } = await el("publish", "orders", "-k", "awkward", "-d", data);
      expect(code).toBe(0);
    }
    const { out } = await el("read", "orders", "--key", "awkward");
    const printed = out.trimEnd().split("\n");
    expect(printed.map((line) => line.slice(line.indexOf('"data":') + 7, -1))).toEqual(AWKWARD);
  });

  it("lines that read prints can be published again, byte for byte", async () => {
    await el("streams", "create", "copies");
    const { out } = await el("read", "orders", "--key", "awkward");
    await elWith({ stdin: out }, "publish", "copies");
    const copies = await lines("read", "copies");
    const originals = parseLines(out);
    expect(copies.map(({ data }) => data)).toEqual(originals.map(({ data }) => data));
    expect(copies.map(({ id }) => id)).toEqual(originals.map(({ id }) => id));
  });

  it("a line break inside data does not break a line", async () => {
    await el("publish", "orders", "-k", "broken", "-d", '{"a":\n1,\r\n"b":"x\\ny"}');
    const { out } = await el("read", "orders", "--key", "broken");
    expect(out.split("\n")).toHaveLength(2);
    expect(JSON.parse(out).data).toEqual({ a: 1, b: "x\ny" });
  });

  it("a terminal gets no control characters of others", async () => {
    const key = "evil\u001b[2J\u202e";
    const ran = [
      await elWith({ tty: true }, "publish", "orders", "-k", key, "-d", '"\u009b31m"'),
      await elWith({ tty: true }, "read", "orders", "--from", "-1"),
      await elWith({ tty: true }, "state", "orders", `${key}?`),
    ];
    for (const { out, err } of ran) {
      for (const unsafe of ["\u001b", "\u009b", "\u202e"]) {
        expect(`${out}${err.replaceAll("\r\u001b[2K", "")}`).not.toContain(unsafe);
      }
      expect(out + err).toContain("evil\\u001b[2J\\u202e");
    }
    expect(ran[0]?.err).toContain("--key $'evil\\u001b[2J\\u202e'");
  });

  it("reading starts at the last n events, at a time, or at a sequence", async () => {
    await el("streams", "create", "places");
    const events = Array.from({ length: 1_234 }, (_, n) => `{"key":"k${n % 7}","data":${n}}\n`);
    await elWith({ stdin: events.join("") }, "publish", "places");
    const data = async (...given: string[]) =>
      (await lines("read", "places", ...given)).map((event) => Number(event.data));
    expect(await data("--from", "-3")).toEqual([1231, 1232, 1233]);
    expect(await data("--from", "-2", "-r")).toEqual([1233, 1232]);
    const many = await data("--from", "-1100");
    expect([many.length, many[0]]).toEqual([1100, 134]);
    expect(await data("--from", "-2", "--key", "k1")).toEqual([1226, 1233]);
    expect(await data("--from", "1232", "-n", "2")).toEqual([1231, 1232]);
    expect(await data("--from", "-1h", "-n", "1")).toEqual([0]);
    expect(await data("--until", "3")).toEqual([0, 1]);
    expect(await data("--from", "latest")).toEqual([]);
  });

  it.each([
    ["tail", "live", "-n", "2"],
    ["read", "live", "--from", "-2", "-f"],
  ])("el %s %s %s %s prints the last events and what comes, until Ctrl-C", async (...argv) => {
    await el("streams", "create", "live");
    for (const data of ["1", "2", '"last"']) await el("publish", "live", "-k", "a", "-d", data);
    const interrupt = new AbortController();
    let seen = "";
    const onWrite = (text: string) => {
      const before = seen;
      seen += text;
      if (seen.includes('"later"')) interrupt.abort(new Error("Ctrl-C"));
      else if (seen.includes('"last"') && !before.includes('"last"')) {
        void el("publish", "live", "-k", "a", "-d", '"later"');
      }
    };
    const { code, out } = await elWith({ signal: interrupt.signal, onWrite }, ...argv);
    expect(code).toBe(130);
    expect(parseLines(out).map(({ data }) => data)).toEqual([2, "last", "later"]);
    await el("streams", "rm", "live", "--yes");
  });
});

describe("publishing a file", () => {
  /** Progress is written ten times a second. With this clock it is written for each request. */
  const quickClock = () => {
    let now = Date.now();
    return () => {
      now += 100;
      return now;
    };
  };
  const fileOf = (name: string, text: string): string => {
    writeFileSync(join(home, name), text);
    return name;
  };

  it("publishes nothing when a line is wrong, and names the line", async () => {
    await el("streams", "create", "strict");
    const wrong = {
      "not JSON": "{key:1}",
      'has no "data"': '{"key":"a"}',
      'needs a "key"': '{"data":1}',
      'has "kee"': '{"kee":"a","data":1}',
      'has "data" twice': '{"key":"a","data":1,"data":2}',
      "not an object": "[1]",
      "has a key of 513 bytes": `{"key":"${"k".repeat(513)}","data":1}`,
    };
    for (const [reason, line] of Object.entries(wrong)) {
      const file = fileOf("wrong.ndjson", `{"key":"a","data":1}\n\n${line}\n`);
      const { code, err } = await el("publish", "strict", file);
      expect([code, err]).toEqual([2, expect.stringContaining("Line 3 ")]);
      expect(err).toContain(reason);
    }
    expect(await lines("read", "strict")).toEqual([]);
  });

  it("publishes a file once, however often it runs, and again when asked", async () => {
    await el("streams", "create", "once");
    const file = fileOf("once.ndjson", '{"key":"a","data":1}\n{"key":"b","data":2}\n');
    expect(await lines("publish", "once", file)).toMatchObject([{ published: 2, alreadyThere: 0 }]);
    expect(await lines("publish", "once", file)).toMatchObject([{ published: 0, alreadyThere: 2 }]);
    // Another machine has no journal, but makes the same keys.
    const { out } = await elWith({ env: { HOME: join(home, "other") } }, "publish", "once", file);
    expect(JSON.parse(out)).toMatchObject({ published: 0, alreadyThere: 2 });
    expect(await lines("publish", "once", file, "--again")).toMatchObject([{ published: 2 }]);
    expect(await lines("read", "once")).toHaveLength(4);
  });

  it("publishes each line once, in order, though it is interrupted twice", async () => {
    await el("streams", "create", "long");
    const all = Array.from({ length: 5_000 }, (_, n) => n);
    const text = all.map((n) => `{"key":"k${n % 10}","data":${n}}\n`).join("");
    const file = fileOf("long.ndjson", text);
    for (const stopAt of [3, 5]) {
      const interrupt = new AbortController();
      let requests = 0;
      const { code, err } = await elWith(
        {
          tty: true,
          now: quickClock(),
          signal: interrupt.signal,
          onWrite: (written) => {
            if (written.startsWith("long  ")) requests += 1;
            if (requests === stopAt) interrupt.abort(new Error("Ctrl-C"));
          },
        },
        "publish",
        "long",
        file,
      );
      expect(code).toBe(130);
      expect(err).toContain(`el publish long ${file}`);
    }
    expect(await lines("publish", "long", file)).toMatchObject([{ alreadyThere: 4_000 }]);
    expect((await lines("read", "long")).map(({ data }) => data)).toEqual(all);
  });

  it("a line that only the server refuses is named, with what is published", async () => {
    await el("streams", "create", "refused");
    const good = Array.from({ length: 600 }, (_, n) => `{"key":"k","data":${n}}\n`).join("");
    const file = fileOf("refused.ndjson", `${good}{"key":"k","data":"\\ud800"}\n`);
    const { code, err } = await el("publish", "refused", file);
    expect(code).toBe(1);
    expect(err).toContain("Line 601 data holds a lone surrogate");
    expect(err).toContain("500 events are published, up to line 500; no later one is.");
    expect(err).toContain(`el publish refused ${file} --from-line 501`);
    fileOf("refused.ndjson", good);
    await el("publish", "refused", file, "--from-line", "501");
    expect((await lines("read", "refused")).map(({ data }) => Number(data))).toEqual(
      Array.from({ length: 600 }, (_, n) => n),
    );
  });

  it("a file that was published in part a day ago is not published blindly", async () => {
    await el("streams", "create", "stale");
    const text = Array.from({ length: 1_200 }, (_, n) => `{"key":"k","data":${n}}\n`).join("");
    const file = fileOf("stale.ndjson", text);
    const interrupt = new AbortController();
    const onWrite = (written: string) => {
      if (written.startsWith("stale  ")) interrupt.abort(new Error("Ctrl-C"));
    };
    const how = { tty: true, now: quickClock(), signal: interrupt.signal, onWrite };
    await elWith(how, "publish", "stale", file);
    const tomorrow = () => Date.now() + 24 * 3_600_000;
    const { code, err } = await elWith({ now: tomorrow }, "publish", "stale", file);
    expect(code).toBe(5);
    expect(err).toContain(`el publish stale ${file} --from-line 501`);
  });

  it("takes keys from the data", async () => {
    await el("streams", "create", "customers");
    const stdin = '{"id":7,"name":"A"}\n{"id":"b","name":"B"}\n';
    await elWith({ stdin }, "publish", "customers", "--key-field", "id", "-t", "imported");
    expect(await lines("read", "customers")).toMatchObject([
      { key: "7", type: "imported", data: { id: 7, name: "A" } },
      { key: "b", type: "imported", data: { id: "b", name: "B" } },
    ]);
  });

  it("a slow input is published as it comes", async () => {
    await el("streams", "create", "slow");
    const { promise: isRead, resolve } = Promise.withResolvers<void>();
    const encode = (text: string) => new TextEncoder().encode(text);
    async function* slowly() {
      yield encode('{"key":"a","data":1}\n{"key":"a",');
      await isRead;
      yield encode('"data":2}');
    }
    const running = elWith({ stdin: slowly() }, "publish", "slow");
    await expect.poll(() => lines("read", "slow")).toHaveLength(1);
    resolve();
    expect((await running).code).toBe(0);
    expect(await lines("read", "slow")).toHaveLength(2);
  });
});
