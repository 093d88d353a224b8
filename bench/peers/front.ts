/**
 * A small HTTP server that stores events somewhere and answers 201 once they are as durable as
 * that place makes them. It ends with its parent.
 *
 * node front.ts <the name of a file of this folder with `open`> <a parameter of `open`>
 */
import { createServer } from "node:http";

/** A place for events. Each text is an event of one request, in order. */
export type Backend = {
  append(events: readonly Event[]): Promise<void>;
};
export type Event = { readonly key: string; readonly text: string };

const [name = "", parameter = ""] = process.argv.slice(2);
const { open } = (await import(`./${name}.ts`)) as {
  open(parameter: string): Promise<Backend>;
};
const backend = await open(parameter);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", async () => {
    try {
      const parsed = JSON.parse(Buffer.concat(chunks).toString()) as
        | { key: string }[]
        | { key: string };
      const events = [parsed]
        .flat()
        .map((event) => ({ key: event.key, text: JSON.stringify(event) }));
      await backend.append(events);
      response.writeHead(201, { "content-length": 0 }).end();
    } catch (error) {
      const text = String(error);
      response.writeHead(500, { "content-length": Buffer.byteLength(text) }).end(text);
    }
  });
});
server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
process.once("disconnect", () => process.exit());
