import type { PublishReceipt, PutSchemas } from "@eventledger/protocol";
import { MINUTE_MS } from "../kernel/time.ts";
import { NEVER } from "../log/append/expectation-plan.ts";
import type { IncomingEvent } from "../model/event.ts";
import { lifeText, type Tenant } from "../model/names.ts";
import { assertMatching } from "../schema/stream-schemas.ts";
import { assertCompacted } from "../snapshot/bootstrap.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { Parts } from "./parts.ts";

/**
 * A receipt has positions only for the partitions of its events. For the others it has the publish
 * time, and reading starts this much before it. A publisher whose clock is late by less than this
 * is therefore not skipped.
 */
const PUBLISHERS_APART_MS = MINUTE_MS;

type PublishOptions = {
  readonly idempotencyKey?: string | undefined;
  /** The life in which the client saw the expected sequences, if known. */
  readonly ofLife?: string | undefined;
};

/** Appends events to a stream. */
export function publishOperations({ streams, log, cursors, table }: Parts) {
  /**
   * Refuses events that are not as their schemas say. An earlier copy of the request may have been
   * written while the schemas were different. So a request whose Idempotency-Key is known passes,
   * and the log answers with what it has.
   */
  async function assertAsDeclared(
    { life }: LiveStream,
    schemas: PutSchemas,
    events: readonly IncomingEvent[],
    idempotencyKey: string | undefined,
  ): Promise<void> {
    try {
      assertMatching(schemas, events);
    } catch (error) {
      const known =
        idempotencyKey === undefined ? undefined : await table.receipts.load(life, idempotencyKey);
      if (known === undefined) throw error;
    }
  }

  return {
    /**
     * Appends events in order, all or none. `replayed` is true when an earlier request had done it,
     * or when there was nothing to do. `bytes` is the size of the events as usage counts it. In a
     * life other than `ofLife` the expectations fail.
     */
    async publish(
      tenant: Tenant,
      name: string,
      events: readonly IncomingEvent[],
      { idempotencyKey, ofLife }: PublishOptions = {},
    ): Promise<PublishReceipt & { replayed: boolean; bytes: number }> {
      return streams.use(tenant, name, async (stream) => {
        const life = lifeText(stream);
        if (events.length === 0) {
          const positions = await log.seek(stream, "latest");
          const cursor = cursors.format({ life, positions, nextPartition: 0 });
          return { events: [], cursor, life, replayed: true, bytes: 0 };
        }
        if (stream.schemas !== undefined) {
          await assertAsDeclared(stream, stream.schemas, events, idempotencyKey);
        }
        const expecting = expectInLife(stream, events, ofLife);
        const published = await log.publish(stream, expecting, idempotencyKey);
        const cursor = cursors.format({
          life,
          positions: published.positions,
          since: published.publishedAt - PUBLISHERS_APART_MS,
          nextPartition: 0,
        });
        const { replayed, bytes } = published;
        return { events: [...published.events], cursor, life, replayed, bytes };
      });
    },
  };
}

/**
 * Makes the expectations fail if the client saw the sequences in a different life. Throws
 * `not-compacted` if the stream does not keep the last event of each key.
 */
function expectInLife(
  stream: LiveStream,
  events: readonly IncomingEvent[],
  ofLife: string | undefined,
): readonly IncomingEvent[] {
  if (events.every(({ expectedSequence }) => expectedSequence === undefined)) return events;
  assertCompacted(
    stream,
    "So the last sequence of a key is not known. Publish without an expectation.",
  );
  if (ofLife === undefined || ofLife === lifeText(stream)) return events;
  return events.map((event) =>
    event.expectedSequence === undefined ? event : { ...event, expectedSequence: NEVER },
  );
}
