/**
 * A history consists of what clients did, the answers they received, and what was seen in the
 * store. It has one line each, in order of time. It does not depend on the product. Times are
 * milliseconds on one clock that never goes back. It is stored as one JSON text per line.
 */

/** An event as its publisher knows it. Its number `n` is unique. */
export type EventRef = {
  readonly n: number;
  readonly key: string;
  readonly dead?: true;
  /**
   * The event is written only if the key's last event has this sequence. 0: only if the key has no
   * state.
   */
  readonly expected?: number;
};

/** A key that was not as expected, according to the answer to its publisher. */
export type Mismatch = {
  readonly key: string;
  readonly sequence: number;
  readonly deleted: boolean;
};

/** An event as a reader received it. The third member says that it was erased. */
export type Delivered = readonly [n: number, sequence: number, erased?: true];

type Head = { readonly atMs: number; readonly process: string };

/** A call begins. Its end, if there is one, has the same `call`. */
export type Invoke = Head & {
  readonly type: "invoke";
  readonly call: number;
} /** A stream that grows gets more partitions by itself. */ & (
    | { readonly op: "create"; readonly stream: string; readonly grows?: true }
    /** The stream is to have so many partitions, or to get more of them by itself. */
    | { readonly op: "resize"; readonly stream: string; readonly partitions: number | "auto" }
    | { readonly op: "delete"; readonly stream: string; readonly life: string }
    /** From now on, the stream keeps its events for this long. */
    | { readonly op: "patch"; readonly stream: string; readonly retentionMs: number }
    | {
        readonly op: "publish";
        readonly stream: string;
        readonly events: readonly EventRef[];
        /**
         * With a key, the same events are sent until they succeed. Without a key, they are sent
         * once.
         */
        readonly keyed?: true;
        /** The holder of the API key. Absent for the admin key. */
        readonly holder?: string;
      }
    | {
        readonly op: "read";
        readonly stream: string;
        /** The session whose view the page is added to. */
        readonly session: string;
        /** The positions to read from. Absent for the committed position or a named place. */
        readonly after?: readonly number[];
        readonly place?: "earliest" | "latest";
      }
    | {
        readonly op: "commit";
        readonly stream: string;
        readonly subscription: string;
        readonly generation: number;
        readonly to: readonly number[];
      }
    | { readonly op: "compact"; readonly stream: string; readonly life: string }
    | ({ readonly op: "list"; readonly stream: string } & ListPlace)
    /** Takes one from the quota of a tenant, for a request that uses data or administers. */
    | { readonly op: "meter"; readonly kind: "data" | "administration" }
    | { readonly op: "get"; readonly stream: string; readonly key: string }
    | TeamCall
    | HolderCall
  );

/**
 * A page of a list of current states. A page that is read again takes the place of the earlier one
 * and of those after it.
 */
export type ListPlace = {
  /** The name of the list. All its pages have it. */
  readonly list: string;
  /** The number of the part, and of the page within it. The first page belongs to part 0. */
  readonly part: number;
  readonly page: number;
  /** The cursor since which keys have changed. Absent in a list of all keys. */
  readonly since?: { readonly life: string; readonly at: readonly number[] };
};

/** Bounded rights, in the terms of the protocol. */
export type Rights = {
  readonly scopes: readonly string[];
  readonly streams: readonly string[];
  readonly subscriptions?: readonly string[];
  readonly keyPrefix?: string;
};

/** A call about an API key. The history names the key's holder. */
type HolderCall = { readonly holder: string } & (
  | ({ readonly op: "grant" } & Rights)
  | { readonly op: "revoke" }
  | {
      readonly op: "ask";
      readonly what: string;
      readonly stream: string;
      /** Any of these scopes is enough. */
      readonly needs: readonly string[];
      /** The subscription that the request names. */
      readonly subscription?: string;
      readonly keys?: readonly string[];
      /** True if the request reaches beyond any bound of a key. */
      readonly whole?: true;
    }
);

/**
 * A call of the workers or the operator of a shared subscription. A name of a subscription is used
 * in only one life.
 */
type TeamCall = { readonly team: string } & (
  | { readonly op: "receive"; readonly worker: string }
  | {
      readonly op: "settle";
      readonly worker: string;
      readonly generation: number;
      readonly to: readonly (number | null)[];
      readonly tokens: Tokens;
    }
  | { readonly op: "park"; readonly key: string; readonly sequence: number }
  | { readonly op: "retry"; readonly key: string }
  | { readonly op: "skip"; readonly key: string; readonly sequence: number }
  | { readonly op: "leave"; readonly worker: string }
  /** The settings change. From then on, the subscription receives keys with this prefix. */
  | { readonly op: "settings"; readonly keyPrefix?: string }
  | { readonly op: "seek" }
);

