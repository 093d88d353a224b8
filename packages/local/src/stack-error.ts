/** An error that the user can correct. The message is one line: what is wrong and what to do. */
export class StackError extends Error {
  override name = "StackError";
}

/** The Java that DynamoDB Local needs is missing, too old or does not start. */
export class JavaMissingError extends StackError {
  override name = "JavaMissingError";

  constructor(command: string) {
    super(
      `DynamoDB Local needs Java 17 or newer, and "${command}" does not run such a Java. Install Java 17 or newer,  ` +
        "or set DYNAMODB_ENDPOINT to a DynamoDB-compatible store that runs already.",
    );
  }
}

/** Returns the code of a system error such as EADDRINUSE, or "". */
export const systemCode = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";
