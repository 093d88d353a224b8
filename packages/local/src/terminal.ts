import { styleText } from "node:util";

/** Prints for a person: one line that changes while something is starting, and lines that stay. */
export type Terminal = {
  /**
   * Shows what the program is waiting for. The next line replaces it when the output is a terminal.
   */
  step(line: string): void;
  line(text?: string): void;
  /** To the error stream. */
  problem(text: string): void;
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
};

type Style = "bold" | "dim" | "green" | "red" | "yellow";

/** Colours and moving lines only on a terminal, and no colours when NO_COLOR asks for none. */
export function createTerminal(stream: NodeJS.WriteStream, errors: NodeJS.WriteStream): Terminal {
  // styleText looks at the stream and at NO_COLOR itself.
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
