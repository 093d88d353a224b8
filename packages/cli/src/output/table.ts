import type { styleText } from "node:util";
import { stripVTControlCharacters } from "node:util";

type Style = Parameters<typeof styleText>[0];
type StyleWith = (style: Style, text: string) => string;

export type Column<T> = {
  readonly title: string;
  readonly of: (item: T) => string;
  readonly align?: "right";
  /** The column becomes narrower when the table is wider than the terminal. */
  readonly isElastic?: boolean;
  readonly style?: (item: T) => Style | undefined;
};

type Look = { readonly width: number; readonly style: StyleWith };

const GAP = 2;
const ELASTIC_MIN = 8;

/**
 * Prints a table without borders. Columns are as wide as their widest cell, if the terminal is wide
 * enough.
 */
export async function renderTable<T>(
  items: readonly T[],
  { columns, ...look }: Look & { readonly columns: readonly Column<T>[] },
): Promise<string> {
  const cells = items.map((item) => columns.map(({ of }) => of(item)));
  const heads = columns.map(({ title }) => title);
  const widths = fit(
    columns,
    heads.map((_, at) => Math.max(...[heads, ...cells].map((row) => widthOf(row[at] ?? "")))),
    look.width,
  );
  const styled = items.map((item, row) =>
    columns.map(({ style }, at) => {
      const chosen = style?.(item);
      const text = cells[row]?.[at] ?? "";
      return chosen === undefined ? text : look.style(chosen, text);
    }),
  );
  return drawRows([heads.map((head) => look.style("dim", head)), ...styled], columns, widths);
}

/** Prints the first rows of a table that may get more. They decide the widths. */
export async function drawRows<T>(
  rows: readonly (readonly string[])[],
  columns: readonly Column<T>[],
  widths: readonly number[],
): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
    colWidths: widths.map((width) => width + GAP),
    colAligns: columns.map(({ align }) => align ?? "left"),
  });
  for (const row of rows) {
    // The gap belongs to the cell, so that a right-aligned column does not touch the next one.
    table.push(
      row.map((cell, at) => (columns[at]?.align === "right" ? `${cell}${" ".repeat(GAP)}` : cell)),
    );
  }
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Makes the elastic columns narrower until the table fits. */
export function fit<T>(
  columns: readonly Column<T>[],
  natural: readonly number[],
  width: number,
): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, each) => sum + each + GAP, -GAP);
  for (const [at, { isElastic }] of columns.entries()) {
    const own = widths[at] ?? 0;
    const over = total() - width;
    if (isElastic && over > 0) widths[at] = Math.max(Math.min(own, ELASTIC_MIN), own - over);
  }
  return widths;
}

/** Returns how many columns a text takes on a terminal. Wide characters take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of SEGMENTS.segment(stripVTControlCharacters(text))) {
    width += WIDE.test(segment) ? 2 : 1;
  }
  return width;
}

const SEGMENTS = new Intl.Segmenter("en");
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;

const NO_BORDERS = Object.fromEntries(
  [
    ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left"],
    ...["bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
  ].map((name) => [name, ""]),
);
