import type { ProblemCode } from "@eventledger/protocol";

/**
 * A request that is refused. Names in braces in its path and body are replaced by what the suite
 * has created: `{stream}`, `{sub}`, `{bad}` for a name that does not exist, and the cursors
 * `{browse}`, `{receipt}`, `{poll}`, `{foreign}` and `{foreignBrowse}`.
 */
export type BadRow = {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  /** Headers in addition to the API key. If absent, a body is sent with a JSON content type. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  readonly status: number;
  readonly code: ProblemCode;
  /** The pointer to the first invalid part. */
  readonly pointer?: string;
  /** The value of the `Allow` header. */
  readonly allow?: string;
};

type Defaults = Pick<BadRow, "method" | "path" | "headers" | "status" | "code">;

/**
 * Returns rows that share how they are sent and refused. Each has a name, a body and the pointer of
 * the refusal.
 */
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

/** Returns such rows for requests without a body. Each has a name, a path and the pointer. */
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
