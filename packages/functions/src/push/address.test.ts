import type { LookupAddress, LookupOptions } from "node:dns";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { RawJson } from "@eventledger/core";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { isPublic, publicLookup, wrongUrl } from "./address.ts";
import { createDeliver, retryAfterMs } from "./deliver.ts";

const REFUSED = [
  "http://shop.example/",
  "https://shop.example:8443/",
  "https://shop.example:80/",
  "https://user@shop.example/",
  "https://user:password@shop.example/",
  "https://127.0.0.1/",
  "https://127.1/",
  "https://127.255.255.254/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0177.0.0.1/",
  "https://0x7f.1/",
  "https://①②⑦.⓪.⓪.①/",
  "https://0.0.0.0/",
  "https://0/",
  "https://10.0.0.1/",
  "https://172.16.0.1/",
  "https://172.31.255.255/",
  "https://192.168.1.1/",
  "https://169.254.169.254/latest/meta-data/",
  "https://169.254.170.2/",
  "https://100.64.0.1/",
  "https://192.0.0.1/",
  "https://192.0.2.1/",
  "https://198.18.0.1/",
  "https://198.51.100.1/",
  "https://203.0.113.1/",
  "https://224.0.0.1/",
  "https://240.0.0.1/",
  "https://255.255.255.255/",
  "https://[::1]/",
  "https://[::]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:8.8.8.8]/",
  "https://[::ffff:a9fe:a9fe]/",
  "https://[::127.0.0.1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://[64:ff9b:1::a00:1]/",
  "https://[2002:7f00:1::]/",
  "https://[2001::1]/",
  "https://[2001:db8::1]/",
  "https://[fe80::1]/",
  "https://[fec0::1]/",
  "https://[fc00::1]/",
  "https://[fd00:ec2::254]/",
  "https://[ff02::1]/",
  "https://[100::1]/",
  "ftp://shop.example/",
  "file:///etc/passwd",
  "gopher://shop.example/",
];

const event = {
  sequence: 1,
  publishedAt: 0,
  id: "e",
  key: "k",
  type: "t",
  data: "1" as RawJson,
};
const delivery = {
  id: "life_0_1",
  format: "standard",
  timeoutMs: 2_000,
  secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  streamName: "orders",
  event,
} as const;

/** A resolver that always finds these addresses. */
const resolver =
  (addresses: readonly string[]) =>
  (_: string, __: LookupOptions, done: (error: null, found: LookupAddress[]) => void): void =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );

describe("a public address", () => {
  /** Numbers from 0 to `below`, the same in each run. */
  const numbers = () => {
    let state = 3;
    return (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state % below;
    };
  };

  it("[push.public] a different library calls each one unicast, at every border of a network", () => {
    const draw = numbers();
    const seeds = ["2001:0", "2001:1ff", "2001:200", "2001:db8", "2002:0", "3fff:0", "3fff:1000"];
    const first = [0, 9, 10, 11, 100, 126, 127, 128, 169, 172, 192, 198, 203, 223, 224, 240, 255];
    const v4 = first.flatMap((a) =>
      Array.from({ length: 256 }, (_, b) => `${a}.${b}.${draw(256)}.${draw(256)}`),
    );
    const v6 = [...seeds, "2620:4f", "64:ff9b", "fe80:0", "fc00:0", "1fff:0", "4000:0"].flatMap(
      (start) => Array.from({ length: 200 }, () => `${start}:${draw(65_536).toString(16)}::1`),
    );
    const anywhere = Array.from({ length: 5_000 }, () => `${draw(65_536).toString(16)}:1::1`);
    const all = [...v4, ...v6, ...anywhere];
    const ours = all.filter(isPublic);
    expect(ours.length).toBeGreaterThan(2_000);
    expect(ours.filter((text) => ipaddr.parse(text).range() !== "unicast")).toEqual([]);
  });

  it("an ordinary address is one", () => {
    for (const text of ["8.8.8.8", "1.1.1.1", "52.94.236.248", "2606:4700::1", "2a00:1450::1"]) {
      expect(isPublic(text), text).toBe(true);
    }
    for (const text of ["", "host", "8.8.8", "2606:4700::1%1", "::ffff:8.8.8.8"]) {
      expect(isPublic(text), text).toBe(false);
    }
  });
});

