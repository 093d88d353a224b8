import { styleText } from "node:util";

/** Prints to a terminal: one line that changes while something is starting, and lines that stay. */
export type Terminal = {
  /** Shows what the program is waiting for. On a terminal, the next line replaces it. */
  step(line: string): void;
  line(text?: string): void;
  /** Prints to standard error. */
  problem(text: string): void;
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
};

type Style = "bold" | "dim" | "green" | "red" | "yellow";

/** Uses colours and changing lines only on a terminal, and no colours when NO_COLOR is set. */
export function createTerminal(stream: NodeJS.WriteStream, errors: NodeJS.WriteStream): Terminal {
  // styleText checks the stream and NO_COLOR itself.
  const style = (format: Style, on: NodeJS.WriteStream) => (text: string) =>
    styleText(format, text, { stream: on });
  const clear = () => {
    if (stream.isTTY) stream.write("\r\u001b[2K");
  };
  return {
    step: (text) => {
      if (!stream.isTTY) return;
      clear();
      stream.write(style("dim", stream)(`${text} ...`));
    },
    line: (text = "") => {
      clear();
      stream.write(`${text}\n`);
    },
    problem: (text) => {
      clear();
      errors.write(`${style("red", errors)("error")} ${text}\n`);
    },
    bold: style("bold", stream),
    dim: style("dim", stream),
    green: style("green", stream),
  };
}