/** The fencing tokens of a worker's share, by partition. */
export type Tokens = readonly (number | null)[];

/**
 * A page: the events after `after` and before `to`. By partition, both are first sequences that are
 * not delivered.
 */
export type Page = {
  readonly life: string;
  readonly phase: "bootstrap" | "log";
  readonly events: readonly Delivered[];
  readonly to: readonly number[];
  readonly caughtUp: boolean;
  /** True if the view is now exactly that of the log at `to`. */
  readonly consistent: boolean;
  /** The subscription and its generation. Absent when the stream itself is read. */
  readonly subscription?: string;
  readonly generation?: number;
};

export type Ok = Head & { readonly type: "ok"; readonly call: number } & (
    | { readonly op: "create" | "delete" | "patch" | "resize" }
    | { readonly op: "publish"; readonly sequences: readonly number[] }
    | ({ readonly op: "read" } & Page)
    | { readonly op: "commit"; readonly stale: boolean; readonly committed: readonly number[] }
    | { readonly op: "compact"; readonly done: boolean }
    | {
        readonly op: "list";
        readonly life: string;
        readonly events: readonly Delivered[];
        /** By partition, where the log goes on after the list. */
        readonly follow: readonly number[];
      }
    /** The request may pass. `isLimited` is false if the limiter did not know the quota. */
    | { readonly op: "meter"; readonly isLimited: boolean }
    | { readonly op: "get"; readonly n: number; readonly sequence: number }
    | {
        readonly op: "receive";
        readonly life: string;
        /** The uid of the subscription. */
        readonly uid: string;
        readonly generation: number;
        readonly events: readonly Delivered[];
        readonly tokens: Tokens;
      }
    | { readonly op: "settle"; readonly stale: boolean }
    | { readonly op: "park" | "retry" | "skip" | "leave" | "settings" | "seek" }
    | { readonly op: "grant" | "revoke" }
    /** Every name of a key or a subscription in the answer that the request does not name. */
    | { readonly op: "ask"; readonly seen: readonly string[] }
  );

/**
 * `fail`: the call had no effect and never will. `unknown`: it may or may not have had an effect.
 */
export type Failed = Head & {
  readonly type: "fail" | "unknown";
  readonly call: number;
  readonly op: Invoke["op"];
  readonly code: string;
  /** The reason for which a cursor was refused. */
  readonly reason?: string;
  /** The mismatches of a conditional publish. */
  readonly mismatches?: readonly Mismatch[];
  /** Every name of a key or a subscription in the answer that the request does not name. */
  readonly seen?: readonly string[];
};

