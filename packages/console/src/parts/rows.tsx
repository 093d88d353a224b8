import type { ComponentChildren } from "preact";

/** A column of a table. */
export type Column<T> = {
  readonly title: string;
  readonly cell: (item: T) => ComponentChildren;
  /** Aligned at the end, as numbers are. */
  readonly end?: boolean;
  /** Left out at the width of a phone. */
  readonly wideOnly?: boolean;
  /** The title is for screen readers only. */
  readonly hidesTitle?: boolean;
  /** Replaces the title where it is shown. */
  readonly head?: ComponentChildren;
  readonly className?: string;
};

type Props<T> = {
  readonly label: string;
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string | number;
  /** The first one names the item. Undefined ones are left out. */
  readonly columns: readonly (Column<T> | undefined)[];
};

/**
 * A table that scrolls sideways when it must. At the width of a phone each item is a card: its name,
 * and below it the other columns with their titles.
 */
export function Rows<T>({ label, items, keyOf, columns }: Props<T>) {
  const shown = columns.filter((column) => column !== undefined);
  return (
    <section class="table" tabIndex={0} aria-label={label}>
      <table class="rows">
        <thead>
          <tr>
            {shown.map((column) => (
              <th key={column.title} class={classOf(column)}>
                {column.head ??
                  (column.hidesTitle ? <span class="unseen">{column.title}</span> : column.title)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)}>
              {shown.map((column) => (
                <td
                  key={column.title}
                  class={classOf(column)}
                  {...(column.hidesTitle ? {} : { "data-title": column.title })}
                >
                  {column.cell(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const classOf = <T,>({ end, wideOnly, className = "" }: Column<T>): string =>
  [end && "end", wideOnly && "wide-only", className].filter(Boolean).join(" ");
