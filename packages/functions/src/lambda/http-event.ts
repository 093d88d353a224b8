/**
 * The event that an HTTP API or a Function URL passes to a function for a request (payload format
 * 2.0).
 */
export type HttpEvent = {
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: {
    readonly domainName: string;
    readonly http: { readonly method: string };
  };
};

/** The beginning of an answer, in the form in which Lambda takes it. */
export type HttpHead = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Each `Set-Cookie` header, because `headers` has one value for a name. */
  readonly cookies?: readonly string[];
};

/** The result that the function returns. */
export type HttpResult = HttpHead & {
  readonly body: string;
  readonly isBase64Encoded: boolean;
};

/** Returns the beginning of an answer. */
export function headOf({ status, headers }: Response): HttpHead {
  const { "set-cookie": _, ...single } = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  return { statusCode: status, headers: single, ...(cookies.length > 0 ? { cookies } : {}) };
}
