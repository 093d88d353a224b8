/** Writes an entry to the function's log as one line of JSON. */
export function logLine(line: Readonly<Record<string, unknown>>): void {
  writeLine(JSON.stringify({ timestamp: new Date().toISOString(), ...line }));
}

/** Describes an error for the log, without anything that a client sent. */
export const describeError = (error: unknown): object =>
  error instanceof Error
    ? {
        error: error.name,
        message: error.message,
        cause: error.cause === undefined ? undefined : describeCause(error.cause),
        stack: error.stack,
      }
    : { error: String(error) };

/**
 * Names the AWS error inside an error of ElectroDB, because that name shows an operator what to do.
 */
const describeCause = (cause: unknown): string =>
  cause instanceof Error && cause.cause instanceof Error
    ? `${cause} (${cause.cause.name})`
    : String(cause);

/**
 * Writes past `console`, because Lambda wraps the output of `console`, and CloudWatch would not
 * find the metrics in it.
 */
export function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
