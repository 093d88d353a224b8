import { styleText } from "node:util";
import type { Io, Writer } from "../io.ts";
import { type Column, renderTable } from "./table.ts";

type Style = Parameters<typeof styleText>[0];

/** The printer of a command. Data goes to standard output, everything else to standard error. */
export type Output = {
  /** True on a terminal, or with --no-json: tables and sentences. False: JSON. */
  readonly isHuman: boolean;
  /** The width that a table may have. */
  readonly columns: number;
  /** Prints one thing: a JSON document, or text for people. */
  document(value: unknown, human: () => string): Promise<void>;
  /**
   * Prints a list: one line of JSON per item, or a table. People read `empty` when there is no
   * item.
   */
  list<T>(items: AsyncIterable<T> | Iterable<T>, table: TableOf<T>): Promise<number>;
  /** Prints a text unchanged. */
  text(text: string): Promise<void>;
  /** Suggests the next step. Only for people. */
  hint(text: string): Promise<void>;
  /**
   * Shows progress on a line that the next one replaces, at most ten times a second. Undefined
   * removes the line.
   */
  progress(text: string | undefined): Promise<void>;
  /** Prints a line on standard error, for people and logs. */
  note(text: string): Promise<void>;
  style(style: Style, text: string): string;
};

export type TableOf<T> = {
  readonly columns: readonly Column<T>[];
  readonly empty: string;
};

const PROGRESS_EVERY_MS = 100;

export function createOutput(io: Io, json: boolean | undefined): Output {
  const { stdout, stderr, env } = io;
  const isHuman = json === undefined ? stdout.isTTY : !json;
  const hasColours = (writer: Writer) => colours(writer, env);
  const style = (format: Style, text: string) =>
    isHuman && hasColours(stdout) ? styleText(format, text, { validateStream: false }) : text;
  const dim = (text: string) =>
    hasColours(stderr) ? styleText("dim", text, { validateStream: false }) : text;
  let hasProgress = false;
  let progressAt = 0;

  const clear = async () => {
    if (hasProgress) await stderr.write("\r\u001b[2K");
    hasProgress = false;
  };
  const print = async (text: string) => {
    await clear();
    await stdout.write(text);
  };
  return {
    isHuman,
    columns: stdout.isTTY ? stdout.columns : 120,
    style,
    text: print,
    async document(value, human) {
      if (isHuman) await print(ensureLine(human()));
      else await print(`${JSON.stringify(value, undefined, stdout.isTTY ? 2 : undefined)}\n`);
    },
    async list(items, { columns, empty }) {
      if (!isHuman) {
        let listed = 0;
        for await (const item of items) {
          listed += 1;
          await print(`${JSON.stringify(item)}\n`);
        }
        return listed;
      }
      const all = await collect(items);
      if (all.length === 0) await print(`${empty}\n`);
      else {
        const width = stdout.isTTY ? stdout.columns : 120;
        await print(`${await renderTable(all, { columns, width, style })}\n`);
      }
      return all.length;
    },
    async hint(text) {
      if (!isHuman || !stderr.isTTY) return;
      await clear();
      await stderr.write(`${dim(`next   ${text}`)}\n`);
    },
    async note(text) {
      await clear();
      await stderr.write(ensureLine(text));
    },
    async progress(text) {
      if (!stderr.isTTY) return;
      if (text === undefined) return await clear();
      const now = io.now();
      if (now - progressAt < PROGRESS_EVERY_MS) return;
      progressAt = now;
      await clear();
      // A line that wraps could not be removed, so it is cut.
      await stderr.write(text.slice(0, stderr.columns - 1));
      hasProgress = true;
    },
  };
}

async function collect<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/**
 * Decides about colours. NO_COLOR and FORCE_COLOR have the meaning that https://no-color.org and
 * Node define.
 */
function colours({ isTTY }: Writer, env: Io["env"]): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return isTTY && env.TERM !== "dumb";
}

export const errorStyle = (io: Pick<Io, "stderr" | "env">, style: Style, text: string): string =>
  colours(io.stderr, io.env) ? styleText(style, text, { validateStream: false }) : text;

const ensureLine = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);
