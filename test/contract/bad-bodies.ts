import { BAD_CURSOR, type BadRow, bodyRows, INVALID, MALFORMED } from "./bad-rows.ts";

const publish = { method: "POST", path: "/streams/{stream}/events" };
const createStream = { method: "POST", path: "/streams" };
const patchStream = { method: "PATCH", path: "/streams/{stream}" };
const subscribe = { method: "POST", path: "/streams/{stream}/subscriptions" };
const commit = { method: "POST", path: "/streams/{stream}/subscriptions/{sub}/commit" };

const NOT_JSON: [string, string][] = [
  ["nothing", ""],
  ["white space", " \r\n\t"],
  ["an object cut off", '{"key":"k","data":'],
  ["a comma too many", '{"key":"k","data":1,}'],
  ["two values", '{"key":"k","data":1} {"key":"k","data":1}'],
  ["single quotes", "{'key':'k','data':1}"],
  ["a name without quotes", '{key:"k","data":1}'],
  ["NaN", '{"key":"k","data":NaN}'],
  ["a number with a leading zero", '{"key":"k","data":01}'],
  ["a comment", '{"key":"k","data":1/* one */}'],
  ["a line break in a string", '{"key":"k","data":"a\nb"}'],
  ["a bad escape", '{"key":"k","data":"\\x41"}'],
  ["a form", "key=k&data=1"],
];

const EVENTS: [string, string, string][] = [
  ["null", "null", ""],
  ["a number", "1", ""],
  ["a string", '"key"', ""],
  ["an array", '[{"key":"k","data":1}]', ""],
  ["an empty object", "{}", "/key"],
  ["no key", '{"data":1}', "/key"],
  ["no data", '{"key":"k"}', "/data"],
  ["a key that is null", '{"key":null,"data":1}', "/key"],
  ["a key that is a number", '{"key":1,"data":1}', "/key"],
  ["a key that is an object", '{"key":{},"data":1}', "/key"],
  ["an empty key", '{"key":"","data":1}', "/key"],
  ["a key of 513 bytes", `{"key":"${"k".repeat(513)}","data":1}`, "/key"],
  ["a lone surrogate in the key", '{"key":"\\ud800","data":1}', "/key"],
  ["a key in capitals", '{"Key":"k","data":1}', "/key"],
  ["an unknown field", '{"key":"k","data":1,"topic":"t"}', "/topic"],
  ["a field named with a slash", '{"key":"k","data":1,"a/b~c":1}', "/a~1b~0c"],
  ["a field named __proto__", '{"key":"k","data":1,"__proto__":{"key":"x"}}', "/__proto__"],
  ["a field named constructor", '{"key":"k","data":1,"constructor":1}', "/constructor"],
  ["a sequence of its own", '{"key":"k","data":1,"sequence":1}', "/sequence"],
  ["a field sent twice", '{"key":"k","key":"k","data":1}', "/key"],
  ["data sent twice", '{"key":"k","data":1,"data":1}', "/data"],
  ["a type that is a number", '{"key":"k","data":1,"type":1}', "/type"],
  ["a type that is null", '{"key":"k","data":1,"type":null}', "/type"],
  ["an empty type", '{"key":"k","data":1,"type":""}', "/type"],
  ["a lone surrogate in the type", '{"key":"k","data":1,"type":"\\udfff"}', "/type"],
  ["an id that is a number", '{"key":"k","data":1,"id":7}', "/id"],
  ["an empty id", '{"key":"k","data":1,"id":""}', "/id"],
  ["a time that is a number", '{"key":"k","data":1,"time":1767225600}', "/time"],
  ["a time in words", '{"key":"k","data":1,"time":"yesterday"}', "/time"],
  ["a time without an offset", '{"key":"k","data":1,"time":"2026-01-01T00:00:00"}', "/time"],
  ["a day that does not exist", '{"key":"k","data":1,"time":"2026-02-30T00:00:00Z"}', "/time"],
  ["headers that are a list", '{"key":"k","data":1,"headers":[]}', "/headers"],
  ["headers that are null", '{"key":"k","data":1,"headers":null}', "/headers"],
  ["a header that is a number", '{"key":"k","data":1,"headers":{"a":1}}', "/headers/a"],
  ["a header in capitals", '{"key":"k","data":1,"headers":{"A":"1"}}', "/headers/A"],
  ["a header without a name", '{"key":"k","data":1,"headers":{"":"1"}}', "/headers/"],
  [
    "a header named __proto__",
    '{"key":"k","data":1,"headers":{"__proto__":"1"}}',
    "/headers/__proto__",
  ],
  ["a header sent twice", '{"key":"k","data":1,"headers":{"a":"1","a":"1"}}', "/headers/a"],
  ["a lone surrogate in a header", '{"key":"k","data":1,"headers":{"a":"\\ud800"}}', "/headers/a"],
  ["events that are an object", '{"events":{"key":"k","data":1}}', "/events"],
  ["events that are null", '{"events":null}', "/events"],
  ["no events", '{"events":[]}', "/events"],
  ["an event that is null", '{"events":[{"key":"k","data":1},null]}', "/events/1"],
  ["an event that is a list", '{"events":[[]]}', "/events/0"],
  [
    "a bad event among good ones",
    '{"events":[{"key":"k","data":1},{"key":"","data":1}]}',
    "/events/1/key",
  ],
  ["something beside events", '{"events":[{"key":"k","data":1}],"atomic":true}', "/atomic"],
  ["an event beside events", '{"events":[{"key":"k","data":1}],"key":"k"}', "/key"],
  ["events twice", '{"events":[{"key":"k","data":1}],"events":[]}', "/events"],
  ["events within an event", '{"events":[{"events":[{"key":"k","data":1}]}]}', "/events/0/key"],
];