/** What was seen in the store, and what the test did to it. */
export type Info = Head & { readonly type: "info" } & (
    | {
        /**
         * A stored batch, recorded when it was first seen. The batches of a partition are in the
         * order of writing.
         */
        readonly op: "batch";
        readonly life: string;
        readonly partition: number;
        readonly first: number;
        readonly seal?: true;
        /** True if the stream goes on in other partitions after it. */
        readonly turn?: true;
        /**
         * How many numbers the batch skips. They belong to no event. Such a batch follows what a
         * restore has kept.
         */
        readonly jump?: number;
        /** True if the line was written at the moment when the batch was put. */
        readonly seen?: true;
        readonly publishedAtMs: number;
        readonly expiresAtMs?: number;
        readonly events: readonly EventRef[];
      }
    | {
        /** The compacted state of a partition, with one row per key. */
        readonly op: "compacted";
        readonly life: string;
        readonly partition: number;
        readonly checkpoint: number;
        readonly floor: number;
        readonly rows: readonly (readonly [key: string, sequence: number, dead: boolean])[];
      }
    | {
        /**
         * How far a partition is compacted and where reading may begin, recorded when that was
         * written.
         */
        readonly op: "checkpoint";
        readonly life: string;
        readonly partition: number;
        readonly checkpoint: number;
        readonly floor: number;
        /** The archive watermark of an archived stream. */
        readonly archivedTo?: number;
      }
    | {
        /** A batch of an archived stream was removed. `next` is the first sequence after it. */
        readonly op: "removed";
        readonly life: string;
        readonly partition: number;
        readonly next: number;
        /** The floor in the checkpoint at that moment. */
        readonly floor: number;
        readonly archivedTo: number;
      }
    | {
        /** One row of the compacted state, recorded when it was written. */
        readonly op: "row";
        readonly life: string;
        readonly partition: number;
        readonly row: readonly [key: string, sequence: number, dead: boolean];
      }
    | {
        /** The committed position of a subscription in one partition. */
        readonly op: "offset";
        readonly life: string;
        readonly subscription: string;
        readonly partition: number;
        readonly generation: number;
        readonly next: number;
        /** The fencing token of the lease, and the worker that holds it. */
        readonly token?: number;
        readonly owner?: string;
      }
    /** The events that a worker has processed, in this order. */
    | {
        readonly op: "processed";
        readonly team: string;
        readonly life: string;
        readonly events: readonly number[];
      }
    /** A pusher has sent an event to an endpoint, which has accepted it or not. */
    | {
        readonly op: "delivery";
        readonly team: string;
        readonly life: string;
        readonly partition: number;
        readonly event: Delivered;
        readonly worker: string;
        readonly accepted: boolean;
      }
    /**
     * A pusher has moved a position, or parked keys. The row had this fencing token when the pusher
     * sent its request.
     */
    | {
        readonly op: "pushed";
        readonly worker: string;
        readonly subscription: string;
        readonly partition: number;
        readonly token: number;
      }
    /** The faults have ended, nothing is parked, and the team has read to the end. */
    | { readonly op: "drained"; readonly team: string; readonly life: string }
    /** The client of a session keeps its view, returns to the kept view, or begins a new one. */
    | { readonly op: "save" | "restore"; readonly session: string }
    /** A partial view may get only what has changed since one that is void. */
    | { readonly op: "begin"; readonly session: string; readonly isPartial?: true }
    /**
     * The client of a session has a copy with everything before these positions, and is going to
     * get what changed since then from its subscription.
     */
    | { readonly op: "since"; readonly session: string; readonly positions: readonly number[] }
    /** Every part of a list has been read. Its reader reads on in a session of its own. */
    | { readonly op: "listed"; readonly list: string; readonly session: string }
    /** An operator has repaired the numbering. The partition continues at `next`. */
    | {
        readonly op: "repair";
        readonly life: string;
        readonly partition: number;
        readonly next: number;
      }
    /**
     * The erasure of a key was accepted. It publishes the tombstone `n`, unless its life ends
     * before that.
     */
    | { readonly op: "erasing"; readonly life: string; readonly key: string; readonly n: number }
    /** An erasure has rewritten everything that a reader can get. */
    | {
        readonly op: "erased";
        readonly life: string;
        readonly key: string;
        /** The sequence of its tombstone. Earlier events of the key are erased. */
        readonly until: number;
      }
    /** The quota of a tenant, from which every process takes. */
    | { readonly op: "quota"; readonly perSecond: number }
    /** Faults have ended, and more is asked for than the quota allows, until the next such line. */
    | { readonly op: "thirst" | "quenched" }
    | {
        /**
         * What usage says at the end, when everything is compacted. `isWhole` is false if an ended
         * life is not counted yet, or events have expired that no compaction has seen.
         */
        readonly op: "usage";
        readonly events: number;
        readonly isWhole: boolean;
        /** The size of the compacted state, and that of its rows in the store. */
        readonly stateBytes: number;
        readonly rowBytes: number;
      }
    /** The stream is about to have `to` partitions instead of `from`. */
    | { readonly op: "growing"; readonly life: string; readonly from: number; readonly to: number }
    /** The table is copied at this moment. */
    | { readonly op: "copied"; readonly copy: number }
    | {
        /**
         * The table is replaced by a copy, and later writes are lost. Each life of the copy
         * continues under another name, and no other life continues.
         */
        readonly op: "restored";
        readonly copy: number;
        readonly lives: readonly { readonly from: string; readonly to: string }[];
      }
    /** Faults ended ten seconds ago. From now on every client must be caught up. */
    | { readonly op: "healed" }
  );

export type Line = Invoke | Ok | Failed | Info;

/** A violation that a checker found. */
export type Violation = {
  readonly name: ViolationName;
  readonly detail: string;
  readonly atMs: number;
};

