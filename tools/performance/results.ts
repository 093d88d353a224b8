import { existsSync, readFileSync } from "node:fs";
import type { Counted } from "../../bench/parts/counted.ts";
import type { Delivered } from "../../bench/parts/deliver.ts";
import type { Missing, PeerFigures } from "../../bench/parts/peers.ts";
import type { PublishCase } from "../../bench/parts/publish.ts";

type Latency = { readonly p50: number; readonly p99: number };
type Publishing = {
  readonly perSecond: number;
  readonly latencyMs: Latency;
  readonly putsPerPublish: number;
};
type Round = { readonly ratio: number; readonly off: Publishing; readonly on: Publishing };

/** The parts of `bench/results` that the page shows. */
export type Results = {
  readonly "group-commit": {
    readonly publishers: number;
    readonly distantStoreMs: number;
    readonly local: readonly Round[];
    readonly distant: readonly Round[];
  };
  readonly contention: {
    readonly processes: number;
    readonly rounds: readonly {
      readonly appendsPerSecond: number;
      readonly putsPerAppend: number;
      readonly p99ToP50: number;
      readonly latencyMs: Latency;
    }[];
  };
  readonly burst: {
    readonly machine: { readonly cpu: string; readonly cores: number };
    readonly versions: { readonly node: string };
    readonly loadBefore: number;
    readonly events: number;
    readonly keys: number;
    readonly before: number;
    readonly during: number;
    readonly keptShare: number;
    readonly backlogSeconds: number | null;
    readonly rowsWritten: number | null;
  };
  readonly "router-cpu": {
    readonly load: number;
    readonly cases: readonly {
      readonly kind: string;
      readonly microseconds: number;
      readonly perEvent: number;
    }[];
  };
  /** Two checkouts, in microseconds of CPU time for each request. */
  readonly "router-compare": {
    readonly load: number;
    readonly rounds: number;
    readonly cases: readonly {
      readonly kind: string;
      readonly before: number;
      readonly now: number;
      readonly times: number;
    }[];
  };
  readonly compaction: {
    readonly events: number;
    readonly cases: readonly {
      readonly keys: number;
      readonly eventsPerSecond: number;
      readonly rowsPerSecond: number;
      readonly cpuMsPerRow: number;
      readonly writeUnitsPerEvent: number;
    }[];
  };
  readonly "idle-polls": { readonly polls: number; readonly ratio: number };
  readonly archive: Archived;
  readonly sdk: Sdk;
  readonly publish?: Ran & { readonly cases: readonly PublishCase[] };
  readonly deliver?: Ran & Delivered & { readonly events: number; readonly singles: number };
  readonly peers?: Ran & {
    readonly measured: readonly PeerFigures[];
    readonly missing: readonly Missing[];
    readonly verdicts: readonly { readonly said: string; readonly holds: boolean }[];
  };
  readonly counted?: Counted;
  readonly million?: Counted["bootstraps"][number];
  readonly many?: Many;
  readonly start?: {
    readonly seconds: number;
    readonly slowest: number;
    readonly runs: number;
    readonly loadAtStart: number;
  };
};

type Listed = { readonly seconds: number; readonly keysPerSecond: number };

type Requests = Record<"requests" | "waves" | "read" | "write", number>;

type Many = {
  readonly load: number;
  readonly bootstrap: Readonly<Record<"list" | "listIn8Parts" | "view", Listed>> & {
    readonly keys: number;
  };
  readonly counted: Readonly<Record<"streams" | "subscriptions" | "partitions", number>> &
    Readonly<
      Record<
        "emptyPage" | "viewOfStream" | "pageOfSubscriptions" | "pageOfStreams" | "sweep",
        Requests
      >
    >;
};

type Ran = { readonly loadAtStart: number };

export type Rates = { readonly perSecond: number; readonly cpuMsPerThousand: number };

type Sdk = {
  readonly load: number;
  readonly callers: number;
  readonly keys: number;
  readonly bareSingle: Rates;
  readonly bareBatches: Rates;
  readonly publisher: Rates;
  readonly bareList: Rates;
  readonly view: Rates & { readonly megabytes: number };
};

type Reading = {
  readonly eventsPerSecond: number;
  readonly requestsPerThousand: { readonly table: number; readonly bucket: number };
  readonly readUnitsPerThousand: number;
  readonly cpuMsPerThousand: number;
};

type Archived = {
  readonly loadBefore: number;
  readonly routerOptions: readonly string[];
  readonly events: number;
  readonly bytesPerEvent: number;
  readonly archive: {
    readonly segments: number;
    readonly bytes: number;
    readonly eventsPerSecond: number;
  };
  readonly hot: Reading;
  readonly crossing: Reading;
  readonly cold: Reading;
  readonly subscription: Reading & {
    readonly committed: number;
    readonly from: number;
    readonly to: number;
  };
  readonly verify: { readonly eventsPerSecond: number };
  readonly rssMiB: number;
};

const NAMES = [
  "group-commit",
  "contention",
  "burst",
  "router-cpu",
  "router-compare",
  "compaction",
  "idle-polls",
  "archive",
  "sdk",
  "publish",
  "deliver",
  "peers",
  "counted",
  "million",
  "many",
  "start",
] as const satisfies readonly (keyof Results)[];

/** Results that were not recorded are absent, and their sections are left out of the page. */
export const loadResults = (): Results =>
  Object.fromEntries(
    NAMES.flatMap((name) => {
      const file = new URL(`../../bench/results/${name}.json`, import.meta.url);
      return existsSync(file) ? [[name, JSON.parse(readFileSync(file, "utf8"))]] : [];
    }),
  ) as Results;
