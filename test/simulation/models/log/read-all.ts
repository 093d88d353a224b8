import { cutPage } from "../../../../packages/core/src/log/read/page-cut.ts";
import type { Entry } from "../../../../packages/core/src/log/read/read-run.ts";
import { edgeAt, type Position } from "../../../../packages/core/src/model/position.ts";
import type { SeededRandom } from "../../dynamodb/seeded-random.ts";
import type { LogProcess } from "./simulated-log.ts";

const PAGE_BYTES = 5 * 1_024 * 1_024;

/**
 * Reads a stream to its end in pages of random sizes, some of them cut short. Checks that each
 * partition's part of a page is contiguous and begins where the previous page ended. Throws
 * otherwise.
 */
export async function readAll(
  { log, load }: Pick<LogProcess, "log" | "load">,
  random: SeededRandom,
  from?: readonly Position[],
  onPage: (cursor: readonly Position[]) => void = () => {},
): Promise<Entry[]> {
  const { life, partitions } = await load();
  let positions = from ?? Array.from({ length: partitions }, () => edgeAt(1));
  let nextPartition = 0;
  const read: Entry[] = [];
  for (;;) {
    const room = { events: random.pick([1, 2, 7, 100, 1_000]), bytes: PAGE_BYTES };
    const full = await log.read(life, positions, { room, nextPartition });
    const page = random.chance(0.2) ? cutPage(full, random.between(0, full.entries.length)) : full;
    assertContiguous(page.entries, positions, page.runs);
    for (const entry of page.entries) read.push(entry);
    positions = page.runs.map(({ position }) => position);
    nextPartition = page.nextPartition;
    onPage(positions);
    if (page.runs.every(({ atEnd }) => atEnd)) return read;
  }
}

function assertContiguous(
  entries: readonly Entry[],
  before: readonly Position[],
  after: readonly { readonly position: Position }[],
): void {
  const next = before.map((position) => position.next);
  for (const { event, partition } of entries) {
    if (event.sequence !== next[partition]) {
      throw new Error(`P${partition} has ${event.sequence} where ${next[partition]} belongs`);
    }
    next[partition] = event.sequence + 1;
  }
  for (const [partition, { position }] of after.entries()) {
    if (position.next !== next[partition]) {
      throw new Error(`P${partition} goes on at ${position.next} after ${next[partition]}`);
    }
  }
}

/**
 * Reads while others publish, and to the end once `isDone` returns true. Returns what it read and
 * the cursors along the way. Reading can continue from each of them.
 */
export async function follow(
  reader: Pick<LogProcess, "log" | "load" | "process">,
  random: SeededRandom,
  isDone: () => boolean,
): Promise<{ entries: Entry[]; cursors: (readonly Position[])[] }> {
  const { partitions } = await reader.load();
  const cursors: (readonly Position[])[] = [Array.from({ length: partitions }, () => edgeAt(1))];
  const entries: Entry[] = [];
  for (;;) {
    const last = isDone();
    const read = await readAll(reader, random, cursors.at(-1), (cursor) => cursors.push(cursor));
    for (const entry of read) entries.push(entry);
    if (last) return { entries, cursors };
    await reader.process.clock.sleep(random.between(0, 30));
  }
}
