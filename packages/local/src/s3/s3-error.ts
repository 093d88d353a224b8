/** An error answer of S3, with its code and HTTP status. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message = code,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

export const notImplemented = (what: string): S3Error =>
  new S3Error(501, "NotImplemented", `The local S3 server does not support ${what}.`);

export const accessDenied = (why = "Access Denied"): S3Error =>
  new S3Error(403, "AccessDenied", why);
