export type Issue = { readonly message: string; readonly path: readonly PropertyKey[] };

/** The brand of the SDK's errors: `InvalidEvent.is` of the SDK recognizes this one, too. */
const BRAND: unique symbol = Symbol.for("eventledger.error") as never;

/** An event that the ledger would refuse. The outbox refuses it in the transaction that adds it. */
export class InvalidEvent extends Error {
  override readonly name = "InvalidEvent";
  readonly key: string;
  readonly type: string | undefined;
  readonly issues: readonly Issue[];

  constructor(
    { key, type }: { readonly key: string; readonly type?: string | undefined },
    issues: readonly Issue[],
  ) {
    const what = issues.map(({ message, path }) => `/${path.map(String).join("/")} ${message}`);
    super(`The event of ${JSON.stringify(key)} is not valid: ${what.join("; ")}`);
    this.key = key;
    this.type = type;
    this.issues = issues;
  }

  get [BRAND](): string {
    return this.name;
  }
}
