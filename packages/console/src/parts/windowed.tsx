import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows above and below the visible ones, so that fast scrolling shows no gap. */
const SPARE = 8;

type Props = {
  readonly count: number;
  /** All rows have this height, in pixels. */
  readonly rowHeight: number;
  readonly label: string;
  /** Renders the rows from `first` up to, but not including, `end`. */
  readonly rows: (first: number, end: number) => ComponentChildren;
  readonly head?: ComponentChildren;
  /** The selected row, which is scrolled into view when it changes. -1: none. */
  readonly active?: number;
  readonly activeId?: string | undefined;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly onNearEnd?: () => void;
  /** The number of rows that were ever added at the top. The visible rows keep their place. */
  readonly added?: number;
  readonly role?: "grid" | "region";
  readonly className?: string;
};

/**
 * Shows a list of which only the visible rows exist in the page. It handles 100,000 rows as easily
 * as ten.
 */
export function Windowed(props: Props) {
  const { count, rowHeight, label, rows, head, active = -1, onNearEnd, added = 0 } = props;
  const { role = "grid" } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const read = () => setView({ top: element.scrollTop, height: element.clientHeight });
    let frame = 0;
    const onScroll = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(read);
    };
    read();
    element.addEventListener("scroll", onScroll, { passive: true });
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener("scroll", onScroll);
      observer.disconnect();
    };
  }, []);

  const formerAdded = useRef(added);
  useLayoutEffect(() => {
    const element = box.current;
    const rowsAdded = added - formerAdded.current;
    formerAdded.current = added;
    if (element !== null && rowsAdded > 0 && element.scrollTop > 0) {
      element.scrollTop += rowsAdded * rowHeight;
    }
  }, [added, rowHeight]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || active < 0) return;
    const headHeight = element.querySelector<HTMLElement>(".head")?.offsetHeight ?? 0;
    const top = active * rowHeight;
    const bottom = top + rowHeight + headHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + element.clientHeight) {
      element.scrollTop = bottom - element.clientHeight;
    }
  }, [active, rowHeight]);

  const first = Math.max(0, Math.floor(view.top / rowHeight) - SPARE);
  const end = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + SPARE);
  const isNearEnd = end >= count;
  // The new rows may still not fill the list.
  useEffect(() => {
    if (isNearEnd) onNearEnd?.();
  }, [isNearEnd, count]);

  return (
    <div
      ref={box}
      class={`windowed ${props.className ?? ""}`}
      role={role}
      aria-label={label}
      {...(role === "grid" ? { "aria-rowcount": count + 1 } : {})}
      tabIndex={0}
      {...(role === "grid" ? { "data-focus-after": "[role=grid]" } : {})}
      {...(props.activeId === undefined ? {} : { "aria-activedescendant": props.activeId })}
      onKeyDown={props.onKeyDown}
    >
      {head}
      <div
        class="spacer"
        role={role === "grid" ? "rowgroup" : "presentation"}
        style={{ height: `${count * rowHeight}px` }}
      >
        <div
          class="shown"
          role="presentation"
          style={{ transform: `translateY(${first * rowHeight}px)` }}
        >
          {rows(first, end)}
        </div>
      </div>
    </div>
  );
}
