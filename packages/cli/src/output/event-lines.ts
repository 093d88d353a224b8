import type { Cli, RawEvent } from "../cli.ts";
import { type Column, drawRows, fit, widthOf } from "./table.ts";
import { clockTime, count, visible } from "./words.ts";

/**
 * Formats an event on one line, with its data as it was published, byte for byte. Only line breaks
 * between the tokens of the data become spaces. Strings in JSON cannot contain any.
 */
export function lineOf(event: RawEvent): string {
  const { sequence, publishedAt, id, key, type, time, headers } = event;
  const attributes = JSON.stringify({ sequence, publishedAt, id, key, type, time, headers });
  return `${attributes.slice(0, -1)},"data":${dataLine(event)}}`;
}

/** Says why an event has no data. */
const goneWord = ({ erased }: Pick<RawEvent, "erased">): string =>
  erased === true ? "erased" : "deleted";

export const dataLine = ({ data }: Pick<RawEvent, "data">): string =>
  data === null ? "null" : data.text.replace(/[\r\n]/g, " ");

/**
 * Prints events as they arrive: as lines of JSON, or as a table whose widths the first page
 * decides.
 */
export function createEventPrinter(cli: Cli) {
  const { out } = cli;
  let widths: readonly number[] | undefined;
  const columns: readonly Column<RawEvent>[] = [
    { title: "SEQUENCE", of: ({ sequence }) => count(sequence), align: "right" },
    { title: "PUBLISHED", of: (event) => clockTime(event.publishedAt, cli.io.now()) },
    { title: "KEY", of: ({ key }) => visible(key) },
    { title: "TYPE", of: ({ type = "-" }) => visible(type) },
    {
      title: "DATA",
      of: (event) => (event.isDeletion ? goneWord(event) : visible(dataLine(event))),
    },
  ];

  async function print(events: readonly RawEvent[]): Promise<void> {
    if (events.length === 0) return;
    if (!out.isHuman) {
      await out.text(`${events.map(lineOf).join("\n")}\n`);
      return;
    }
    const rows = events.map((event) => columns.map(({ of }) => of(event)));
    const heads = columns.map(({ title }) => out.style("dim", title));
    const isFirst = widths === undefined;
    widths = widen(rows, widths ?? columns.map(({ title }) => title.length));
    for (const [at, event] of events.entries()) {
      const row = rows[at];
      if (row && event.isDeletion) row[4] = out.style("red", goneWord(event));
      if (row) row[1] = out.style("dim", row[1] ?? "");
    }
    const shown = isFirst ? [heads, ...rows] : rows;
    await out.text(`${await drawRows(shown, columns, limit(widths))}\n`);
  }

  /** Keys and types are shown whole unless they are very long. */
  const limit = (natural: readonly number[]): number[] =>
    fit(
      columns.map((column, at) => ({ ...column, isElastic: at === 4 })),
      natural,
      out.columns,
    );
  return { print };
}

const WIDEST = [12, 16, 40, 32, Number.POSITIVE_INFINITY];

const widen = (rows: readonly (readonly string[])[], former: readonly number[]): number[] =>
  former.map((width, at) => {
    const most = Math.max(width, ...rows.map((row) => widthOf(row[at] ?? "")));
    return Math.min(WIDEST[at] ?? most, most);
  });
