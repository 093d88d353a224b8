import { expect } from "vitest";
import type { Client } from "./client.ts";

const LATE = Symbol("late");

/**
 * What a request is answered, provided that the answer comes before a poll of an idle stream has
 * waited for `seconds`. Nothing is timed: on a busy machine both of them take longer.
 */
export async function beforeIdle<T>(api: Client, seconds: number, request: Promise<T>): Promise<T> {
  const stream = await api.newStream();
  await api.createSubscription(stream, { name: "idle" });
  const idle = api.poll(stream, "idle", { waitSeconds: seconds }).then(
    () => LATE,
    () => LATE,
  );
  const first = await Promise.race([request, idle]);
  await api.deleteStream(stream);
  await idle;
  if (first === LATE) expect.fail(`no answer before an idle poll had waited for ${seconds} s`);
  return request;
}