/** Every name of a violation, with its meaning. */
export const VIOLATIONS = {
  "lost-write": "an acknowledged event is not in the log",
  duplicate: "an event is in the log more often than it was published",
  "torn-write": "a part of a request is in the log, and another part is not",
  "aborted-read": "an event is in the log although every call for it was answered as not written",
  "phantom-write": "an event is in the log that no client published",
  "receipt-mismatch": "an event is in the log elsewhere than its receipt says",
  "nonmonotonic-send": "requests or events of one publisher are not in the order of sending",
  "realtime-order": "an event comes after another one that was sent only after its acknowledgement",
  "broken-expectation":
    "an event follows another event of its key than the one it was expected to follow",
  "false-mismatch":
    "a request was refused for a state that its keys never had meanwhile, or after it succeeded",
  "unasked-end": "a life has ended that no client deleted",
  "zombie-write": "an event was acknowledged in a life that had been deleted before it was sent",
  "chain-gap": "a batch does not begin where the one before it ended",
  "chain-mismatch": "two batches were stored under one number",
  "write-past-seal": "a batch comes after the seal of a life",
  "time-regress": "publication or expiry times fall along a chain",
  "inconsistent-offsets": "a reader found another event at a number than the log holds",
  "poll-skip": "a page or a position leaves events out",
  "nonmonotonic-poll": "a page repeats or reorders events",
  "stale-read": "a page claims to be caught up and leaves out what was durable before",
  unseen: "a durable event is not delivered even after the faults have ended",
  "cross-uid": "events of one life were delivered in another, or long after its end",
  "offset-regress": "a committed position went back",
  "future-commit": "a committed position is after the end of the log",
  "bootstrap-mismatch": "the view after a bootstrap differs from that of the log",
  "bootstrap-extra":
    "a snapshot holds an event that the log delivers again, a deleted key, or a key twice",
  "list-mismatch": "a list of current states or of changes lacks a key, or has an unchanged one",
  "list-torn": "the pages of a list belong to different states of the log",
  "changes-forgotten": "changes are unknown before their time has passed",
  "pin-broken": "an open bootstrap could not read on",
  "early-retention": "events are gone before their retention has passed",
  unarchived: "the floor passed the archive watermark, or a batch was removed too early",
  "key-regress": "the compacted state of a key went back or lags its checkpoint",
  "resurrected-key": "a deleted key is back in the compacted state",
  "checkpoint-regress": "a checkpoint or a floor went back, or the floor passed the checkpoint",
  "stale-compaction": "a compaction claims to be done and leaves out what was durable before",
  "number-reuse": "a number from before a restore was given to another event after it",
  "silent-restore": "a reader continues after a restore although it holds events that were lost",
  "wrong-refusal":
    "a cursor is refused for a restore that kept all it covers, or for another reason",
  "erased-read": "a reader got data that an erasure had taken before",
  "erased-else": "an event has lost its data, and no erasure covers it",
  "unasked-growth": "a stream has got a number of partitions that nothing asked for",
  "shrunk-growth": "a stream has got fewer partitions by itself, or too many",
  "usage-mismatch": "usage counts more or fewer events than the log has",
  "state-mismatch": "usage has another size of the compacted state than its rows",
  "quota-over": "all processes together let more requests pass than a quota allows",
  "quota-under": "processes let fewer requests pass than a quota allows",
  "quota-shut": "a request for data was stopped by something else than its quota",
  "quota-open": "a request of administration passed while its quota was unknown",
  "parked-delivery": "an event of a parked key was delivered",
  "skip-broken": "a skipped event was delivered again",
  overtaken: "an event was delivered before an earlier one of its key was processed",
  unprocessed: "an event is neither processed nor skipped even after the faults have ended",
  "filter-broken": "an event was delivered that the filter leaves out",
  "fenced-commit": "a worker has committed what another one had taken over",
  "token-regress": "a fencing token went back, or two workers have the same one",
  "false-loss": "a worker was refused although no other one has taken over its share",
  "kept-share": "a worker that has left holds a share",
  "void-commit": "a commit succeeded with a cursor from before a new filter or a seek",
  "moved-by-settings": "a change of settings has moved a committed position",
  overreach: "an API key was shown or did something that it does not cover",
  barred: "an API key was refused something that it covers",
  "revoked-key": "an API key was served long after it was revoked",
  "internal-error": "a call ended with an error that has no name in the protocol",
} as const;

export type ViolationName = keyof typeof VIOLATIONS;

export const printHistory = (lines: readonly Line[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");

export const parseHistory = (text: string): Line[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
