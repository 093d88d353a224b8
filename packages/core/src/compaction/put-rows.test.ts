import { describe, expect, it } from "vitest";
import { type Outlook, putRows } from "./put-rows.ts";

const rowsOf = (count: number, bytes = 10) =>
  Array.from({ length: count }, (_, n) => ({
    key: `k${n}`,
    bucket: 0,
    partition: 0,
    sequence: n + 1,
    publishedAt: 0,
    rawBytes: bytes,
    payload: new Uint8Array(bytes),
  }));

/** Creates a clock that advances a second with each call, so that each write is reported. */
function tickingClock() {
  let ms = 0;
  const tick = () => {
    ms += 1_000;
    return ms;
  };
  return { now: tick, monotonic: tick, sleep: async () => {} };
}

type Plan = {
  readonly together: number;
  readonly report: (rowsPut: number) => Promise<Outlook>;
};

async function put(
  rows: ReturnType<typeof rowsOf>,
  { together = 1, report = async () => "on" }: Partial<Plan>,
) {
  const groups: number[] = [];
  const result = await putRows(tickingClock(), rows, {
    together,
    atOnce: 1,
    put: async (some) => void groups.push(some.length),
    report,
  });
  return { ...result, groups };
}

describe("the rows of a section", () => {
  it("are put in groups, of which the last may be smaller", async () => {
    expect(await put(rowsOf(7), { together: 3 })).toEqual({
      rowsPut: 7,
      outlook: "on",
      groups: [3, 3, 1],
    });
  });

  it("large rows form smaller groups", async () => {
    const { groups } = await put(rowsOf(5, 300 * 1024), { together: 25 });
    expect(groups).toEqual([2, 2, 1]);
  });

  it.each(["cut", "overtaken"] as const)("rows are left when the run is %s", async (end) => {
    const reports: number[] = [];
    const report = async (rowsPut: number): Promise<Outlook> => {
      reports.push(rowsPut);
      return rowsPut >= 4 ? end : "on";
    };
    const { outlook, rowsPut, groups } = await put(rowsOf(10), { together: 2, report });
    expect({ outlook, rowsPut, groups, reports }).toEqual({
      outlook: end,
      rowsPut: 4,
      groups: [2, 2],
      reports: [2, 4],
    });
  });

  it("only the rows before the first one that is not put count", async () => {
    const first = Promise.withResolvers<void>();
    const reports: number[] = [];
    const { rowsPut } = await putRows(tickingClock(), rowsOf(4), {
      together: 1,
      atOnce: 2,
      put: async ([row]) => {
        if (row?.sequence === 1) await first.promise;
        else if (row?.sequence === 4) first.resolve();
      },
      report: async (count) => {
        reports.push(count);
        return "on";
      },
    });
    expect(rowsPut).toBe(4);
    expect(reports.filter((count) => count > 0 && count < 4)).toEqual([]);
    expect(reports[0]).toBe(0);
  });
});
