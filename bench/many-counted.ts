import { defaultTenant } from "../packages/core/src/model/names.ts";
import { type Counted, createManyTable } from "../test/support/many-table.ts";

/** What one answer, or one sweep, costs in an installation of this size. */
export type ManyFigures = {
  readonly streams: number;
  readonly subscriptions: number;
  readonly partitions: number;
  readonly emptyPage: Counted;
  readonly viewOfStream: Counted;
  readonly pageOfSubscriptions: Counted;
  readonly pageOfStreams: Counted;
  readonly sweep: Counted;
};

const PARTITIONS = 64;
const SUBSCRIPTIONS = 1_000;

/**
 * Counts requests, waves of requests and capacity units on the simulated table. Nothing here
 * depends on the machine.
 */
export async function countMany(
  streams: number,
  say: (line: string) => void,
): Promise<ManyFigures> {
  const table = createManyTable();
  const ledger = table.open();
  const settings = (name: string, partitions: number) => ({
    ...{ name, partitions, description: "", compaction: "key" as const },
    ...{ retentionHours: 360, archiveDays: null },
  });
  const count = async (what: string, work: () => Promise<unknown>): Promise<Counted> => {
    const counted = await table.count(work);
    say(`${what}: ${JSON.stringify(counted)}`);
    return counted;
  };
  await ledger.createStream(defaultTenant, settings("wide", PARTITIONS));
  const browse = async (from: string) =>
    (await ledger.browse(defaultTenant, "wide", { from, limit: 100 })).cursor;
  const cursor = await browse("latest");
  await browse(cursor);
  const emptyPage = await count("an empty page of 64 partitions", () => browse(cursor));
  await ledger.createStream(defaultTenant, settings("popular", 1));
  for (let n = 0; n < SUBSCRIPTIONS; n++) {
    const event = { attributes: { key: "k" }, data: "1" as never };
    await ledger.publish(defaultTenant, "popular", [event]);
    await ledger.createSubscription(defaultTenant, "popular", { name: `s${n}`, start: "latest" });
  }
  const viewOfStream = await count("the view of a stream with 1,000 subscriptions", () =>
    ledger.getStream(defaultTenant, "popular"),
  );
  const page = { limit: 500, stats: true };
  const pageOfSubscriptions = await count("a page of subscriptions with their lags", () =>
    ledger.listSubscriptions(defaultTenant, "popular", page),
  );
  for (let n = 0; n < streams; n++) {
    await ledger.createStream(defaultTenant, settings(`stream-${n}`, 1));
  }
  const pageOfStreams = await count("a page of 500 streams", () =>
    ledger.listStreams(defaultTenant, { limit: 500 }),
  );
  const sweep = await count(`a sweep of ${streams} idle streams`, () =>
    ledger.sweep({ budgetMs: 3_600_000 }),
  );
  return {
    streams,
    subscriptions: SUBSCRIPTIONS,
    partitions: PARTITIONS,
    ...{ emptyPage, viewOfStream, pageOfSubscriptions, pageOfStreams, sweep },
  };
}
