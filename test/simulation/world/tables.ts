import {
  createFakeDynamo,
  type FakeDynamo,
  type FakeDynamoOptions,
} from "../dynamodb/fake-dynamodb.ts";
import type { Item } from "../dynamodb/value.ts";

type Watch = FakeDynamo["stream"]["record"];

/** The table in use, which a restore replaces. Requests in flight to the former table end there. */
export type SimulatedStore = Pick<
  FakeDynamo,
  "client" | "setFaults" | "expireItems" | "peek" | "items" | "isTransacting"
> & {
  tableName(): string;
  /** Receives every change of a row in the table in use, at the moment of the change. */
  watch(record: Watch): void;
  /** Returns the counts of all tables, by name. */
  counts(): Record<string, number>;
  refusals(): readonly string[];
  /** Replaces the table by another one with these rows, under another name or the same. */
  restore(items: readonly Item[], tableName: string): void;
};

export function createStore(options: FakeDynamoOptions): SimulatedStore {
  const tables: FakeDynamo[] = [];
  let { tableName } = options;
  let watch: Watch = () => {};
  let faults: Parameters<FakeDynamo["setFaults"]>[0];
  const open = (): FakeDynamo => {
    const seed = tables.length === 0 ? options.seed : `${options.seed} ${tables.length}`;
    const table = createFakeDynamo({
      ...options,
      tableName,
      ...(seed === undefined ? {} : { seed }),
    });
    tables.push(table);
    return table;
  };
  let table = open();
  return {
    client: (process) => table.client(process),
    expireItems: (expiry) => table.expireItems(expiry),
    peek: (key) => table.peek(key),
    items: () => table.items(),
    isTransacting: () => table.isTransacting(),
    tableName: () => tableName,
    setFaults: (plan) => {
      faults = plan;
      table.setFaults(plan);
    },
    watch: (record) => {
      watch = record;
      table.stream.record = record;
    },
    counts: () => {
      const counts: Record<string, number> = {};
      for (const { tally } of tables) {
        for (const [name, of] of Object.entries(tally.all()))
          counts[name] = (counts[name] ?? 0) + of;
      }
      return counts;
    },
    refusals: () => tables.flatMap(({ refusals }) => refusals),
    restore: (items, name) => {
      table.stream.record = () => {};
      tableName = name;
      table = open();
      table.load(items);
      table.setFaults(faults);
      table.stream.record = watch;
    },
  };
}