const STREAMS: [string, string, string][] = [
  ["null", "null", ""],
  ["a list", "[]", ""],
  ["no name", "{}", "/name"],
  ["a name that is a number", '{"name":1}', "/name"],
  ["an empty name", '{"name":""}', "/name"],
  ["a name in capitals", '{"name":"Orders"}', "/name"],
  ["a name with a slash", '{"name":"a/b"}', "/name"],
  ["a name with #", '{"name":"a#b"}', "/name"],
  ["a name that starts with a dot", '{"name":".orders"}', "/name"],
  ["a name with a line break after it", '{"name":"orders\\n"}', "/name"],
  ["a name of 129 characters", `{"name":"${"n".repeat(129)}"}`, "/name"],
  [
    "a description of 513 characters",
    `{"name":"{bad}","description":"${"d".repeat(513)}"}`,
    "/description",
  ],
  ["a description that is null", '{"name":"{bad}","description":null}', "/description"],
  [
    "a lone surrogate in the description",
    '{"name":"{bad}","description":"\\ud800"}',
    "/description",
  ],
  ["no partitions", '{"name":"{bad}","partitions":0}', "/partitions"],
  ["65 partitions", '{"name":"{bad}","partitions":65}', "/partitions"],
  ["half a partition", '{"name":"{bad}","partitions":1.5}', "/partitions"],
  ["partitions as text", '{"name":"{bad}","partitions":"1"}', "/partitions"],
  ["an unknown compaction", '{"name":"{bad}","compaction":"all"}', "/compaction"],
  ["no retention", '{"name":"{bad}","retentionHours":0}', "/retentionHours"],
  ["a retention beyond the cap", '{"name":"{bad}","retentionHours":8761}', "/retentionHours"],
  ["an endless retention", '{"name":"{bad}","retentionHours":1e400}', "/retentionHours"],
  ["an unknown field", '{"name":"{bad}","shards":4}', "/shards"],
  ["a field named __proto__", '{"name":"{bad}","__proto__":{"partitions":9}}', "/__proto__"],
];

