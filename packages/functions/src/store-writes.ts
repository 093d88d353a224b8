import { LedgerError, STORE_FULL } from "@eventledger/core";

/** Returns whether the store has room for this number of further bytes. The default is true. */
export type HasRoomFor = (bytes: number) => Promise<boolean>;

const WRITES = new Set([
  "BatchWriteItem",
  "DeleteItem",
  "PutItem",
  "TransactWriteItems",
  "UpdateItem",
]);

/** The number of consecutive writes without an answer that counts as an outage. */
const FAILURES_MIN = 3;
const BELIEVED_MS = 60_000;

/**
 * Watches the results of writes. `middleware` is for the `finalizeRequest` step of a DynamoDB
 * client. It refuses a write before it is sent if the store has no room, so a refused write has not
 * happened. `assertWritable` judges by this check and by the writes of the last minute whether the
 * store accepts writes. It writes nothing itself, because any client may call it.
 */
export function createStoreWrites({
  hasRoomFor = async () => true,
  now,
}: {
  readonly hasRoomFor?: HasRoomFor | undefined;
  readonly now: () => number;
}) {
  let failures = 0;
  let failedAt = Number.NEGATIVE_INFINITY;

  const middleware =
    <Args extends { request: unknown }, Result>(
      next: (args: Args) => Promise<Result>,
      { commandName = "" }: { commandName?: string },
    ) =>
    async (args: Args): Promise<Result> => {
      if (!WRITES.has(commandName.replace(/Command$/, ""))) return next(args);
      if (!(await hasRoomFor(bytesOf(args.request)))) throw noRoom();
      try {
        const result = await next(args);
        failures = 0;
        return result;
      } catch (error) {
        failures = isAnswer(error) ? 0 : failures + 1;
        failedAt = now();
        throw error;
      }
    };

  /** Throws `store-full`, or `store-unavailable` while writes get no answer. */
  async function assertWritable(): Promise<void> {
    if (!(await hasRoomFor(0))) {
      throw new LedgerError("store-full", {
        detail: "The disk that holds the table is full. An operator must free some space.",
        retryAfterSeconds: 30,
      });
    }
    if (failures < FAILURES_MIN || now() - failedAt > BELIEVED_MS) return;
    throw new LedgerError("store-unavailable", {
      detail: `The table has answered none of the last ${failures} writes of this process.`,
      retryAfterSeconds: 10,
    });
  }

  return { middleware, assertWritable };
}

const noRoom = (): Error =>
  Object.assign(new Error("The disk of the store has no room for a write."), { name: STORE_FULL });

/** True when the store decided: it refused the request, or a condition failed. */
const isAnswer = (error: unknown): boolean => {
  const { httpStatusCode = 500 } =
    (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  return httpStatusCode < 500;
};

const bytesOf = (request: unknown): number => {
  const { body } = request as { body?: unknown };
  return typeof body === "string" || body instanceof Uint8Array ? body.length : 0;
};
