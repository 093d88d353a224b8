import type { Backend } from "./front.ts";
import { importPeer } from "./obtain.ts";

type Nats = { connect(options: object): Promise<object> };
type Batch = {
  add(subject: string, data: string): void;
  commit(subject: string, data: string): Promise<unknown>;
};
type Client = {
  publish(subject: string, data: string): Promise<unknown>;
  startBatch(subject: string, data: string): Promise<Batch>;
};
type JetStream = {
  jetstream(connection: object): Client;
  jetstreamManager(
    connection: object,
  ): Promise<{ streams: { add(config: object): Promise<void> } }>;
};

const NAME = "bench";

/** Publishes one event by itself, and several as an atomic batch. */
export async function open(port: string): Promise<Backend> {
  const { connect } = await importPeer<Nats>("@nats-io/transport-node");
  const { jetstream, jetstreamManager } = await importPeer<JetStream>("@nats-io/jetstream");
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  const { streams } = await jetstreamManager(connection);
  await streams.add({ name: NAME, subjects: [NAME], storage: "file", allow_atomic: true });
  const client = jetstream(connection);
  return {
    append: async (events) => {
      const texts = events.map(({ text }) => text);
      const [first = "", ...rest] = texts;
      const last = rest.pop();
      if (last === undefined) {
        await client.publish(NAME, first);
        return;
      }
      const batch = await client.startBatch(NAME, first);
      for (const text of rest) batch.add(NAME, text);
      await batch.commit(NAME, last);
    },
  };
}
