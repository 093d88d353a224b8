/** One request, and the part of its answer that a later version must also give. */
export type Asked = {
  readonly method?: string;
  readonly path: string;
  readonly key: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Answered = { readonly status: number; readonly body: unknown };

/** Sends a request as JSON, and returns the answer unchanged. */
export async function ask(
  url: string,
  { method = "GET", path, key, body, headers = {} }: Asked,
): Promise<Answered> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}

/**
 * Returns the lasting part of an answer: without cursors, which are opaque, and without values that
 * change with time.
 */
export function lasting(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(lasting);
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) =>
      MOVING.has(name) ? [] : [[name, lasting(value)]],
    ),
  );
}

type Listed = { readonly streams?: readonly { readonly name: string }[] };

/**
 * Returns an answer without the streams that an earlier list lacks: those that were created after
 * it, and `_audit`, which the first release takes for a stream like any other.
 */
export function knownStreams(body: unknown, before: unknown): unknown {
  const names = new Set((before as Listed).streams?.map(({ name }) => name));
  const { streams } = body as Listed;
  if (streams === undefined) return body;
  return { ...(body as Listed), streams: streams.filter(({ name }) => names.has(name)) };
}

const MOVING = new Set([
  "cursor",
  "follow",
  "nextPollMs",
  "seconds",
  "watermarkLag",
  "lastUsedAt",
  // This is absent from the API until there is an archive.
  "archiveDays",
  // Scopes have since been divided. go-on.ts checks what each key may do.
  "scopes",
]);
