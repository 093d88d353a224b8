import type { Backend } from "./front.ts";
import { importPeer } from "./obtain.ts";

type Client = {
  connect(): Promise<unknown>;
  xAdd(stream: string, id: string, fields: object): Promise<unknown>;
};
type Redis = { createClient(options: object): Client };

/** Adds each event to a stream. The client sends all waiting events at once. */
export async function open(port: string): Promise<Backend> {
  const { createClient } = await importPeer<Redis>("@redis/client");
  const client = createClient({ socket: { host: "127.0.0.1", port: Number(port) } });
  await client.connect();
  return {
    append: async (events) => {
      await Promise.all(events.map(({ text }) => client.xAdd("bench", "*", { event: text })));
    },
  };
}
