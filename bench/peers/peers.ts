import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFreePort } from "../../packages/local/src/port.ts";
import { startStore } from "../../packages/local/src/store.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { startGuarded } from "../../packages/local/src/watchdog.ts";
import { startSeparateStack } from "../separate-stack.ts";
import type { Shape, Target } from "../target.ts";
import { clientOf, type Design } from "./designs.ts";
import { obtainKafka, obtainNats, obtainNpm, obtainRedis } from "./obtain.ts";

export type Running = { readonly target: Target; close(): Promise<void> };

/** Something that stores events and that HTTP reaches. */
export type Peer = {
  readonly name: string;
  /** What is on the disk when a request is answered. */
  readonly durability: string;
  /** Whether each answered event was synced, so that it survives a power cut. */
  readonly isSynced: boolean;
  /** Fetches what the peer needs, once. Throws an error with one line if that cannot be had. */
  obtain(): Promise<unknown>;
  /** Starts the peer with its data in a folder. */
  start(folder: string): Promise<Running>;
};

const nothing = async (): Promise<void> => {};

export const eventLedger: Peer = {
  name: "EventLedger",
  durability: "each put is synced by the store, SQLite",
  isSynced: true,
  obtain: nothing,
  start: async () => {
    const stack = await startSeparateStack("disk");
    return { target: await stack.createStream("bench"), close: stack.close };
  },
};

const design = (design: Design, name: string): Peer => ({
  name,
  durability: "each write is synced by the same store",
  isSynced: true,
  obtain: nothing,
  start: async (folder) => {
    const store = await startStore({ dataDir: folder });
    const client = clientOf(store.endpoint);
    await ensureTable(client, "bench");
    client.destroy();
    return withFront(`${design}-front`, store.endpoint, store.stop);
  },
});

const nats: Peer = {
  name: "NATS JetStream 2.15.3",
  durability: "`sync_interval: always`",
  isSynced: true,
  obtain: obtainNats,
  start: async (folder) => {
    const port = await findFreePort();
    const config = join(folder, "nats.conf");
    const text = `host: 127.0.0.1\nport: ${port}\njetstream { store_dir: "${folder}", sync_interval: always }\n`;
    writeFileSync(config, text);
    const server = await startGuarded(await obtainNats(), ["-c", config]);
    await listening(port, server.ended);
    return withFront("nats-front", String(port), server.stop);
  },
};

