/** The inputs and outputs of a command. Tests pass their own. */
export type Io = {
  readonly stdin: Input;
  readonly stdout: Writer;
  readonly stderr: Writer;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Aborted with `Interrupted` at Ctrl-C. */
  readonly signal: AbortSignal;
};

export type Input = AsyncIterable<Uint8Array> & { readonly isTTY: boolean };

export type Writer = {
  readonly isTTY: boolean;
  /** The width of the terminal. */
  readonly columns: number;
  /**
   * Resolves once the text is passed on. Rejects with `BrokenPipe` if the reader has closed the
   * pipe.
   */
  write(text: string): Promise<void>;
};

/** The reader of standard output has closed the pipe, as `head` does. The command ends with 0. */
export class BrokenPipe extends Error {
  override name = "BrokenPipe";
}

/** Ctrl-C. The command ends with 130. */
export class Interrupted extends Error {
  override name = "Interrupted";

  constructor() {
    super("Interrupted.");
  }
}

/**
 * A command was called incorrectly. It ends with 2. `help` is the command whose help explains it.
 */
export class UsageError extends Error {
  override name = "UsageError";
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}

/** A command that could not do what was asked. It ends with `exitCode`, 1 by default. */
export class Failure extends Error {
  override name = "Failure";
  readonly help: string | undefined;
  readonly exitCode: number;

  constructor(message: string, { help, exitCode = 1 }: { help?: string; exitCode?: number } = {}) {
    super(message);
    this.help = help;
    this.exitCode = exitCode;
  }
}
