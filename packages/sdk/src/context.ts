import { type Numbers, parseAnswer, type ReadAnswer } from "./events/numbers.ts";
import type { Schemas } from "./events/schema.ts";
import type { Call } from "./http/call.ts";
import type { Wait } from "./http/follow.ts";
import type { Connection } from "./http/request.ts";

/** The dependencies of a stream's operations. */
export type StreamContext = {
  readonly connection: Connection;
  readonly stream: string;
  readonly numbers: Numbers | ReadAnswer;
  readonly wait: Wait;
  readonly schemas: Schemas | undefined;
};

export const streamPath = (stream: string): string => `/streams/${encodeURIComponent(stream)}`;

/** Returns the members of an answer, or undefined if it has none. */
export async function ask<T>(
  { connection, numbers }: Pick<StreamContext, "connection" | "numbers">,
  call: Call,
): Promise<T> {
  const { text } = await connection.request(call);
  return (text === "" ? undefined : parseAnswer(text, numbers)) as T;
}