const redis: Peer = {
  name: "Redis Streams 7.0.15",
  durability: "`appendfsync always`",
  isSynced: true,
  obtain: obtainRedis,
  start: async (folder) => {
    const port = await findFreePort();
    const { server: program, libraries } = await obtainRedis();
    const settings = {
      port: String(port),
      bind: "127.0.0.1",
      dir: folder,
      save: "",
      appendonly: "yes",
      appendfsync: "always",
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const library = `LD_LIBRARY_PATH=${libraries}`;
    const server = await startGuarded("env", [library, program, ...args]);
    await listening(port, server.ended);
    return withFront("redis-front", String(port), server.stop);
  },
};

const kafka: Peer = {
  name: "Kafka 4.2.2, KRaft",
  durability: "`acks=all` of one broker, `flush.messages=1`",
  isSynced: true,
  obtain: obtainKafka,
  start: async (folder) => {
    const [port, controller] = [await findFreePort(), await findFreePort()];
    const config = join(folder, "server.properties");
    const settings = {
      "process.roles": "broker,controller",
      "node.id": "1",
      "controller.quorum.voters": `1@127.0.0.1:${controller}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
      "controller.listener.names": "CONTROLLER",
      "log.dirs": join(folder, "logs"),
      "offsets.topic.replication.factor": "1",
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    writeFileSync(config, `${lines.join("\n")}\n`);
    const java = ["-Xmx512m", "-cp", await obtainKafka()];
    const format = [
      "kafka.tools.StorageTool",
      "format",
      "-t",
      "MkU3OEVBNTcwNTJENDM2Qg",
      "-c",
      config,
    ];
    const formatted = await (await startGuarded("java", [...java, ...format])).ended;
    if (formatted.exitCode !== 0) throw new Error(`Kafka: ${formatted.output}`);
    const server = await startGuarded("java", [...java, "kafka.Kafka", config]);
    await listening(port, server.ended);
    return withFront("kafka-front", String(port), server.stop);
  },
};

/** The one peer that has HTTP as its own protocol and syncs each write. */
export const HTTP_PEER = "Durable Streams server 0.3.7";

const durableStreams: Peer = {
  name: HTTP_PEER,
  durability: "the file is synced for each append",
  isSynced: true,
  obtain: obtainNpm,
  start: async (folder) => {
    const port = await findFreePort();
    const server = await startProgram("durable-streams-server", [String(port), folder]);
    const url = `http://127.0.0.1:${port}`;
    const path = "/v1/stream/bench";
    const headers = { "content-type": "application/json" };
    const created = await fetch(url + path, { method: "PUT", headers });
    if (created.status !== 201) throw new Error(await created.text());
    return { target: targetOf(url, path, headers, 204), close: server.close };
  },
};

const kinesalite: Peer = {
  name: "Kinesalite 3.3.3",
  durability: "LevelDB, whose writes are not synced",
  isSynced: false,
  obtain: obtainNpm,
  start: async (folder) => {
    const port = await findFreePort();
    const server = await startProgram("kinesalite-server", [String(port), join(folder, "data")]);
    const url = `http://127.0.0.1:${port}`;
    const ask = (operation: string) => ({
      "Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": `Kinesis_20131202.${operation}`,
      "X-Amz-Date": "20260101T000000Z",
      Authorization: "AWS4-HMAC-SHA256 Credential=none, SignedHeaders=none, Signature=none",
    });
    const body = JSON.stringify({ StreamName: "bench", ShardCount: 1 });
    const headers = ask("CreateStream");
    const created = await fetch(url, { method: "POST", headers, body });
    if (created.status !== 200) throw new Error(await created.text());
    await new Promise((resolve) => setTimeout(resolve, 500));
    const target = targetOf(url, "/", ask("PutRecord"), 200, "kinesis");
    return { target, close: server.close };
  },
};

/** In the order of the page. The first is EventLedger. */
export const PEERS: readonly Peer[] = [
  eventLedger,
  design("counter", "counter, then put"),
  design("transaction", "counter and put in a transaction"),
  nats,
  redis,
  kafka,
  durableStreams,
  kinesalite,
];

function targetOf(
  url: string,
  path: string,
  headers: Target["headers"],
  status: number,
  shape: Shape = "array",
): Target {
  return { url, path, headers, status, shape };
}

async function withFront(name: string, parameter: string, stop: () => Promise<void>) {
  const front = await startProgram("front", [name, parameter]);
  const { port } = front.said as { port: number };
  const headers = { "content-type": "application/json" };
  return {
    target: targetOf(`http://127.0.0.1:${port}`, "/", headers, 201),
    close: async () => {
      await front.close();
      await stop();
    },
  };
}

/** Starts a program of this folder and waits for its first message. */
async function startProgram(name: string, args: readonly string[]) {
  const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const child = fork(program, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = once(child, "exit");
  const [said] = await Promise.race([
    once(child, "message"),
    ended.then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`))),
  ]);
  return {
    said: said as unknown,
    close: async () => {
      child.disconnect();
      await ended;
    },
  };
}

const START_LIMIT_MS = 120_000;

/** Waits until something listens on a port. Throws what the program printed if it ends before. */
async function listening(port: number, ended: Promise<{ output: string }>): Promise<void> {
  let output: string | undefined;
  void ended.then((end) => {
    output = end.output;
  });
  const giveUpAt = performance.now() + START_LIMIT_MS;
  while (performance.now() < giveUpAt) {
    if (output !== undefined) throw new Error(`it ended: ${output}`);
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.end());
    });
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}
