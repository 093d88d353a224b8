import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LedgerError } from "../kernel/error.ts";
import { formatScan, pendingBootstrap } from "../model/snapshot-progress.ts";
import { type CursorContent, createCursors } from "./cursor.ts";
import { packCursor, unpackCursor } from "./cursor-content.ts";
import { formatListCursor } from "./list-cursor.ts";
import { createPacker } from "./pack.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const CORRUPTIONS = 100_000;

const OLD = { id: 1, secret: Buffer.from("old") };
const NEW = { id: 2, secret: Buffer.from("new") };

const anyNumber = fc.integer({ min: 1, max: 2 ** 47 });
const anyContent = fc
  .record({
    life: fc.string({ minLength: 1, maxLength: 12 }),
    generation: fc.option(anyNumber, { nil: undefined }),
    positions: fc.array(fc.option(anyNumber, { nil: undefined }), { minLength: 1, maxLength: 64 }),
    since: fc.option(anyNumber, { nil: undefined }),
    keptSince: fc.option(anyNumber, { nil: undefined }),
    tokens: fc.boolean(),
    releaseCounts: fc.boolean(),
    parked: fc.boolean(),
    queue: fc.option(anyNumber, { nil: undefined }),
    scan: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
    nextPartition: fc.nat(63),
  })
  .map(
    ({
      generation,
      positions,
      since,
      keptSince,
      tokens,
      releaseCounts,
      parked,
      queue,
      scan,
      ...rest
    }): CursorContent => {
      const starts = positions.map((next) => next ?? 1);
      const places = scan === undefined ? positions : starts;
      return {
        ...rest,
        ...(generation === undefined ? {} : { subscription: { uid: "sub", generation } }),
        positions: places.map((next) => (next === undefined ? undefined : { next, batch: next })),
        ...(since === undefined ? {} : { since }),
        ...(keptSince === undefined ? {} : { keptSince }),
        ...(tokens ? { tokens: positions.map((next) => next && (next % 1_000) + 1) } : {}),
        ...(releaseCounts ? { releaseCounts: positions.map((next) => (next ?? 0) % 7) } : {}),
        ...(parked ? { parked } : {}),
        ...(queue === undefined
          ? {}
          : { queue: { partition: queue % 64, id: queue, batch: queue, next: queue + 5 } }),
        ...(scan === undefined
          ? {}
          : {
              bootstrap: {
                run: "run",
                startedAt: 5,
                scan: formatScan(3, scan),
                starts,
                exactFrom: starts,
              },
            }),
      };
    },
  );

it("[cursor.reason] a cursor of a list of names is of another request, and other texts are malformed", () => {
  const cursors = createCursors([NEW]);
  const reasonFor = (run: () => unknown) => {
    try {
      run();
      return undefined;
    } catch (error) {
      return error instanceof LedgerError ? error.facts.reason : error;
    }
  };
  const ofNames = formatListCursor("streams", "orders");
  const ofLife = cursors.format({ life: "l", positions: [undefined], nextPartition: 0 });
  expect(reasonFor(() => cursors.parse(ofNames))).toBe("other-query");
  expect(reasonFor(() => cursors.parse("no cursor"))).toBe("malformed");
  expect(cursors.parseListed("streams", ofNames)).toBe("orders");
  expect(reasonFor(() => cursors.parseListed("keys", ofNames))).toBe("other-query");
  expect(reasonFor(() => cursors.parseListed("streams", ofLife))).toBe("other-query");
  expect(reasonFor(() => cursors.parseListed("streams", "no cursor"))).toBe("malformed");
});

describe("a cursor", () => {
  it("[cursor.opaque] a parsed cursor equals its content", () => {
    const { format, parse } = createCursors([NEW]);
    return fc.assert(
      fc.property(anyContent, (content) => {
        expect(parse(format(content))).toEqual(content);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it(`[cursor.opaque] a cursor is refused with any byte changed (${CORRUPTIONS} of them, seed ${SEED})`, () => {
    const { format, parse } = createCursors([NEW, OLD]);
    const made = fc
      .sample(anyContent, { seed: SEED, numRuns: 200 })
      .map((content) => Buffer.from(format(content), "base64url"));
    const accepted: string[] = [];
    for (let n = 0; n < CORRUPTIONS; n++) {
      const bytes = Buffer.from(made[n % made.length] ?? []);
      const at = (n * 7_919 + (SEED % 1_000)) % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 + (n % 255));
      try {
        parse(bytes.toString("base64url"));
        accepted.push(`byte ${at}`);
      } catch (error) {
        if (!(error instanceof LedgerError && error.code === "invalid-cursor")) throw error;
      }
    }
    expect(accepted).toEqual([]);
  }, 60_000);

  it("[cursor.opaque] a cursor survives the replacement of its key until that key is removed", () => {
    const [content] = fc.sample(anyContent, { seed: 1, numRuns: 1 });
    if (content === undefined) throw new Error("no content");
    const made = createCursors([OLD]).format(content);
    const rotated = createCursors([NEW, OLD]);
    expect(rotated.parse(made)).toEqual(content);
    expect(rotated.format(content)).not.toBe(made);
    expect(() => createCursors([NEW]).parse(made)).toThrow(LedgerError);
    // The id of a key proves nothing without its secret.
    expect(() => createCursors([{ ...OLD, secret: NEW.secret }]).parse(made)).toThrow(LedgerError);
  });
});

describe("the cursor of a list", () => {
  const content: CursorContent = {
    life: "life",
    positions: [],
    nextPartition: 3,
    listed: "inv-",
    bootstrap: pendingBootstrap,
  };
  const packed = (flags: number, ...texts: string[]): Uint8Array => {
    const out = createPacker();
    out.number(flags);
    out.text("life");
    out.number(3);
    out.number(0);
    for (const text of texts) out.text(text);
    return out.finish();
  };

  it("[cursor.opaque] the cursor of a list ends with its prefix, so that earlier code can read the rest", () => {
    expect(packCursor(content)).toEqual(packed(256 + 4, pendingBootstrap.scan, "inv-"));
    expect(unpackCursor(packCursor(content))).toMatchObject({ listed: "inv-", nextPartition: 3 });
  });

  it("[cursor.opaque] a cursor with the prefix before the bootstrap is parsed", () => {
    const earlier = unpackCursor(packed(64 + 4, "inv-", pendingBootstrap.scan));
    expect(earlier).toEqual(unpackCursor(packCursor(content)));
  });
});
