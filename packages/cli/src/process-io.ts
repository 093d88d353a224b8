import { BrokenPipe, type Input, Interrupted, type Io, type Writer } from "./io.ts";

const SAME_SIGNAL_MS = 500;

/** The streams, environment and signals of this process. */
export function processIo(process: NodeJS.Process): Io {
  const interrupt = new AbortController();
  let interruptedAt = 0;
  process.on("SIGINT", () => {
    // A second Ctrl-C does not wait for the request in flight. npx passes the first one on.
    if (!interrupt.signal.aborted) interruptedAt = Date.now();
    else if (Date.now() - interruptedAt > SAME_SIGNAL_MS) process.exit(130);
    interrupt.abort(new Interrupted());
  });
  const input: Input = Object.assign(
    { [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator]() },
    { isTTY: process.stdin.isTTY === true },
  );
  return {
    stdin: input,
    stdout: writerTo(process.stdout),
    stderr: writerTo(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    now: () => Date.now(),
    signal: interrupt.signal,
  };
}

function writerTo(stream: NodeJS.WriteStream): Writer {
  // Each write reports its own error. Without a listener, an error would end the process.
  stream.on("error", () => {});
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80;
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          if (error) reject(new BrokenPipe(error.message));
          else resolve();
        });
      }),
  };
}
