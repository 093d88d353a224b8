import { useMemo } from "preact/hooks";
import type { Event } from "../api.ts";
import { count, counted } from "../format.ts";
import { diff, type Pair } from "../json/diff.ts";
import { linesOf, printLine } from "../json/lines.ts";
import { glimpse } from "../visible.ts";

const LINE_CHARS = 2_000;
const LINES_MAX = 3_000;

/** Shows two versions of a key side by side. */
export function Compared({ left, right }: { left: Event; right: Event }) {
  const pairs = useMemo(() => diff(printed(left), printed(right)), [left, right]);
  const changes = pairs.filter(({ same }) => !same).length;
  return (
    <>
      <p class="soft">
        {changes === 0
          ? "The data is the same."
          : `${counted(changes, "line")} ${changes === 1 ? "differs" : "differ"}.`}
      </p>
      <section class="diff" tabIndex={0} aria-label="Comparison">
        <table>
          <thead>
            <tr>
              <th>Event {count(left.sequence)}</th>
              <th>Event {count(right.sequence)}</th>
            </tr>
          </thead>
          <tbody>
            {pairs.slice(0, LINES_MAX).map((pair, index) => (
              <Row key={index} pair={pair} />
            ))}
          </tbody>
        </table>
      </section>
      {pairs.length > LINES_MAX && (
        <p class="soft">The first {count(LINES_MAX)} lines are shown.</p>
      )}
    </>
  );
}

/** A tombstone has no data. One line says so. */
const printed = ({ data }: Event): string[] =>
  data === null ? ["(no data: the key is deleted)"] : linesOf(data).map(printLine);

function Row({ pair: { left, right, same } }: { pair: Pair }) {
  const side = (text: string | undefined, mark: string, tone: string) => (
    <td class={same || text === undefined ? "" : tone}>
      {text !== undefined && `${same ? "  " : mark}${glimpse(text, LINE_CHARS)}`}
    </td>
  );
  return (
    <tr>
      {side(left, "− ", "gone")}
      {side(right, "+ ", "added")}
    </tr>
  );
}
