import { TextDecoder } from "node:util";
import { Failure } from "../io.ts";
import { EXIT } from "../output/trouble.ts";

/** A line of a file, with its number from 1. */
export type Line = { readonly number: number; readonly text: string };

/** An event takes up to 256 KiB, and its attributes and escapes can make its line longer. */
const LINE_CHARS_MAX = 2_000_000;

/**
 * Yields the lines of each chunk, so that a slow input is passed on as it arrives. Blank lines are
 * left out but counted. Memory is bounded by the longest line.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Line[], void, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let rest = "";
  const take = (text: string): Line[] =>
    text.split("\n").flatMap((each) => {
      number += 1;
      return each.trim() === "" ? [] : [{ number, text: each }];
    });
  for await (const chunk of chunks) {
    rest += decode(decoder, chunk, number);
    const end = rest.lastIndexOf("\n");
    if (end >= 0) {
      const whole = rest.slice(0, end);
      rest = rest.slice(end + 1);
      yield take(whole);
    }
    if (rest.length > LINE_CHARS_MAX) {
      throw new Failure(`Line ${number + 1} is longer than an event can be.`, {
        exitCode: EXIT.usage,
      });
    }
  }
  rest += decode(decoder, undefined, number);
  if (rest !== "") yield take(rest);
}

function decode(decoder: TextDecoder, chunk: Uint8Array | undefined, number: number): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw new Failure(`The input after line ${number} is not UTF-8.`, {
      help: "iconv -f latin1 -t utf-8 FILE",
      exitCode: EXIT.usage,
    });
  }
}
