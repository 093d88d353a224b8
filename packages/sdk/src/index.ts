export type { ConnectionOptions } from "./connection-options.ts";
export {
  InvalidEvent,
  type InvalidPart,
  type Issue,
  LedgerProblem,
  LedgerUnreachable,
  type ProblemCode,
  type Retry,
} from "./errors.ts";
export type {
  DataEvent,
  Deletion,
  Lag,
  LedgerEvent,
  NewEvent,
  Page,
  Published,
  Receipt,
} from "./events/event.ts";
export type { Numbers, ReadAnswer } from "./events/numbers.ts";
export { type RawJson, rawJson } from "./events/raw-json.ts";
export type { OnInvalid } from "./events/read-events.ts";
export type { LedgerEventOf, NewEventOf, Schemas, StandardSchema } from "./events/schema.ts";
export type { Call, Fetch, RequestReport } from "./http/call.ts";
export type { Clock } from "./http/clock.ts";
export type { Wait } from "./http/follow.ts";
export type { RetryPolicy } from "./http/retry-plan.ts";
export { EventLedger, type LedgerOptions, type StreamSettings, type Whoami } from "./ledger.ts";
export type { PublishOptions } from "./publish-events.ts";
export type { Added, Publisher, PublisherOptions } from "./publisher.ts";
export type { PublishingStream } from "./publishing-stream.ts";
export type { ReadOptions } from "./read.ts";
export { memory } from "./stores/memory.ts";
export type { Stream } from "./stream.ts";
export type { PagesOptions } from "./subscription/pages.ts";
export type { Handler, RunOptions } from "./subscription/run.ts";
export type {
  Filter,
  ParkedKey,
  Place,
  PollPage,
  SeekReceipt,
  SubscriptionInfo,
  SubscriptionSettings,
} from "./subscription/settings.ts";
export type { Subscription } from "./subscription/subscription.ts";
export type { ViewChange } from "./view/changes.ts";
export type { Change, Found, Mark, Put, ViewStore } from "./view/store.ts";
export type { View, ViewOptions, ViewStatus } from "./view/view.ts";
export type { WaitOptions } from "./view/waiters.ts";
