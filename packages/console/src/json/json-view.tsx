import { useMemo, useState } from "preact/hooks";
import { Windowed } from "../parts/windowed.tsx";
import { glimpse } from "../visible.ts";
import { type Line, linesOf } from "./lines.ts";

/** Longer values show their beginning until they are opened. */
const VALUE_MAX = 600;
/** Longer texts are shown through a window. */
const WINDOW_FROM = 400;
const ROW_HEIGHT = 20;

/** Shows a JSON text laid out for reading, with every number and string as it was sent. */
export function JsonView({ json, label }: { json: string; label: string }) {
  const lines = useMemo(() => linesOf(json), [json]);
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const shown = useMemo(() => unfolded(lines, folded), [lines, folded]);
  const toggle = (index: number) => setFolded((set) => toggled(set, index));
  const open = (index: number) => setOpened((set) => toggled(set, index));
  const row = (index: number) => (
    <Row
      key={index}
      line={lines[index] as Line}
      isFolded={folded.has(index)}
      isOpen={opened.has(index)}
      onFold={() => toggle(index)}
      onOpen={() => open(index)}
    />
  );
  if (shown.length > WINDOW_FROM && opened.size === 0) {
    return (
      <Windowed
        className="json"
        role="region"
        label={label}
        count={shown.length}
        rowHeight={ROW_HEIGHT}
        rows={(first, end) => shown.slice(first, end).map(row)}
      />
    );
  }
  return (
    <section class="json" aria-label={label} tabIndex={0}>
      {shown.map(row)}
    </section>
  );
}

function unfolded(lines: readonly Line[], folded: ReadonlySet<number>): number[] {
  const shown: number[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    shown.push(index);
    if (folded.has(index)) index = lines[index]?.closedBy ?? index;
  }
  return shown;
}

function toggled(set: ReadonlySet<number>, index: number): ReadonlySet<number> {
  const next = new Set(set);
  if (!next.delete(index)) next.add(index);
  return next;
}

type RowProps = {
  readonly line: Line;
  readonly isFolded: boolean;
  readonly isOpen: boolean;
  readonly onFold: () => void;
  readonly onOpen: () => void;
};

function Row({ line, isFolded, isOpen, onFold, onOpen }: RowProps) {
  const { depth, name, kind, text, comma, size = 0 } = line;
  const isLong = text.length > VALUE_MAX;
  const isPair = kind === "open";
  return (
    <div class="line" style={{ paddingLeft: `${18 + depth * 16}px` }}>
      {isPair && (
        <button
          type="button"
          class="fold"
          aria-expanded={!isFolded}
          aria-label={`${size} members`}
          onClick={onFold}
        >
          {isFolded ? "▸" : "▾"}
        </button>
      )}
      {name !== undefined && (
        <>
          <span class="json-name">{glimpse(name, VALUE_MAX)}</span>:{" "}
        </>
      )}
      <span class={`json-${kind}`}>
        {isOpen ? glimpse(text, text.length) : glimpse(text, VALUE_MAX)}
      </span>
      {isPair && isFolded && (
        <span class="soft">
          {" "}
          {size} … {text === "{" ? "}" : "]"}
        </span>
      )}
      {comma && ","}
      {isLong && (
        <button type="button" class="inline" onClick={onOpen}>
          {isOpen ? "less" : `all ${text.length.toLocaleString("en-US")} characters`}
        </button>
      )}
    </div>
  );
}
