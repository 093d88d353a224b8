import { afterSpace, afterValue, membersOf } from "./scan.ts";

/** A line of a JSON text that is laid out for reading. Names and values are as they were sent. */
export type Line = {
  readonly depth: number;
  /** With its quotes. */
  readonly name: string | undefined;
  readonly kind: "text" | "number" | "word" | "open" | "close";
  readonly text: string;
  /** Whether a comma follows. */
  readonly comma: boolean;
  /** Of an opening line: the number of its members, and the line that closes it. */
  readonly size?: number;
  closedBy?: number;
};

/** Lays out a JSON text, which must be valid. Empty objects and arrays take one line. */
export function linesOf(json: string): Line[] {
  const lines: Line[] = [];
  add(json, afterSpace(json, 0), { depth: 0, name: undefined, comma: false }, lines);
  return lines;
}

type Where = Pick<Line, "depth" | "name" | "comma">;

function add(json: string, start: number, where: Where, lines: Line[]): void {
  const first = json[start];
  if (first !== "{" && first !== "[") {
    const text = json.slice(start, afterValue(json, start));
    lines.push({ ...where, kind: kindOf(text), text });
    return;
  }
  const members = [...membersOf(json, start)];
  const closing = first === "{" ? "}" : "]";
  if (members.length === 0) {
    lines.push({ ...where, kind: "word", text: first + closing });
    return;
  }
  const { depth, comma } = where;
  const open: Line = {
    ...where,
    comma: false,
    kind: "open",
    text: first,
    size: members.length,
  };
  lines.push(open);
  for (const [index, member] of members.entries()) {
    const isLast = index === members.length - 1;
    add(json, member.start, { depth: depth + 1, name: member.name, comma: !isLast }, lines);
  }
  open.closedBy = lines.length;
  lines.push({ depth, name: undefined, kind: "close", text: closing, comma });
}

function kindOf(text: string): Line["kind"] {
  if (text.startsWith('"')) return "text";
  return /^[-\d]/.test(text) ? "number" : "word";
}

/** Prints the line as text, for comparing and copying. */
export const printLine = ({ depth, name, text, comma }: Line): string =>
  `${"  ".repeat(depth)}${name === undefined ? "" : `${name}: `}${text}${comma ? "," : ""}`;
