import { FakeRefusal } from "./aws-error.ts";
import {
  type DeliveryOptions,
  deliverAtOnce,
  deliverInTime,
  onAbort,
  type Reply,
} from "./delivery.ts";
import { createEngine } from "./engine.ts";
import { drawFault, type FaultPlan } from "./faults.ts";
import { type Key, keyId, keyOf } from "./key.ts";
import type { Operation } from "./operation.ts";
import { type Command, prepare, type Store } from "./prepare.ts";
import { copyItem } from "./projection.ts";
import { seededRandom } from "./seeded-random.ts";
import { newest } from "./table.ts";
import type { TableStream } from "./table-stream.ts";
import type { Tally } from "./tally.ts";
import { type ExpireOptions, expireItems } from "./time-to-live.ts";
import type { Item } from "./value.ts";
import type { VirtualProcess, VirtualTime } from "./virtual-clock.ts";

export type FakeDynamoOptions = Partial<DeliveryOptions> & {
  readonly tableName: string;
  readonly seed?: number | string;
  /** Lets requests take time. Without it, each is executed when it is sent. */
  readonly time?: VirtualTime;
  /**
   * Returns the true time when there is no `time`, in milliseconds since 1970. It does not move by
   * default.
   */
  readonly nowMs?: () => number;
  /**
   * The maximum age of an eventually consistent read, separately for each item. With 0, reads are
   * never stale.
   */
  readonly staleMs?: number;
  readonly faults?: FaultPlan;
  /** Awaited before and after each request without `time`, so that a scheduler can hold it. */
  readonly gate?: (label: string) => Promise<void>;
  /** Receives one line when a request is sent and one when it settles. */
  readonly trace?: (line: string) => void;
};

/** The client that ElectroDB needs. */
export type FakeClient = {
  send(command: Command, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
};

export type FakeDynamo = {
  /** Returns the store's client for one process. Without `time` the process does not matter. */
  client(process?: VirtualProcess): FakeClient;
  /** Replaces the faults from the next request on. Faults stay until they are replaced. */
  setFaults(faults?: FaultPlan): void;
  /** Counts `sent.*`, `fault.*`, `failed.*`, `conflict.*`, `read.*`, `capacity.*` and more. */
  readonly tally: Tally;
  readonly stream: TableStream;
  /** The requests that this store does not model. A test checks at its end that there are none. */
  readonly refusals: readonly string[];
  /** Deletes expired items, late and in random order. Returns how many. */
  expireItems(options?: ExpireOptions): number;
  /** Returns the present item of a key, for checkers. */
  peek(key: Key): Item | undefined;
  /** Returns every present item, for checkers. */
  items(isWanted?: (item: Item) => boolean): Item[];
  /** Stores items without stream records, as in a restored table. */
  load(items: readonly Item[]): void;
  /** Returns whether a transaction is running, so that the items show only a part of it. */
  isTransacting(): boolean;
};

const noFaults: FaultPlan = () => ({});

/**
 * Creates an in-memory DynamoDB that replaces the SDK's `send`. By default it has no faults and
 * takes no time.
 */
export const createFakeDynamo = (options: FakeDynamoOptions): FakeDynamo => {
  const { tableName, seed = 0, time, scanMs = 0, staleMs = 0 } = options;
  const random = seededRandom(seed);
  const nowMs = time?.nowMs ?? options.nowMs ?? (() => 0);
  const engine = createEngine({ nowMs, random: random.fork("store"), staleMs, scanMs });
  const refusals: string[] = [];
  let tokens = 0;
  const store: Store = {
    engine,
    tableName,
    tokens: new Map(),
    newToken: () => `made-up-${++tokens}`,
  };
  const delivery = {
    random: random.fork("delivery"),
    options: { scanMs, commitMs: 0, timeoutMs: 5000, latencyMs: () => 0, ...options },
  };
  let faults = options.faults ?? noFaults;
  let sent = 0;

  const send = async (
    command: Command,
    process: VirtualProcess | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown> => {
    const operation = understand(store, command, refusals);
    const fault = drawFault(operation.name, faults, delivery.random);
    const label = `${++sent} ${process?.name ?? "-"} ${describe(operation)}`;
    note(engine.tally, operation, fault);
    options.trace?.(`${nowMs()} send ${label}${fault === undefined ? "" : ` (${fault})`}`);
    const request = { ...delivery, operation, fault };
    const reply =
      time === undefined || process === undefined
        ? await atOnce(request, label, options.gate)
        : await inTime(request, time, process, signal);
    const failure = "error" in reply ? nameOf(reply.error) : undefined;
    if (failure !== undefined) engine.tally.add(`failed.${failure}`);
    options.trace?.(`${nowMs()} done ${label}: ${failure ?? "ok"}`);
    if ("error" in reply) throw reply.error;
    return { $metadata: { httpStatusCode: 200, attempts: 1 }, ...(reply.value as object) };
  };

  return {
    client: (process = time?.process("caller")) => ({
      send: (command, { abortSignal } = {}) => send(command, process, abortSignal),
    }),
    setFaults: (plan = noFaults) => {
      faults = plan;
    },
    tally: engine.tally,
    stream: engine.stream,
    refusals,
    expireItems: (expiry = {}) => expireItems(engine, `${seed}`, expiry),
    peek: (key) => copyOf(newest(engine.table.row(key)).item),
    items: (isWanted = () => true) =>
      [...engine.table.current()]
        .map((row) => newest(row).item)
        .filter((item) => item !== undefined && isWanted(item))
        .map(copyItem),
    load: (items) => {
      for (const item of items) engine.table.write(keyOf(item), copyItem(item));
    },
    isTransacting: () => engine.locks.size > 0,
  };
};

/**
 * Parses a command. An invalid request fails when it arrives. A request that is not modelled is
 * also listed in `refusals`.
 */
const understand = (store: Store, command: Command, refusals: string[]): Operation => {
  try {
    return guarded(prepare(store, command), refusals);
  } catch (error) {
    remember(error, refusals);
    const start = (): never => {
      throw error;
    };
    return { name: "get", keys: [], range: command.constructor.name, start };
  }
};

const guarded = (operation: Operation, refusals: string[]): Operation => {
  const watch = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      remember(error, refusals);
      throw error;
    }
  };
  return {
    ...operation,
    start: (partial) => {
      const { parts, finish } = watch(() => operation.start(partial));
      return { parts, finish: () => watch(finish) };
    },
  };
};

const remember = (error: unknown, refusals: string[]): void => {
  if (error instanceof FakeRefusal) refusals.push(error.message);
};

type Request = Parameters<typeof deliverAtOnce>[0];

const atOnce = async (
  request: Request,
  label: string,
  gate: FakeDynamoOptions["gate"],
): Promise<Reply> => {
  await gate?.(`send ${label}`);
  const reply = deliverAtOnce(request);
  await gate?.(`reply ${label}`);
  return reply;
};

const inTime = (
  request: Request,
  time: VirtualTime,
  process: VirtualProcess,
  signal: AbortSignal | undefined,
): Promise<Reply> =>
  new Promise((resolve) => {
    onAbort(signal, (error) => resolve({ error }));
    deliverInTime(request, time, process, resolve);
  });

const note = (tally: Tally, { name }: Operation, fault: string | undefined): void => {
  tally.add(`sent.${name}`);
  if (fault !== undefined) tally.add(`fault.${fault}`);
};

const describe = ({ name, keys, range }: Operation): string =>
  `${name} ${range ?? keys.map(keyId).join(", ")}`;

const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
};

const copyOf = (item: Item | undefined): Item | undefined =>
  item === undefined ? undefined : copyItem(item);
