import { parseAccept } from "hono/utils/accept";

/** The formats of a page of events. */
export type PageFormat = "native" | "cloudevents";

export const PAGE_MEDIA_TYPES = {
  native: "application/json",
  cloudevents: "application/cloudevents-batch+json",
} as const satisfies Readonly<Record<PageFormat, string>>;

type Wish = { readonly q: number; readonly specificity: number };

/**
 * Chooses the format that an Accept header asks for. The header must prefer CloudEvents to native
 * JSON: by a higher `q`, or at the same `q` by naming CloudEvents while only a wildcard covers
 * native JSON. A header that allows neither gets native JSON rather than a 406.
 */
export function chooseFormat(accept: string | undefined): PageFormat {
  const native = wishFor(PAGE_MEDIA_TYPES.native, accept);
  const cloudevents = wishFor(PAGE_MEDIA_TYPES.cloudevents, accept);
  const more = cloudevents.q - native.q || cloudevents.specificity - native.specificity;
  return cloudevents.q > 0 && more > 0 ? "cloudevents" : "native";
}

/**
 * Returns whether an Accept header asks for an event stream. It must name the type, and must not
 * prefer a page. Browsers send exactly this from `EventSource`.
 */
export function wantsEventStream(accept: string | undefined): boolean {
  const stream = wishFor("text/event-stream", accept);
  const pages = [PAGE_MEDIA_TYPES.native, PAGE_MEDIA_TYPES.cloudevents].map((type) =>
    wishFor(type, accept),
  );
  const isNamed = stream.q > 0 && stream.specificity === 3;
  return isNamed && pages.every(({ q, specificity }) => q < stream.q || specificity < 3);
}

/** Returns whether an Accept header prefers CSV to JSON. */
export const wantsCsv = (accept: string | undefined): boolean => {
  const csv = wishFor("text/csv", accept);
  return csv.specificity === 3 && csv.q > 0 && csv.q >= wishFor("application/json", accept).q;
};

/**
 * Returns how strongly an Accept header wants a type: the `q` of the most specific range that
 * covers it (RFC 9110, 12.5.1).
 */
function wishFor(type: string, accept = ""): Wish {
  const ranges = [type, `${type.split("/", 1)[0]}/*`, "*/*"];
  return parseAccept(accept)
    .map((range) => ({ q: range.q, specificity: 3 - ranges.indexOf(range.type.toLowerCase()) }))
    .filter(({ specificity }) => specificity <= 3)
    .reduce((best, wish) => (wish.specificity > best.specificity ? wish : best), {
      q: 0,
      specificity: 0,
    });
}
