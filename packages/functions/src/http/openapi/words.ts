/**
 * This map describes the request schemas that carry no description themselves. A deployed function
 * bundles the schemas and needs no prose, so the descriptions are kept here.
 */
export const OF_SCHEMAS: Readonly<Record<string, string>> = {
  CommitBody: "The cursor or the event up to which everything is processed.",
  ConsumerName: "One worker of several that share a subscription. No two processes use the same.",
  CreateApiKey: "A new API key.",
  CreateStream: "A new stream.",
  CreateSubscription: "A new subscription.",
  CreateTenant: "A new tenant.",
  Filter: "Which events a subscription receives: those that meet all of it.",
  SubscriptionGlob: "A subscription's name, the beginning of names and `*`, or `*` for all.",
  LeaveBody: "Which worker ends.",
  Name: "The name of a stream or a subscription.",
  NewEvent: "An event as a publisher sends it.",
  ParkBody: "Which event cannot be processed. Its key is set aside from there on.",
  PatchStream: "The settings that change; the others stay.",
  PollBody: "What to commit, and what to deliver then.",
  RotateApiKey: "How long the former secret stays valid, and when the key ends.",
  SeekBody: "Where to move the position.",
  SeekTarget: "A place in the stream.",
  Start:
    "Where a subscription begins. `bootstrap`: the current state of every key, then the log. A cursor is one of the stream, as a publish or the compacted state answers it.",
  StreamGlob: "A stream's name, the beginning of names and `*`, or `*` for all.",
  TenantName: "The name of a tenant.",
};

/** The descriptions of members, by the name of the schema and the name of the member. */
export const OF_MEMBERS: Readonly<Record<string, string>> = {
  "ApiKeyList.keys": "The keys of this page.",
  "CreateApiKey.scopes": "What the key may do.",
  "CreateApiKey.streams": "Which streams it may do that with.",
  "CreateStream.description": "For people: what the stream is about.",
  "CreateStream.retentionHours": "How long events are kept.",
  "NewEvent.headers": "Further attributes of the event, by name.",
  "NewEvent.id": "The publisher's own id. Derived from the event's place in the log unless given.",
  "NewEvent.time": "When it happened, RFC 3339.",
  "NewEvent.type": "What kind of event it is.",
  "ParkedList.parked": "The keys of this page that are set aside.",
  "PatchStream.description": "For people: what the stream is about.",
  "PatchStream.retentionHours": "How long events are kept that are published from now on.",
  "PollBody.limit": "The most events a page may hold.",
  "Stream.description": "For people: what the stream is about.",
  "ListedStream.description": "For people: what the stream is about.",
  "Stream.retentionHours": "How long events are kept.",
  "ListedStream.retentionHours": "How long events are kept.",
  "StreamInfo.description": "For people: what the stream is about.",
  "StreamInfo.retentionHours": "How long events are kept.",
  "StreamList.streams": "The streams of this page.",
  "SubscriptionList.subscriptions": "The subscriptions of this page.",
  "TenantList.tenants": "The tenants of this page.",
};

/** The descriptions of parameters, independent of the operation. */
export const OF_PARAMETERS: Readonly<Record<string, string>> = {
  cursor: "Where the list goes on: the `cursor` of the page before.",
  from: "Where reading starts: `earliest`, `latest`, an RFC 3339 time, a cursor, or, on a stream with one partition, a sequence.",
  id: "The key's id.",
  key: "The key, percent-encoded as one segment.",
  limit: "The most items a page may hold.",
  stream: "The stream's name.",
  subscription: "The subscription's name.",
  type: "Only events of this type.",
};
