/** The file-backed server of Durable Streams. It ends with its parent. */
import { importPeer } from "./obtain.ts";

type Server = { start(): Promise<unknown>; readonly port?: number };
type Module = { DurableStreamTestServer: new (options: object) => Server };

const [port = "", dataDir = ""] = process.argv.slice(2);
const { DurableStreamTestServer } = await importPeer<Module>("@durable-streams/server");
await new DurableStreamTestServer({ port: Number(port), host: "127.0.0.1", dataDir }).start();
process.send?.("ready");
process.once("disconnect", () => process.exit());
