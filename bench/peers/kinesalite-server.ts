/** Kinesalite with its data in a folder. It ends with its parent. */
import { importPeer } from "./obtain.ts";

type Server = { listen(port: number, host: string, done: () => void): void };
type Module = { default: (options: object) => Server };

const [port = "", path = ""] = process.argv.slice(2);
const { default: kinesalite } = await importPeer<Module>("kinesalite");
kinesalite({ path, createStreamMs: 10 }).listen(Number(port), "127.0.0.1", () =>
  process.send?.("ready"),
);
process.once("disconnect", () => process.exit());
