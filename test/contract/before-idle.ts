import { expect } from "vitest";
import type { Client } from "./client.ts";

const LATE = Symbol("late");

/**
 * Returns the answer to a request if it arrives before a poll of an idle stream has waited for
 * `seconds`. This needs no measured time: on a busy machine, both take longer.
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
