const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Every cap of the product, with its reason. Units stand last in each name; every cap is inclusive
 * (exactly the cap passes, one more is refused) and has a test on both sides of its edge.
 */
export const LIMITS = {
  /** A name is a URL segment and part of a table key. */
  nameCharsMax: 128,
  descriptionCharsMax: 512,

  /** Half of DynamoDB's 1,024-byte sort key, which holds the key of compacted state. */
  keyBytesMax: 512,
  typeBytesMax: 256,
  idBytesMax: 256,
  headersMax: 32,
  headerNameCharsMax: 64,
  headerValueBytesMax: 1 * KIB,
  /** The lowest default nesting limit among the JSON parsers in common use is 64. */
  dataDepthMax: 64,

  /** One event (its data and attributes) must fit an item of 400 KB together with its keys. */
  eventBytesMax: 256 * KIB,
  /** One publish is one transaction; DynamoDB takes 4 MB of those, and requests compress. */
  requestBytesMax: 4 * MIB,
  requestEventsMax: 1_000,
  idempotencyKeyCharsMax: 255,
  idempotencyWindowHours: 24,

  /** Lambda answers with at most 6 MB. */
  pageBytesMax: 5 * MIB,
  pageEventsMax: 1_000,
  pageEventsDefault: 100,
  waitSecondsMax: 20,

  listMax: 500,
  listDefault: 50,

  partitionsMax: 64,
  retentionHoursMax: 8_760,
  retentionHoursDefault: 360,

  /** A cursor holds one position per partition and, while bootstrapping, where the scan stands. */
  cursorCharsMin: 24,
  cursorCharsMax: 6_144,
} as const;
