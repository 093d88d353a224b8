/** The log of a function, one line of JSON for each entry. */
export function logLine(line: Readonly<Record<string, unknown>>): void {
  writeLine(JSON.stringify({ timestamp: new Date().toISOString(), ...line }));
}

/** An error for a log, with everything that helps and nothing that a client has sent. */
export const describeError = (error: unknown): object =>
  error instanceof Error
    ? {
        error: error.name,
        message: error.message,
        cause: error.cause === undefined ? undefined : describeCause(error.cause),
        stack: error.stack,
      }
    : { error: String(error) };

/** ElectroDB wraps the AWS error. The name of that error tells an operator what to do. */
const describeCause = (cause: unknown): string =>
  cause instanceof Error && cause.cause instanceof Error
    ? `${cause} (${cause.cause.name})`
    : String(cause);

/** Past `console`: on Lambda that wraps what it is given, which would hide the metrics. */
export function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
