import type { Backend, Event } from "./front.ts";
import { importPeer } from "./obtain.ts";

type Message = { readonly topic: string; readonly key: string; readonly value: string };
type Kafka = {
  Admin: new (options: object) => { createTopics(topics: object): Promise<unknown> };
  Producer: new (
    options: object,
  ) => {
    send(batch: { messages: Message[]; acks: number }): Promise<unknown>;
  };
  stringSerializers: object;
};

/**
 * Sends the events that arrived while the last request was in flight, as Kafka's own clients do.
 */
export async function open(port: string): Promise<Backend> {
  const { Admin, Producer, stringSerializers } = await importPeer<Kafka>("@platformatic/kafka");
  const how = { clientId: "bench", bootstrapBrokers: [`127.0.0.1:${port}`] };
  const configs = [{ name: "flush.messages", value: "1" }];
  await new Admin(how).createTopics({ topics: ["bench"], partitions: 1, replicas: 1, configs });
  const producer = new Producer({ ...how, serializers: stringSerializers });
  let waiting: Event[] = [];
  let next: Promise<unknown> | undefined;
  let running: Promise<unknown> = Promise.resolve();
  return {
    append: async (events) => {
      waiting.push(...events);
      next ??= running.then(() => {
        const messages = waiting.map(({ key, text }) => ({ topic: "bench", key, value: text }));
        waiting = [];
        next = undefined;
        const sent = producer.send({ messages, acks: -1 });
        running = sent.catch(() => {});
        return sent;
      });
      await next;
    },
  };
}
