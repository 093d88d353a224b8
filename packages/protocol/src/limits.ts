const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Every cap of the product, with its reason. Each name ends with its unit. Every cap is inclusive:
 * exactly the cap passes, and one more is refused. Each has a test on both sides of its edge.
 */
export const LIMITS = {
  /** A name is a URL segment and part of a table key. */
  nameCharsMax: 128,
  descriptionBytesMax: 512,

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
  /** One publish is one transaction. DynamoDB accepts 4 MB in one, and requests compress. */
  requestBytesMax: 4 * MIB,
  requestEventsMax: 1_000,
  /** Everything but a publish is small: the largest body is a commit with its cursor. */
  otherRequestBytesMax: 64 * KIB,
  /** A conditional publish reads what is not compacted yet, once per process: this much at most. */
  uncompactedEventsMax: 10_000,
  uncompactedBytesMax: 16 * MIB,
  idempotencyKeyCharsMax: 255,
  idempotencyWindowHours: 24,

  /**
   * The most that Lambda accepts and returns, each as JSON with the headers. A text body there has
   * a backslash before each quote. A binary or gzip body grows by a third.
   */
  lambdaBytesMax: 6 * MIB,
  /** The size that fits into that in Base64, for any content, with room for the headers. */
  pageBytesMax: 4.25 * MIB,
  /** The part of the log that a page looks at. A batch is smaller. */
  lookedAtBytesMax: 5 * MIB,
  pageEventsMax: 1_000,
  pageEventsDefault: 100,
  waitSecondsMax: 20,
  /**
   * Positions in partitions that one answer looks at: those of a stream's subscriptions in its
   * view, and those of a list with numbers. It must stay cheap.
   */
  streamPositionsMax: 256,
  /**
   * A list counts the subscriptions of a stream in one read. The stream's own view counts them all.
   */
  listedSubscriptionsMax: 500,
  /** A worker that is silent for this long loses its share. Shorter leases cost more writes. */
  leaseSecondsMin: 1,
  leaseSecondsMax: 600,
  leaseSecondsDefault: 30,
  /** Every poll of a worker reads the list of all of them. */
  consumersMax: 256,
  consumerCharsMax: 128,
  /**
   * The view of a subscription reads this many events to count the keys that it has yet to receive.
   */
  keysBehindEventsMax: 10_000,
  /**
   * The limit for each hidden partition of a subscription. Parked keys are written with every
   * commit.
   */
  parkedKeysMax: 100,
  parkReasonBytesMax: 256,
  /** Narrowing a page of 1,000 events down to the one that fails takes ten deliveries. */
  deliveriesMin: 2,
  deliveriesMax: 1_000,
  /** A filter is judged for every event that it leaves out. */
  filterTypesMax: 32,
  filterHeadersMax: 8,
  /**
   * Events that a page of a filtered subscription looks at. Its bytes are capped like those of any
   * page.
   */
  filterEventsMax: 10_000,

  listMax: 500,
  listDefault: 50,

  /** A tenant's name is part of the table key of each of its streams. */
  tenantCharsMax: 64,
  /** 62 random bits: no two keys have the same, and none can be guessed. */
  keyIdChars: 12,
  keyNameBytesMax: 128,
  /** Listing streams takes one read for each of them. */
  keyStreamsMax: 32,
  /** A key that is not renewed ends by itself. */
  keyDaysDefault: 90,
  keyDaysMax: 365,
  keyOverlapSecondsDefault: 86_400,
  keyOverlapSecondsMax: 604_800,
  /**
   * The time for which a process that has just seen a key valid may still accept it after it is
   * revoked.
   */
  revocationSecondsMax: 30,

  partitionsMax: 64,
  retentionHoursMax: 8_760,
  retentionHoursDefault: 360,

  /**
   * A cursor holds one position per partition and, while bootstrapping, the progress of the scan.
   * The shortest is that of a list of names: the kind of the list and a name.
   */
  cursorCharsMin: 12,
  cursorCharsMax: 6_144,
} as const;

/** The form of a name of a stream or a subscription. */
export const NAME = new RegExp(`^[a-z0-9][a-z0-9._-]{0,${LIMITS.nameCharsMax - 1}}$`);
