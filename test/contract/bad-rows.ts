import type { ProblemCode } from "@eventledger/protocol";

/**
 * A request that is refused. Names in braces in its path and body stand for what the suite has
 * made: `{stream}`, `{sub}`, `{bad}` for a name that nothing has, and the cursors `{browse}`,
 * `{receipt}`, `{poll}`, `{foreign}` and `{foreignBrowse}`.
 */
export type BadRow = {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  /** Beside the API key; a JSON content type when absent and there is a body. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  readonly status: number;
  readonly code: ProblemCode;
  /** Of the first thing that is wrong. */
  readonly pointer?: string;
  /** The `Allow` header. */
  readonly allow?: string;
};

type Defaults = Pick<BadRow, "method" | "path" | "headers" | "status" | "code">;

/** Rows that share how they are sent and refused: name, body, and the pointer of the refusal. */
export const bodyRows = (
  defaults: Defaults,
  rows: readonly (readonly [name: string, body: string, pointer?: string])[],
): BadRow[] =>
  rows.map(([name, body, pointer]) => ({
    ...defaults,
    name,
    body,
    ...(pointer === undefined ? {} : { pointer }),
  }));

/** The same for requests without a body: name, path, and the pointer. */
export const pathRows = (
  defaults: Defaults,
  rows: readonly (readonly [name: string, path: string, pointer?: string])[],
): BadRow[] =>
  rows.map(([name, path, pointer]) => ({
    ...defaults,
    name,
    path,
    ...(pointer === undefined ? {} : { pointer }),
  }));

export const INVALID = { status: 400, code: "invalid-request" } as const;
export const MALFORMED = { status: 400, code: "malformed-json" } as const;
export const BAD_CURSOR = { status: 400, code: "invalid-cursor" } as const;
export const MEDIA_TYPE = { status: 415, code: "unsupported-media-type" } as const;
