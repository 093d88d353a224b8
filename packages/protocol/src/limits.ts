const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Every cap of the product, with its reason. Each name ends with its unit. A cap is inclusive: a
 * value equal to it is accepted, and a greater one is refused. A test checks both sides of each
 * cap.
 */
export const LIMITS = {
  /** A name is a URL segment and part of a table key. */
  nameCharsMax: 128,
  descriptionBytesMax: 512,

  /**
   * Half of DynamoDB's limit of 1,024 bytes for a sort key. The key is part of the sort key of
   * compacted state.
   */
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
  /** The largest body of any other request is a commit with its cursor. */
  otherRequestBytesMax: 64 * KIB,
  /**
   * A conditional publish reads the events that are not yet compacted, once per process, up to this
   * number.
   */
  uncompactedEventsMax: 10_000,
  uncompactedBytesMax: 16 * MIB,
  idempotencyKeyCharsMax: 255,
  idempotencyWindowHours: 24,

  /**
   * The size that Lambda accepts and returns, as JSON with the headers. JSON escapes each quote of
   * a text body. Base64 makes a binary or gzip body larger by a third.
   */
  lambdaBytesMax: 6 * MIB,
  /**
   * A page of this size fits into `lambdaBytesMax` in Base64, with any content and with room for
   * the headers.
   */
  pageBytesMax: 4.25 * MIB,
  /** The bytes of the log that a page may read. A batch is smaller. */
  scannedBytesMax: 5 * MIB,
  pageEventsMax: 1_000,
  /** The number of parts in which a list of current states can be read. */
  listPartsMax: 16,
  pageEventsDefault: 100,
  waitSecondsMax: 20,
  /**
   * The number of partition positions that one answer may read, in the view of a stream and in a
   * list with statistics. It keeps such an answer cheap.
   */
  streamPositionsMax: 256,
  /**
   * A list counts the subscriptions of a stream with one read, up to this number. The view of a
   * single stream counts them all.
   */
  listedSubscriptionsMax: 500,
  /** A worker that is silent for this long loses its share. Shorter leases cost more writes. */
  leaseSecondsMin: 1,
  leaseSecondsMax: 600,
  leaseSecondsDefault: 30,
  /** Every poll of a worker reads the list of all workers. */
  consumersMax: 256,
  consumerCharsMax: 128,
  /**
   * The view of a subscription reads up to this many events to count the keys that are still to be
   * delivered.
   */
  keysBehindEventsMax: 10_000,
  /**
   * The limit applies to each hidden partition of a subscription. Every commit writes the parked
   * keys.
   */
  parkedKeysMax: 100,
  parkReasonBytesMax: 256,
  /** Finding the failing event in a page of 1,000 by halving takes ten deliveries. */
  deliveriesMin: 2,
  deliveriesMax: 1_000,
  /** The server checks the filter for every event, including those that it leaves out. */
  filterTypesMax: 32,
  filterHeadersMax: 8,
  /**
   * The number of events that a page of a filtered subscription may read. A byte cap applies as
   * well.
   */
  filterEventsMax: 10_000,

  /** A stream's row has its schemas, and each publish may read that row. */
  schemasBytesMax: 32 * KIB,
  schemaTypesMax: 64,
  schemaDepthMax: 32,
  schemaNodesMax: 1_000,
  /** Checking one event takes at most this many steps: some milliseconds. */
  schemaStepsMax: 100_000,
  /** Comparing two versions of all schemas takes at most this many steps: about a second. */
  schemaProofStepsMax: 200_000,
  /** What an answer about a change lists. Pointers and fields can be long. */
  schemaDifferencesMax: 50,
  brokenReadsMax: 100,
  /** Each poll may read the row of a subscription, which has the fields that it reads. */
  readsTypesMax: 16,
  readsFieldsMax: 64,
  readsBytesMax: 4 * KIB,

  /** A larger request is named by its size alone in the audit stream. */
  auditRequestBytesMax: 4 * KIB,

  listMax: 500,
  listDefault: 50,

  /** A tenant's name is part of the table key of each of its streams. */
  tenantCharsMax: 64,
  /** An id has 62 random bits, so that ids neither collide nor can be guessed. */
  keyIdChars: 12,
  keyNameBytesMax: 128,
  /** Listing streams takes one read for each of them. */
  keyStreamsMax: 32,
  /** A key that is not renewed expires. */
  keyDaysDefault: 90,
  keyDaysMax: 365,
  keyOverlapSecondsDefault: 86_400,
  keyOverlapSecondsMax: 604_800,
  /** A process that has just validated a key may accept it for this long after it is revoked. */
  revocationSecondsMax: 30,

  /** A portal token names its streams and subscriptions, and fits into a header. */
  portalNamesMax: 8,
  portalTokenCharsMax: 4_096,
  /** Nothing ends a single token before it expires. */
  portalSecondsMin: 60,
  portalSecondsMax: 86_400,

  partitionsMax: 64,
  /**
   * The number of partitions over all changes of a stream. A seek writes a row for each of them in
   * one transaction, which has room for 100.
   */
  partitionsEverMax: 96,
  retentionHoursMax: 8_760,
  retentionHoursDefault: 360,
  archiveDaysMax: 36_500,
  /** An export is a copy, and costs storage until it is removed. */
  exportDays: 3,
  exportsMax: 10,
  exportIdChars: 18,

  /** Each erasure reads the partitions of its key whole. */
  erasuresOpenMax: 100,
  erasureReasonBytesMax: 512,
  erasureIdChars: 24,

  /** A page of usage reads two queries for each day, and those of the retention before it. */
  usageHourDaysMax: 31,
  usageDaysMax: 366,
  usageMax: 1_000,
  usageDefault: 500,

  pushUrlCharsMax: 2_048,
  pushConcurrencyMax: 64,
  pushTimeoutSecondsMax: 30,
  /** Failed deliveries are listed for this long. An endpoint that fails for 5 days is disabled. */
  pushFailureDays: 7,
  pushDisabledAfterDays: 5,
  /** The beginning of an endpoint's answer that is read, and the part of it that is kept. */
  pushAnswerBytesRead: 4_096,
  pushAnswerCharsKept: 500,
  /** A rotated secret signs for this long together with its successor. */
  pushOverlapHours: 24,

  /**
   * A cursor contains one position per partition and, while bootstrapping, the progress of the
   * scan. The shortest cursor is that of a list of names: the kind of the list and a name.
   */
  cursorCharsMin: 12,
  cursorCharsMax: 6_144,
} as const;

/**
 * The name of the stream of each tenant that says who changed what. No other stream can have a name
 * that begins like this.
 */
export const AUDIT_STREAM = "_audit";

/** The form of a name of a stream or a subscription. */
export const NAME = new RegExp(`^[a-z0-9][a-z0-9._-]{0,${LIMITS.nameCharsMax - 1}}$`);