const PATCHES: [string, string, string][] = [
  ["a list", "[]", ""],
  ["another name", '{"name":"other"}', "/name"],
  ["no partitions", '{"partitions":0}', "/partitions"],
  ["65 partitions", '{"partitions":65}', "/partitions"],
  ["partitions as text", '{"partitions":"2"}', "/partitions"],
  ["another compaction", '{"compaction":"none"}', "/compaction"],
  ["a retention that is null", '{"retentionHours":null}', "/retentionHours"],
  ["a negative retention", '{"retentionHours":-1}', "/retentionHours"],
];

const SUBSCRIPTIONS: [string, string, string][] = [
  ["no name", "{}", "/name"],
  ["a name in capitals", '{"name":"Shipping"}', "/name"],
  ["a name of 129 characters", `{"name":"${"n".repeat(129)}"}`, "/name"],
  ["an unknown start", '{"name":"{bad}","start":"now"}', "/start"],
  ["a start that is null", '{"name":"{bad}","start":null}', "/start"],
  ["a start that is a number", '{"name":"{bad}","start":1}', "/start"],
  ["an empty start", '{"name":"{bad}","start":{}}', "/start"],
  ["a start at no moment", '{"name":"{bad}","start":{"timestamp":"noon"}}', "/start/timestamp"],
  [
    "a start with something beside",
    '{"name":"{bad}","start":{"timestamp":"2026-01-01T00:00:00Z","x":1}}',
    "/start/x",
  ],
  ["an unknown field", '{"name":"{bad}","group":"g"}', "/group"],
];

const COMMITS: [string, string, string][] = [
  ["no cursor", "{}", "/cursor"],
  ["a cursor that is null", '{"cursor":null}', "/cursor"],
  ["a cursor that is a number", '{"cursor":1}', "/cursor"],
  ["an empty cursor", '{"cursor":""}', "/cursor"],
  ["a cursor with a space", '{"cursor":"{poll} "}', "/cursor"],
  ["a cursor with padding", '{"cursor":"{poll}="}', "/cursor"],
  ["a cursor of 6,145 characters", `{"cursor":"${"A".repeat(6145)}"}`, "/cursor"],
  ["an unknown field", '{"cursor":"{poll}","force":true}', "/force"],
];

const CURSORS: [string, string][] = [
  ["made up", '{"cursor":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'],
  ["doubled", '{"cursor":"{poll}{poll}"}'],
  ["of browsing", '{"cursor":"{browse}"}'],
  ["of a receipt", '{"cursor":"{receipt}"}'],
  ["of another stream's subscription", '{"cursor":"{foreign}"}'],
];

const within = (place: string, rows: readonly BadRow[]): BadRow[] =>
  rows.map((row) => ({ ...row, name: `${place}: ${row.name}` }));

/** The bodies that are refused, route by route. */
export const BAD_BODIES: readonly BadRow[] = [
  ...within("publish", bodyRows({ ...publish, ...MALFORMED }, NOT_JSON)),
  ...within("publish", bodyRows({ ...publish, ...INVALID }, EVENTS)),
  ...within("create a stream", bodyRows({ ...createStream, ...MALFORMED }, NOT_JSON.slice(0, 4))),
  ...within("create a stream", bodyRows({ ...createStream, ...INVALID }, STREAMS)),
  ...within("patch a stream", bodyRows({ ...patchStream, ...MALFORMED }, NOT_JSON.slice(0, 4))),
  ...within("patch a stream", bodyRows({ ...patchStream, ...INVALID }, PATCHES)),
  ...within("subscribe", bodyRows({ ...subscribe, ...MALFORMED }, NOT_JSON.slice(0, 4))),
  ...within("subscribe", bodyRows({ ...subscribe, ...INVALID }, SUBSCRIPTIONS)),
  ...within("commit", bodyRows({ ...commit, ...MALFORMED }, NOT_JSON.slice(1, 4))),
  ...within("commit", bodyRows({ ...commit, ...INVALID }, COMMITS)),
  ...within("commit a cursor", bodyRows({ ...commit, ...BAD_CURSOR }, CURSORS)),
];
