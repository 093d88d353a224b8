import type { Connection } from "../../packages/core/src/table/connection.ts";

/** A connection that notes the inputs of its commands, and answers with `answer` or throws it. */
export function notingConnection(answer: unknown = {}) {
  const sent: unknown[] = [];
  const send = async ({ input }: { input: unknown }) => {
    sent.push(input);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const connection = { client: { send }, table: "ledger", clock: {}, random: {} };
  return { sent, connection: connection as unknown as Connection };
}
