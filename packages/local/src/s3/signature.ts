import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { accessDenied, S3Error } from "./s3-error.ts";

/** A request as it arrived. The path and the query are not decoded. */
export type Signed = {
  readonly method: string;
  readonly path: string;
  /** The parameters in the order of the request. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string | undefined>>;
};

type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** The parts of a signature (AWS Signature Version 4). */
type Claim = {
  readonly scope: string;
  readonly at: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly payload: string;
};

const SKEW_MS = 15 * 60_000;
const URL_SECONDS_MAX = 7 * 86_400;

/** Throws an `S3Error` unless the request is signed, by its headers or in its URL. */
export function assertSigned(request: Signed, credentials: Credentials, nowMs: number): void {
  const inUrl = request.query.some(([name]) => name === "X-Amz-Signature");
  const claim = inUrl ? claimOfUrl(request, nowMs) : claimOfHeaders(request, nowMs);
  const [accessKeyId, date = "", region = "", service = ""] = claim.scope.split("/");
  if (accessKeyId !== credentials.accessKeyId) {
    throw new S3Error(403, "InvalidAccessKeyId", "The access key is unknown.");
  }
  const hmac = (key: string | Buffer, text: string) =>
    createHmac("sha256", key).update(text).digest();
  const dateKey = hmac(`AWS4${credentials.secretAccessKey}`, date);
  const key = hmac(hmac(hmac(dateKey, region), service), "aws4_request");
  const hash = createHash("sha256").update(canonical(request, claim)).digest("hex");
  const scope = claim.scope.split("/").slice(1).join("/");
  const expected = hmac(key, ["AWS4-HMAC-SHA256", claim.at, scope, hash].join("\n"));
  const given = Buffer.from(claim.signature, "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new S3Error(403, "SignatureDoesNotMatch", "The signature does not match the request.");
  }
}

function claimOfUrl({ query }: Signed, nowMs: number): Claim {
  const of = (name: string) => decodeURIComponent(query.find(([each]) => each === name)?.[1] ?? "");
  const seconds = Number(of("X-Amz-Expires"));
  const at = of("X-Amz-Date");
  if (!(seconds > 0 && seconds <= URL_SECONDS_MAX)) {
    throw new S3Error(400, "AuthorizationQueryParametersError", "X-Amz-Expires is not valid.");
  }
  if (nowMs > timeOf(at) + seconds * 1_000) throw accessDenied("Request has expired");
  return {
    scope: of("X-Amz-Credential"),
    at,
    signedHeaders: of("X-Amz-SignedHeaders"),
    signature: of("X-Amz-Signature"),
    payload: "UNSIGNED-PAYLOAD",
  };
}

function claimOfHeaders({ headers }: Signed, nowMs: number): Claim {
  const { authorization = "" } = headers;
  const of = (name: string) => new RegExp(`${name}=([^, ]+)`).exec(authorization)?.[1] ?? "";
  if (!authorization.startsWith("AWS4-HMAC-SHA256 ")) throw accessDenied();
  const at = headers["x-amz-date"] ?? "";
  if (!(Math.abs(nowMs - timeOf(at)) <= SKEW_MS)) {
    throw new S3Error(
      403,
      "RequestTimeTooSkewed",
      "The request's time differs too much from the server's.",
    );
  }
  return {
    scope: of("Credential"),
    at,
    signedHeaders: of("SignedHeaders"),
    signature: of("Signature"),
    payload: headers["x-amz-content-sha256"] ?? "",
  };
}

/** Parses a time such as `20261129T063000Z`. NaN when it is not one. */
const timeOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));

function canonical({ method, path, query, headers }: Signed, claim: Claim): string {
  const parameters = query
    .filter(([name]) => name !== "X-Amz-Signature")
    .map((parameter) => parameter.join("="))
    .sort();
  const names = claim.signedHeaders.split(";");
  const lines = names.map(
    (name) => `${name}:${(headers[name] ?? "").trim().replaceAll(/ +/g, " ")}`,
  );
  return [
    method,
    path,
    parameters.join("&"),
    ...lines,
    "",
    claim.signedHeaders,
    claim.payload,
  ].join("\n");
}