describe("an URL for deliveries of a deployed stage", () => {
  it.each(REFUSED)("[push.public] %s is refused, and nothing is sent", async (url) => {
    expect(wrongUrl(url, "public")).toBeTypeOf("string");
    const { deliver, close } = createDeliver({ reach: "public" });
    expect(await deliver({ ...delivery, url })).toMatchObject({
      kind: "unreachable",
      error: expect.stringContaining("The URL must"),
    });
    close();
  });

  it.each(["https://shop.example/hook?a=1", "https://8.8.8.8/", "https://[2606:4700::1]/"])(
    "%s is allowed",
    (url) => expect(wrongUrl(url, "public")).toBeUndefined(),
  );

  it("[push.public] a name that leads to a private address is refused, also beside a public one", async () => {
    for (const found of [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["fd00::1"], []]) {
      const lookup = publicLookup(resolver(found) as never);
      const { deliver, close } = createDeliver({ reach: "public", lookup });
      expect(await deliver({ ...delivery, url: "https://rebind.example/" })).toMatchObject({
        kind: "unreachable",
        error: "The host name leads to an address that is not public.",
      });
      close();
    }
  });

  it("[push.public] a name is resolved once, and the connection uses what was checked", () => {
    let asked = 0;
    const rebinding = ((_: string, __: object, done: (error: null, all: object[]) => void) => {
      asked++;
      done(null, [{ address: asked === 1 ? "8.8.8.8" : "127.0.0.1", family: 4 }]);
    }) as never;
    const lookup = publicLookup(rebinding);
    lookup("rebind.example", { all: true }, (error, found) => {
      expect([error, found]).toEqual([null, [{ address: "8.8.8.8", family: 4 }]]);
    });
    lookup("rebind.example", { all: false }, (error) => expect(error).toBeInstanceOf(Error));
  });

  it("an address that no parser knows is not public", () => {
    expect(isPublic("localhost")).toBe(false);
    expect(isPublic("")).toBe(false);
    expect(isPublic("8.8.8.8")).toBe(true);
  });
});

describe("a delivery", () => {
  it("[push.public] follows no redirect, and reads only the beginning of an answer", async () => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.writeHead(302, { location: "/other" });
      const more = () => {
        if (!response.destroyed) response.write("x".repeat(10_000), () => setImmediate(more));
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const { deliver, close } = createDeliver({ reach: "everything" });
    const answer = await deliver({ ...delivery, url });
    expect(answer).toMatchObject({ kind: "answered", status: 302, text: "x".repeat(4_096) });
    expect(paths).toEqual(["/hook"]);
    close();
    server.closeAllConnections();
    server.close();
  });

  it("ends when the endpoint is silent", async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { deliver, close } = createDeliver({ reach: "everything" });
    expect(await deliver({ ...delivery, url, timeoutMs: 50 })).toEqual({
      kind: "unreachable",
      error: "The endpoint did not answer within 0.05 s.",
      isSent: true,
    });
    close();
    server.closeAllConnections();
    server.close();
  });

  it("is sent on a new connection when the endpoint has closed an idle one", async () => {
    let isClosing = false;
    let requests = 0;
    const server = createServer((request, response) => {
      requests++;
      if (isClosing) request.socket.resetAndDestroy();
      else response.writeHead(204).end();
      isClosing = requests === 1;
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { deliver, close } = createDeliver({ reach: "everything" });
    for (const expected of [1, 3]) {
      expect(await deliver({ ...delivery, url })).toMatchObject({ status: 204 });
      expect(requests).toBe(expected);
    }
    close();
    server.closeAllConnections();
    server.close();
    const refused = await deliver({ ...delivery, url });
    expect(refused).toMatchObject({ kind: "unreachable", isSent: false });
  });

  it("[push.outage] is sent only when there is a connection, which for https is an encrypted one", async () => {
    const plain = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const { port } = plain.address() as AddressInfo;
    const { deliver, close } = createDeliver({ reach: "everything" });
    for (const url of [
      `https://127.0.0.1:${port}/`,
      "https://127.0.0.1:1/",
      "http://127.0.0.1:1/",
      "https://nowhere.invalid/",
    ]) {
      const answer = await deliver({ ...delivery, url });
      expect(answer, url).toMatchObject({ kind: "unreachable", isSent: false });
    }
    close();
    plain.closeAllConnections();
    plain.close();
  });

  it("understands both forms of `Retry-After`", () => {
    expect(retryAfterMs("120")).toBe(120_000);
    expect(retryAfterMs("Thu, 01 Jan 1970 00:01:00 GMT", 10_000)).toBe(50_000);
    expect(retryAfterMs("Thu, 01 Jan 1970 00:00:00 GMT", 10_000)).toBe(0);
    expect(retryAfterMs("soon")).toBeUndefined();
    expect(retryAfterMs(undefined)).toBeUndefined();
  });
});
