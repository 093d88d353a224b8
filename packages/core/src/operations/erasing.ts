import {
  type CreateErasure,
  type Erasure,
  type ErasureCheck,
  type ErasureList,
  LIMITS,
} from "@eventledger/protocol";
import { formatListCursor, type ListOf } from "../cursor/list-cursor.ts";
import { findFollowers } from "../erasure/followers.ts";
import { earliestEnd, runErasure } from "../erasure/run-erasure.ts";
import { type ErasureCheckPlace, verifyErasure } from "../erasure/verify-erasure.ts";
import { ageMs, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { bareName, ownerOf, type Tenant } from "../model/names.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { ErasureRow } from "../table/erasure.entity.ts";
import type { Parts } from "./parts.ts";

/** The time for the work of a request. The request must be answered within 30 s. */
const REQUEST_BUDGET_MS = 8_000;
const VERIFY_BUDGET_MS = 15_000;

type Page = { readonly limit: number; readonly cursor?: string | undefined };

/** Erases what a key has, and proves it. */
export function erasureOperations(parts: Parts) {
  const { table, streams, subscriptions, cursors, clock, random, objects } = parts;

  const load = async (stream: LiveStream, id: string): Promise<ErasureRow> => {
    const row = await table.erasures.load(stream.life, id);
    if (row === undefined) throw erasureNotFound();
    return row;
  };

  /** Describes an erasure. The stream may have got other partitions in the meantime. */
  const describe = (tenant: Tenant, name: string, id: string): Promise<Erasure> =>
    streams.useNow(tenant, name, async (stream) => {
      const row = await load(stream, id);
      const followers = await findFollowers({ table, subscriptions }, stream, row);
      return { ...toSummary(stream, row), subscriptions: followers };
    });

  return {
    /**
     * Begins an erasure, and works on it for a few seconds. It is durable before the work begins,
     * and the sweeps finish it. So an error of the work is theirs to report.
     */
    async createErasure(tenant: Tenant, name: string, asked: CreateErasure): Promise<Erasure> {
      const stream = await streams.load(tenant, name);
      const open = await table.erasures.listOpenOf(stream.life, LIMITS.erasuresOpenMax);
      if (open.length >= LIMITS.erasuresOpenMax) throw tooManyErasures();
      const nowMs = clock.now();
      const suffix = Buffer.from(random.bytes(RANDOM_BYTES)).toString("hex");
      const row: ErasureRow = {
        life: stream.life,
        id: `${nowMs.toString(16).padStart(TIME_CHARS, "0")}${suffix}`,
        name: stream.name,
        uid: stream.uid,
        key: asked.key,
        reason: asked.reason,
        createdAt: nowMs,
        phase: "announce",
        chain: 0,
        at: 0,
        version: 0,
      };
      await table.erasures.create(row);
      const limits = { budgetMs: REQUEST_BUDGET_MS, isSweep: false };
      await runErasure(parts, stream, row, limits).catch(() => {});
      return describe(tenant, name, row.id);
    },

    /** Returns an erasure, and which subscriptions have passed its tombstone. */
    getErasure: describe,

    /** Lists the erasures of a stream, the oldest first. */
    async listErasures(
      tenant: Tenant,
      name: string,
      { limit, cursor }: Page,
    ): Promise<ErasureList> {
      const stream = await streams.load(tenant, name);
      const list: ListOf = `erasures ${stream.uid}`;
      const after = cursor === undefined ? undefined : cursors.parseListed(list, cursor);
      const { erasures, more } = await table.erasures.loadPage(stream.life, after, limit);
      const last = erasures.at(-1);
      return {
        erasures: erasures.map((row) => toSummary(stream, row)),
        cursor: more && last !== undefined ? formatListCursor(list, last.id) : null,
      };
    },

    /** Looks for what an erasure should have taken away. See `verifyErasure`. */
    async verifyErasure(
      tenant: Tenant,
      name: string,
      id: string,
      cursor: string | undefined,
    ): Promise<ErasureCheck> {
      const stream = await streams.load(tenant, name);
      const row = await load(stream, id);
      const list: ListOf = `erased ${id}`;
      const from = cursor === undefined ? START : placeOf(cursors.parseListed(list, cursor));
      const began = takeStamp(clock);
      const mayGoOn = () => ageMs(clock, began) < VERIFY_BUDGET_MS;
      const { place, found, ...counts } = await verifyErasure(
        { table, objects },
        stream,
        row,
        from,
        mayGoOn,
      );
      const next = place && formatListCursor(list, `${place.chain}.${place.tier}.${place.at}`);
      return { ...counts, found: found ?? null, cursor: next ?? null };
    },

    /**
     * Carries on every erasure that is not done. Returns the errors of those that failed. To wait
     * for the end of a lock is no failure.
     */
    async sweepErasures({ budgetMs }: { budgetMs: number }): Promise<unknown[]> {
      const failures: unknown[] = [];
      const began = takeStamp(clock);
      for (const open of await table.erasures.listOpen()) {
        const leftMs = budgetMs - ageMs(clock, began);
        if (leftMs <= 0) break;
        try {
          const stream = await findStream(open);
          const row = await table.erasures.load(open.life, open.id);
          if (stream === undefined || row === undefined) await table.erasures.close(open);
          else await runErasure(parts, stream, row, { budgetMs: leftMs, isSweep: true });
        } catch (error) {
          failures.push(error);
        }
      }
      return failures;
    },
  };

  /** Returns the stream of an erasure, or undefined if that life of it has ended. */
  async function findStream({ name, uid }: Pick<ErasureRow, "name" | "uid">) {
    try {
      const stream = await streams.load(ownerOf(name), bareName(name));
      return stream.uid === uid ? stream : undefined;
    } catch (error) {
      if (error instanceof LedgerError && error.code === "stream-not-found") return undefined;
      throw error;
    }
  }
}

const TIME_CHARS = 12;
const RANDOM_BYTES = 6;
const START: ErasureCheckPlace = { chain: 0, tier: "table", at: 0 };

function placeOf(text: string): ErasureCheckPlace {
  const [chain = "", tier, at = ""] = text.split(".");
  return {
    chain: Number(chain) || 0,
    tier: tier === "archive" ? tier : "table",
    at: Number(at) || 0,
  };
}

const toSummary = (stream: LiveStream, row: ErasureRow) => {
  const { id, key, reason, phase, createdAt, doneAt, tombstone } = row;
  const end = earliestEnd(stream, row);
  return {
    id,
    key,
    reason,
    status: statusOf(phase),
    createdAt: new Date(createdAt).toISOString(),
    ...(tombstone === undefined ? {} : { sequence: tombstone }),
    ...(end === undefined ? {} : { doneFrom: new Date(end).toISOString() }),
    ...(doneAt === undefined ? {} : { doneAt: new Date(doneAt).toISOString() }),
  };
};

function statusOf(phase: ErasureRow["phase"]): Erasure["status"] {
  if (phase === "announce") return "accepted";
  return phase === "done" ? "done" : "erasing";
}

const erasureNotFound = (): LedgerError =>
  new LedgerError("erasure-not-found", { detail: "The stream has no erasure with this id." });

const tooManyErasures = (): LedgerError =>
  new LedgerError("too-many-erasures", {
    detail: `${LIMITS.erasuresOpenMax} erasures of the stream are not done. Wait until one is.`,
    retryAfterSeconds: 3_600,
  });
