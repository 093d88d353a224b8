import {
  type CreateExport,
  type Export,
  type ExportList,
  LIMITS,
  type RangePlace,
} from "@eventledger/protocol";
import { createCursors } from "../cursor/cursor.ts";
import { formatListCursor, type ListOf } from "../cursor/list-cursor.ts";
import { partName } from "../export/part-plan.ts";
import { removeExport } from "../export/remove-export.ts";
import { type ExportSource, runExport } from "../export/run-export.ts";
import { ageMs, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import type { Partitioned } from "../model/epochs.ts";
import { bareName, lifeText, objectsOf, ownerOf, type Tenant } from "../model/names.ts";
import { noObjects } from "../objects/no-objects.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { ExportRow } from "../table/export.entity.ts";
import { browseOperations } from "./browsing.ts";
import { compactedOperations } from "./compacted.ts";
import type { Parts } from "./parts.ts";
import { createPlaces, queryText } from "./places.ts";

/** The time for the work of a request. The request must be answered within 30 s. */
const REQUEST_BUDGET_MS = 8_000;
const ENDS_AFTER_MS = LIMITS.exportDays * DAY_MS;
const URL_SECONDS = HOUR_MS / 1_000;

/**
 * Signs the positions in the rows of exports. No client can write a row. The function that
 * continues an export does not have the secrets that sign the cursors of clients.
 */
const STORED_KEY = { id: 0, secret: Buffer.from("the places in the rows of exports") };

type Page = { readonly limit: number; readonly cursor?: string | undefined };

/** Events and states as objects that clients fetch from the bucket. */
export function exportOperations(parts: Parts) {
  const { table, objects, streams, cursors, clock, random } = parts;
  const stored = createCursors([STORED_KEY]);
  const ofRows = {
    ...parts,
    cursors: stored,
    places: createPlaces({ ...parts, cursors: stored }),
  };
  const reading = { ...browseOperations(ofRows), ...compactedOperations(ofRows) };

  const until = (budgetMs: number) => {
    const began = takeStamp(clock);
    return () => ageMs(clock, began) < budgetMs;
  };

  /** Returns what an export reads: pages of the largest size, as a client would. */
  function sourceOf(
    stream: Pick<LiveStream, "name" | "partitions" | "epochs">,
    row: ExportRow,
  ): ExportSource {
    const [tenant, name] = [ownerOf(stream.name), bareName(stream.name)];
    const limit = LIMITS.pageEventsMax;
    let view: Partitioned = stream;
    return {
      stream: () => view,
      async loadPage(cursor) {
        if (row.view === "state") {
          const page = await reading.listCompacted(tenant, name, { limit, cursor });
          const { items: events, follow } = page;
          return { events, cursor: page.cursor ?? follow, follow, isLast: page.cursor === null };
        }
        const asked = { from: cursor ?? "earliest", until: row.until, limit };
        const page = await reading.browse(tenant, name, asked);
        // The page may reach into an epoch that is new.
        await streams.use(tenant, name, async (present) => {
          view = present;
        });
        const { events, caughtUp } = page;
        return { events, cursor: page.cursor, follow: page.cursor, isLast: caughtUp };
      },
    };
  }

  const load = async (stream: LiveStream, id: string): Promise<ExportRow> => {
    const row = await table.exports.load(stream.life, id);
    if (row === undefined || row.endsAt <= clock.now()) throw exportNotFound();
    return row;
  };

  /** Returns the ids of the exports that have not ended, and the number of those that have. */
  const idsOf = async ({ life }: LiveStream) => {
    const [present, now] = [await table.exports.idsOf(life), clock.now()];
    const live = present.filter(({ endsAt }) => endsAt > now).map(({ id }) => id);
    return { live, ended: present.length - live.length };
  };

  const go = async (stream: LiveStream, row: ExportRow): Promise<ExportRow> => {
    const mayGoOn = until(REQUEST_BUDGET_MS);
    const now = await runExport({ table, objects }, row, sourceOf(stream, row), mayGoOn);
    if (now === undefined) throw exportNotFound();
    return now;
  };

  const toSummary = (row: ExportRow) => {
    const sum = (of: (part: ExportRow["parts"][number]) => number) =>
      row.parts.reduce((total, part) => total + of(part), 0);
    const follow = row.status === "done" ? row.follow : undefined;
    return {
      id: row.id,
      view: row.view,
      status: row.status,
      createdAt: new Date(row.createdAt).toISOString(),
      expiresAt: new Date(row.endsAt).toISOString(),
      partCount: row.parts.length,
      events: sum(({ events }) => events),
      rawBytes: sum(({ rawBytes }) => rawBytes),
      bytes: sum(({ bytes }) => bytes),
      ...(follow === undefined ? {} : { follow: cursors.format(stored.parse(follow)) }),
      ...(row.problem === undefined ? {} : { problem: row.problem }),
    };
  };

  async function toView(row: ExportRow, page: Page): Promise<Export> {
    const list: ListOf = `export ${row.id}`;
    const from =
      page.cursor === undefined ? 0 : Number(cursors.parseListed(list, page.cursor)) || 0;
    const shown = row.parts.slice(from, from + page.limit);
    const prefix = objectsOf(row.name, row.uid);
    const signed = shown.map(async ({ ranges, ...part }, at) => {
      const object = partName(prefix, row, from + at, part.sha256);
      return {
        ...part,
        object,
        ranges: ranges.map(([partition, first, last]) => ({ partition, first, last })),
        url: await objects.signedUrl(object, URL_SECONDS),
      };
    });
    const next = from + shown.length;
    return {
      ...toSummary(row),
      parts: await Promise.all(signed),
      cursor: next < row.parts.length ? formatListCursor(list, String(next)) : null,
    };
  }

  return {
    /** Begins an export, and works on it for a few seconds. */
    async createExport(tenant: Tenant, name: string, asked: CreateExport): Promise<Export> {
      const stream = await streams.load(tenant, name);
      if (objects === noObjects) throw noBucket();
      const { live, ended } = await idsOf(stream);
      if (live.length >= LIMITS.exportsMax) throw tooManyExports();
      if (ended >= ENDED_MAX) throw tooManyEnded();
      const place = asked.view === "state" ? {} : await resolve(tenant, stream, asked);
      const now = clock.now();
      const row: ExportRow = {
        life: stream.life,
        id: Buffer.from(random.bytes(ID_BYTES)).toString("hex"),
        name: stream.name,
        uid: stream.uid,
        view: asked.view,
        status: "running",
        createdAt: now,
        endsAt: now + ENDS_AFTER_MS,
        parts: [],
        version: 0,
        ...place,
      };
      await table.exports.create(row);
      return toView(await go(stream, row), { limit: LIMITS.listDefault });
    },

    /** Continues an export for a few seconds, and returns a page of its parts. */
    async getExport(tenant: Tenant, name: string, id: string, page: Page): Promise<Export> {
      const stream = await streams.load(tenant, name);
      return toView(await go(stream, await load(stream, id)), page);
    },

    /** Returns the exports of a stream, without their parts. */
    async listExports(tenant: Tenant, name: string): Promise<ExportList> {
      const stream = await streams.load(tenant, name);
      const { live: ids } = await idsOf(stream);
      const rows = await Promise.all(ids.map((id) => table.exports.load(stream.life, id)));
      const live = rows.flatMap((row) =>
        row === undefined || row.endsAt <= clock.now() ? [] : [toSummary(row)],
      );
      return { exports: live.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1)) };
    },

    /** Ends an export now. The next sweep removes its objects. */
    async deleteExport(tenant: Tenant, name: string, id: string): Promise<void> {
      const stream = await streams.load(tenant, name);
      for (;;) {
        const row = await table.exports.load(stream.life, id);
        if (row === undefined || row.endsAt <= clock.now()) return;
        if (await table.exports.change(row, { status: "failed", endsAt: clock.now() })) return;
      }
    },

    /**
     * Continues every export, and removes those that have ended or whose stream is gone. Returns
     * the errors of those that failed.
     */
    async sweepExports({ budgetMs }: { budgetMs: number }): Promise<unknown[]> {
      if (objects === noObjects) return [];
      const mayGoOn = until(budgetMs);
      const failures: unknown[] = [];
      for (const row of await table.exports.list()) {
        if (!mayGoOn()) break;
        try {
          const stream = await table.streams.load(row.name);
          const isLive = stream?.uid === row.uid && stream.status === "live";
          if (!isLive || row.endsAt <= clock.now()) await removeExport({ table, objects }, row);
          else await runExport({ table, objects }, row, sourceOf(stream, row), mayGoOn);
        } catch (error) {
          failures.push(error);
        }
      }
      return failures;
    },
  };

  /** Resolves the places of a request now, so that later parts read the same range. */
  async function resolve(
    tenant: Tenant,
    stream: LiveStream,
    { from, to = "latest" }: CreateExport,
  ) {
    const until =
      to === "latest" ? await endOf(tenant, stream) : await placeOf(tenant, stream, to, "/to");
    return from === undefined
      ? { until }
      : { until, cursor: await placeOf(tenant, stream, from, "/from") };
  }

  /** Returns a place as the row keeps it. Throws when it is not a place of this stream. */
  async function placeOf(
    tenant: Tenant,
    stream: LiveStream,
    asked: RangePlace,
    pointer: string,
  ): Promise<string> {
    const text = queryText(asked);
    const place = await parts.places.ofQuery(stream, text, { pointer, ahead: pointer === "/to" });
    if (typeof place === "string" || "timeMs" in place) return text;
    if ("cursor" in place) return stored.format(place.cursor);
    const positions = await streams.follow(tenant, stream, (now) => parts.log.seek(now, place));
    return stored.format({ life: lifeText(stream), positions, nextPartition: 0 });
  }

  async function endOf(tenant: Tenant, stream: LiveStream): Promise<string> {
    const end = await reading.browse(tenant, bareName(stream.name), { from: "latest", limit: 1 });
    return end.cursor;
  }
}

const ID_BYTES = 9;
/** Ended exports keep their objects until the next sweep, so their number has a limit too. */
const ENDED_MAX = 90;

const exportNotFound = (): LedgerError =>
  new LedgerError("export-not-found", {
    detail: "The stream has no export with this id. Exports are removed after 3 days.",
  });

const tooManyExports = (): LedgerError =>
  new LedgerError("too-many-exports", {
    detail: `A stream keeps at most ${LIMITS.exportsMax} exports. Delete one, or wait until one expires.`,
    retryAfterSeconds: 3_600,
  });

const tooManyEnded = (): LedgerError =>
  new LedgerError("too-many-exports", {
    detail: `The objects of ${ENDED_MAX} ended exports are not removed yet. The next sweep removes them, within the hour.`,
    retryAfterSeconds: 3_600,
  });

const noBucket = (): LedgerError =>
  new LedgerError("archive-unavailable", {
    detail: "This server has no bucket, so it cannot write exports.",
    retryAfterSeconds: 3_600,
  });
