/** The groups in which operations are listed. */
export const TAGS = {
  streams: "Ordered logs with a retention and a compacted state.",
  events: "Publishing, and reading without a subscription.",
  subscriptions: "Durable positions: poll, process, commit.",
  parking: "Keys that are set aside because an event fails.",
  push: "Sending a subscription's events to an HTTP endpoint.",
  compacted: "The current state of every key, and its upkeep.",
  erasures: "Taking the data of a key out of everything that is stored.",
  archive: "Old events as objects in a bucket.",
  keys: "API keys: who may do what.",
  usage: "What streams, keys and tenants use.",
  tenants: "Owners of streams and keys, for the admin key.",
  system: "Health and documentation.",
} as const;

export type Tag = keyof typeof TAGS;
