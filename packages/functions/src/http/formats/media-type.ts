import { LedgerError } from "@eventledger/core";

export type MediaType = {
  /** `type/subtype` in lower case, without parameters. */
  readonly essence: string;
  /** The `charset` parameter in lower case. */
  readonly charset: string | undefined;
};

/** The media type of one JSON value per line. */
export const NDJSON = "application/x-ndjson";

/** The media types that a publish accepts, as the value of an `Accept-Post` header. */
export const ACCEPTED_MEDIA_TYPES = [
  "application/json",
  NDJSON,
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
] as const;

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const ESSENCE = new RegExp(`^${TOKEN}/${TOKEN}$`);
const CHARSET = new RegExp(`;[ \\t]*charset[ \\t]*=[ \\t]*(?:"([^"]*)"|(${TOKEN}))`, "i");

/**
 * Parses a Content-Type header. Returns undefined when the header is missing or contains no media
 * type.
 */
export function parseMediaType(contentType: string | undefined): MediaType | undefined {
  const essence = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (contentType === undefined || !ESSENCE.test(essence)) return undefined;
  const charset = CHARSET.exec(contentType);
  return { essence, charset: (charset?.[1] ?? charset?.[2])?.toLowerCase() };
}

/** True for `application/json`, `text/json` and every type that ends in `+json`. */
export const isJson = ({ essence }: MediaType): boolean => /[/+]json$/.test(essence);

export const isUtf8 = ({ charset }: MediaType): boolean =>
  charset === undefined || charset === "utf-8" || charset === "utf8";

/** Returns a `415` that lists the accepted media types. */
export const unsupportedMediaType = (reason: string): LedgerError =>
  new LedgerError("unsupported-media-type", {
    detail:
      `${reason} Send ${ACCEPTED_MEDIA_TYPES.join(", ")} in UTF-8, ` +
      "or any type as a binary-mode CloudEvent with ce-* headers.",
    facts: { accepted: ACCEPTED_MEDIA_TYPES.join(", ") },
  });

/** Throws `415` when the media type declares a charset other than UTF-8. */
export function assertUtf8(mediaType: MediaType): void {
  if (isUtf8(mediaType)) return;
  throw unsupportedMediaType(`The charset ${mediaType.charset} is not accepted.`);
}
