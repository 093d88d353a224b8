/**
 * The descriptions of request schemas that have none of their own. They are kept here, because a
 * deployed function bundles the schemas and needs no descriptions.
 */
export const OF_SCHEMAS: Readonly<Record<string, string>> = {
  CommitBody: "The cursor or the event up to which every event is processed.",
  ConsumerName:
    "The name of one of several workers that share a subscription. Each process uses a name of its own.",
  CreateApiKey: "A new API key.",
  CreateStream: "A new stream.",
  CreateSubscription: "A new subscription.",
  CreateTenant: "A new tenant.",
  Filter: "The events that a subscription receives. An event must meet every condition.",
  SubscriptionGlob:
    "A subscription's name, the beginning of names followed by `*`, or `*` for all.",
  LeaveBody: "The worker that leaves.",
  Name: "The name of a stream or a subscription.",
  NewEvent: "An event as a publisher sends it.",
  ParkBody: "The event that cannot be processed. Its key is parked from that event on.",
  PatchStream: "The settings to change. Settings that are left out keep their values.",
  PollBody: "The cursor to commit, and how to deliver the next events.",
  RotateApiKey: "How long the former secret stays valid, and when the key expires.",
  SeekBody: "Where to move the position.",
  SeekTarget: "A place in the stream.",
  Start:
    "Where a subscription begins. `bootstrap` delivers the current state of every key and then the log. A cursor must be one of the stream, from the answer to a publish or from the compacted state.",
  StreamGlob: "A stream's name, the beginning of names followed by `*`, or `*` for all.",
  TenantName: "The name of a tenant.",
};

/** The descriptions of members, by the name of the schema and of the member. */
export const OF_MEMBERS: Readonly<Record<string, string>> = {
  "ApiKeyList.keys": "The keys of this page.",
  "CreateApiKey.scopes": "What the key may do.",
  "CreateApiKey.streams": "The streams that the key covers.",
  "CreateStream.description": "A description of the stream for people.",
  "CreateStream.retentionHours": "How long events are kept.",
  "NewEvent.headers": "Further attributes of the event, by name.",
  "NewEvent.id":
    "The publisher's own id. If absent, it is derived from the event's place in the log.",
  "NewEvent.time": "When the event happened, as an RFC 3339 time.",
  "NewEvent.type": "What kind of event it is.",
  "ParkedList.parked": "The parked keys of this page.",
  "PatchStream.description": "A description of the stream for people.",
  "PatchStream.retentionHours": "How long events that are published from now on are kept.",
  "PollBody.limit": "The maximum number of events in a page.",
  "ResendBody.sequence": "The sequence of the event.",
  "Stream.description": "A description of the stream for people.",
  "ListedStream.description": "A description of the stream for people.",
  "Stream.retentionHours": "How long events are kept.",
  "ListedStream.retentionHours": "How long events are kept.",
  "StreamInfo.description": "A description of the stream for people.",
  "StreamInfo.retentionHours": "How long events are kept.",
  "StreamList.streams": "The streams of this page.",
  "SubscriptionList.subscriptions": "The subscriptions of this page.",
  "TenantList.tenants": "The tenants of this page.",
};

/** The descriptions of parameters, the same for every operation. */
export const OF_PARAMETERS: Readonly<Record<string, string>> = {
  cursor: "Where the list continues: the `cursor` of the previous page.",
  from: "Where reading starts: `earliest`, `latest`, an RFC 3339 time, a cursor, or, on a stream with one partition, a sequence.",
  id: "The key's id.",
  key: "The key, percent-encoded as one segment.",
  limit: "The maximum number of items in a page.",
  stream: "The stream's name.",
  subscription: "The subscription's name.",
  type: "Only events of this type.",
};
