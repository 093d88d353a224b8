import {
  CommitBody,
  CreateStream,
  CreateSubscription,
  LIMITS,
  NewEvent,
  PollQuery,
} from "@eventledger/protocol";
import { describe, expect, it } from "vitest";
import type * as z from "zod/mini";
import { fieldsOfIssues, wording } from "./invalid-fields.ts";

const manyTypes = Array.from({ length: LIMITS.filterTypesMax + 1 }, () => "t");
const manyHeaders = Object.fromEntries(
  Array.from({ length: LIMITS.headersMax + 1 }, (_, n) => [`h${n}`, ""]),
);

describe("what is wrong with a request", () => {
  it.each<[schema: z.ZodMiniType, input: object, where: string, detail: string]>([
    [CreateStream, {}, "name", "is required"],
    [
      CreateStream,
      { name: "a", partitions: 0 },
      "partitions",
      "must be an integer from 1 to 64 or auto",
    ],
    [
      CreateStream,
      { name: "a", partitions: 65 },
      "partitions",
      "must be an integer from 1 to 64 or auto",
    ],
    [
      CreateStream,
      { name: "a", partitions: 1.5 },
      "partitions",
      "must be an integer from 1 to 64 or auto",
    ],
    [
      CreateStream,
      { name: "a", partitions: "1" },
      "partitions",
      "must be an integer from 1 to 64 or auto",
    ],
    [CreateStream, { name: "a", compaction: "x" }, "compaction", 'must be "key" or "none"'],
    [CreateStream, { name: "a", colour: "red" }, "colour", "is not a known field"],
    [
      CreateSubscription,
      { name: "a", start: "never" },
      "start",
      "must be earliest, latest, bootstrap, an RFC 3339 time, { timestamp }, { sequence }, { cursor } or { since }",
    ],
    [CreateSubscription, { name: "a", filter: { types: [] } }, "filter.types", "must not be empty"],
    [
      CreateSubscription,
      { name: "a", filter: { types: manyTypes } },
      "filter.types",
      `must have at most ${LIMITS.filterTypesMax} members`,
    ],
    [PollQuery, { waitSeconds: "soon" }, "waitSeconds", "must be an integer from 0 to 20"],
    [PollQuery, { limit: "1e3" }, "limit", "must be an integer from 1 to 1000"],
    [
      CommitBody,
      { cursor: "abc" },
      "cursor",
      `must have at least ${LIMITS.cursorCharsMin} characters`,
    ],
    [NewEvent, { key: "", data: 1 }, "key", "must not be empty"],
    [NewEvent, { key: "a", data: 1, headers: [] }, "headers", "must be of type object"],
    [
      NewEvent,
      { key: "a", data: 1, headers: manyHeaders },
      "headers",
      `must have at most ${LIMITS.headersMax} members`,
    ],
    [
      NewEvent,
      { key: "a", data: 1, time: "noon" },
      "time",
      "must be an RFC 3339 date and time such as 2026-11-24T08:30:00Z",
    ],
  ])("is said of row %#", (schema, input, where, detail) => {
    const { error } = schema.safeParse(input, { error: wording });
    const fields = fieldsOfIssues(error?.issues ?? []);
    expect(fields.map(({ path }) => path.join("."))).toEqual([where]);
    expect(fields[0]?.detail).toBe(detail);
  });
});
