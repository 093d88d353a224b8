import { AUDIT_STREAM, type CreateStream, LIMITS } from "@eventledger/protocol";
import { createBounded } from "../kernel/bounded.ts";
import type { Clock } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { newUid, type Random } from "../kernel/random.ts";
import type { Log } from "../log/log.ts";
import type { Tenant } from "../model/names.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { createStreams } from "../stream/streams.ts";
import { type AuditEntry, toAuditEvent } from "./audit-event.ts";
import { createDenials } from "./denials.ts";

export type AuditSettings = {
  /**
   * How many days entries are kept in the archive. Absent: the settings of an audit stream stay as
   * they are. The days of a stream can only increase.
   */
  readonly archiveDays?: number | undefined;
};

type Deps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Log, "publish">;
  readonly streams: Pick<ReturnType<typeof createStreams>, "use" | "create" | "patch" | "load">;
  /** Compacts a stream. It only moves the checkpoint of an audit stream. */
  readonly compact: (stream: LiveStream) => Promise<unknown>;
  /** Absent: nothing is recorded. */
  readonly settings: AuditSettings | undefined;
};

const TENANTS_MAX = 10_000;

/**
 * Writes the audit stream of each tenant. The first entry creates the stream. No route of the API
 * can create, change or delete it, or publish to it.
 */
export function createAuditTrail({ clock, random, log, streams, compact, settings }: Deps) {
  const settled = createBounded<true>(TENANTS_MAX);
  const denials = createDenials(clock);

  /** Creates the audit stream of a tenant, or gives it the settings of the installation. */
  async function open(tenant: Tenant, { archiveDays }: AuditSettings): Promise<void> {
    const stream = await streams.load(tenant, AUDIT_STREAM).catch(missing);
    if (stream === undefined) {
      await streams.create(tenant, { ...AUDIT, archiveDays: archiveDays ?? null }).catch(made);
    } else if (archiveDays !== undefined && archiveDays > (stream.archiveDays ?? 0)) {
      await streams.patch(tenant, AUDIT_STREAM, { archiveDays });
    }
    settled.set(tenant, true);
  }

  /**
   * Appends an entry to the audit stream of a tenant. A compactor that does not run must not stop
   * administration, so the checkpoint is then moved here. Throws the errors of an append.
   */
  async function append(tenant: Tenant, entry: AuditEntry): Promise<void> {
    if (settings === undefined) return;
    if (settled.get(tenant) === undefined) await open(tenant, settings);
    const events = [toAuditEvent(entry, clock.now())];
    await streams.use(tenant, AUDIT_STREAM, async (stream: LiveStream) => {
      await log.publish(stream, events).catch(async (error: unknown) => {
        if (!(error instanceof LedgerError && error.code === "compaction-stalled")) throw error;
        await compact(stream);
        await log.publish(stream, events);
      });
    });
  }

  return {
    /** Returns the name of a call, which all of its entries have. */
    newCall: (): string => newUid(random),

    /**
     * Records that a call begins. Throws `store-unavailable`, `store-full` or `restore-pending`
     * when that is not durable. The call must then change nothing.
     */
    async begin(tenant: Tenant, entry: AuditEntry): Promise<void> {
      try {
        await append(tenant, entry);
      } catch (error) {
        throw notRecorded(error);
      }
    },

    /** Records the outcome. Throws the errors of an append. */
    append,

    /**
     * Records a denied call, unless there are too many. Throws the errors of an append. See
     * `createDenials`.
     */
    async deny(tenant: Tenant, entry: Omit<AuditEntry, "outcome" | "call">): Promise<void> {
      const admitted = settings === undefined ? undefined : denials.admit(tenant);
      if (admitted === undefined) return;
      const { leftOut } = admitted;
      const denialsLeftOut = leftOut === 0 ? undefined : leftOut;
      const call = newUid(random);
      await append(tenant, { call, ...entry, outcome: "denied", denialsLeftOut });
    },

    /**
     * Records something that the server did by itself, such as disabling a push. `target` is a path
     * such as `/streams/orders/subscriptions/shipping/push`. Throws the errors of an append.
     */
    recordOwn: (
      tenant: Tenant,
      did: Pick<AuditEntry, "action" | "target" | "reason">,
    ): Promise<void> =>
      append(tenant, { call: newUid(random), actor: "server", ...did, outcome: "done" }),
  };
}

export type AuditTrail = ReturnType<typeof createAuditTrail>;

/** No request can change the settings of an audit stream. */
const AUDIT: CreateStream = {
  name: AUDIT_STREAM,
  description: "Who changed what. The server writes this stream.",
  partitions: 1,
  compaction: "none",
  retentionHours: LIMITS.retentionHoursMax,
  archiveDays: null,
};

function missing(error: unknown): undefined {
  if (error instanceof LedgerError && error.code === "stream-not-found") return undefined;
  throw error;
}

/** Another process has just made the stream. */
function made(error: unknown): undefined {
  if (error instanceof LedgerError && error.code === "stream-exists") return undefined;
  throw error;
}

/** Problems that say themselves what to do. Any operation can answer them. */
const TELLING: ReadonlySet<string> = new Set(["store-full", "restore-pending"]);

function notRecorded(cause: unknown): LedgerError {
  if (cause instanceof LedgerError && TELLING.has(cause.code)) return cause;
  const atRisk = cause instanceof LedgerError && cause.code === "numbering-at-risk";
  const remedy = atRisk
    ? `An operator has to send POST /streams/${AUDIT_STREAM}/repair-numbering.`
    : "Try again.";
  return new LedgerError("store-unavailable", {
    detail: `The audit stream could not be written, so the request has changed nothing. ${remedy}`,
    retryAfterSeconds: atRisk ? 60 : 1,
    cause,
  });
}
