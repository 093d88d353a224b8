import type { KeyKind } from "../access/key-text.ts";
import { createPortalTokens } from "../access/portal-token.ts";
import type { ObserveArchive } from "../archive/observe.ts";
import { settlePartition } from "../archive/settle.ts";
import { type AuditSettings, createAuditTrail } from "../audit/trail.ts";
import type { ObserveCompaction } from "../compaction/compact-deps.ts";
import { compactStream } from "../compaction/compact-stream.ts";
import type { GrowthRule } from "../compaction/growth-plan.ts";
import { createWindowPace, type Pace } from "../compaction/pace.ts";
import { type CursorKey, createCursors } from "../cursor/cursor.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { createWaitLimit } from "../kernel/wait-limit.ts";
import type { ObserveAppend } from "../log/append/append.ts";
import { createLog } from "../log/log.ts";
import { createSightings } from "../model/sightings.ts";
import { noObjects } from "../objects/no-objects.ts";
import type { Objects } from "../objects/objects.ts";
import type { PushPort } from "../push/endpoint.ts";
import { createLimiter } from "../quota/limiter.ts";
import { createRoom } from "../quota/room.ts";
import { assertCompacted, beginBootstrap, loadSnapshotPage } from "../snapshot/bootstrap.ts";
import { assertReachesBack, createDifferences } from "../snapshot/difference.ts";
import { positionsSince } from "../snapshot/since.ts";
import { createStreams } from "../stream/streams.ts";
import { createParking } from "../subscription/parking/parking.ts";
import { createDeliveries } from "../subscription/poll/deliveries.ts";
import { createSubscriptions, type Snapshots } from "../subscription/subscriptions.ts";
import { createLeases } from "../subscription/workers/leases.ts";
import type { Connection } from "../table/connection.ts";
import { createTable } from "../table/table.ts";
import { createUseCounter } from "../usage/use-counter.ts";
import { createPlaces } from "./places.ts";

export type LedgerDeps = {
  readonly client: Connection["client"];
  readonly tableName: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The first key signs. All keys are accepted. */
  readonly cursorKeys: readonly CursorKey[];
  /** When false, each request is an append of its own. Only for measuring. */
  readonly groupCommit?: boolean;
  /** The number of waiting publishes before further ones are refused as `too-many-requests`. */
  readonly waitingMax?: number | undefined;
  /**
   * The maximum wait of a poll in this process. 0 disables waiting. The default is the maximum of
   * the protocol.
   */
  readonly waitSecondsMax?: number | undefined;
  /** The kind of API keys made and accepted here. The default is `test`. */
  readonly keyKind?: KeyKind;
  /** Throws any known reason why the table cannot be written. It must not write. */
  readonly assertWritable?: () => Promise<void>;
  /** Called for each step of every append. */
  readonly observeAppend?: ObserveAppend;
  /** Decides when compaction writes. The default follows the response times of its writes. */
  readonly compactionPace?: Pace | undefined;
  /** The number of compacted rows per write: see `CompactDeps`. */
  readonly rowsTogether?: number | undefined;
  /** When a stream with "auto" partitions grows. Only a simulation has another rule. */
  readonly growthRule?: GrowthRule | undefined;
  /** Called with the progress of compaction. */
  readonly observeCompaction?: ObserveCompaction;
  /** The bucket of the archive. Without one, no stream can be archived. */
  readonly objects?: Objects | undefined;
  /** Whether that bucket has object lock. */
  readonly objectsLock?: boolean | undefined;
  /** Called for each read of an object of the archive. */
  readonly observeColdRead?: (() => void) | undefined;
  /** Called with the progress of archiving. */
  readonly observeArchive?: ObserveArchive | undefined;
  /** How the audit streams are kept. Without it, nothing is recorded. */
  readonly audit?: AuditSettings | undefined;
  /** How events are pushed to endpoints. Without it, nothing is pushed. */
  readonly push?: PushPort | undefined;
  /** Called for each key that is parked. */
  readonly observeParked?: () => void;
};

/** The time for moving the checkpoint of an audit stream within a request. */
const AUDIT_BUDGET_MS = 5_000;

/**
 * Creates the services that the operations use, one of each per table, with the memory of this
 * process.
 */
export function createParts(deps: LedgerDeps) {
  const { clock, random, tableName } = deps;
  const { groupCommit = true, observeAppend = () => {}, observeParked = () => {} } = deps;
  const table = createTable({ client: deps.client, table: tableName, clock, random });
  const cursors = createCursors(deps.cursorKeys);
  const core = { table, clock, random, sightings: createSightings(clock) };
  const queue = deps.waitingMax === undefined ? {} : { waitingMax: deps.waitingMax };
  const { objects = noObjects, observeColdRead } = deps;
  const log = createLog({
    ...core,
    objects,
    observeColdRead,
    groupCommit,
    observeAppend,
    ...queue,
  });
  const places = createPlaces({ clock, cursors, log });
  const streams = createStreams({
    ...core,
    canArchive: deps.objects !== undefined,
    canLock: deps.objectsLock ?? false,
    sealPartition: log.seal,
    bringOn: log.bringOn,
    assertMayTurn: log.assertMayTurn,
    settleArchive: (stream, partition) => settlePartition(core, stream, partition),
  });
  const differences = createDifferences(core);
  const snapshots: Snapshots = {
    assertPossible: (stream) => assertCompacted(stream),
    positionsSince: (stream, cursor) => positionsSince({ log }, stream, cursor),
    assertReachesBack: (stream, since) => assertReachesBack(core, stream, since),
    begin: (stream, { difference }) =>
      difference === undefined
        ? beginBootstrap(core, stream)
        : differences.begin(stream, difference),
    loadPage: (stream, bootstrap, page) =>
      bootstrap.difference === undefined
        ? loadSnapshotPage(core, stream, bootstrap, page)
        : differences.loadPage(stream, bootstrap, page),
  };
  const subscriptions = createSubscriptions({ ...core, log, snapshots });
  const leases = createLeases({ table, clock, random, subscriptions });
  const parking = createParking({ table, clock, log, subscriptions, observeParked });
  const deliveries = createDeliveries({ table, log, subscriptions, parking });
  const waiting = createWaitLimit(deps.waitSecondsMax);
  const limiter = createLimiter(core);
  return {
    ...core,
    pace: deps.compactionPace ?? createWindowPace(clock),
    rowsTogether: deps.rowsTogether,
    growthRule: deps.growthRule,
    observeCompaction: deps.observeCompaction,
    observeArchive: deps.observeArchive,
    tableName,
    objects,
    push: deps.push,
    assertWritable: deps.assertWritable ?? (async () => {}),
    cursors,
    portalTokens: createPortalTokens(deps.cursorKeys),
    log,
    places,
    streams,
    audit: createAuditTrail({
      ...core,
      log,
      streams,
      settings: deps.audit,
      compact: (stream) => compactStream(core, stream, { budgetMs: AUDIT_BUDGET_MS }),
    }),
    snapshots,
    differences,
    subscriptions,
    leases,
    parking,
    deliveries,
    waiting,
    useCounter: createUseCounter(core),
    limiter,
    room: createRoom({ table, limiter }),
  };
}

export type Parts = ReturnType<typeof createParts>;
