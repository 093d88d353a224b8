import { createHash } from "node:crypto";

/** A run of pages: the number of events, and the hash of their text as the pages print it. */
export type ReadEvents = {
  readonly events: number;
  readonly pages: number;
  readonly first: number;
  readonly last: number;
  readonly sha256: string;
  readonly seconds: number;
};

type Page = {
  readonly events: readonly { readonly sequence: number }[];
  readonly cursor: string;
  readonly caughtUp: boolean;
};

/** A client of one stream, with bare `fetch`. Every answer but the expected one is an error. */
export function openStreamClient(url: string, apiKey: string, stream: string) {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };

  async function send(method: string, path: string, body?: object): Promise<string> {
    const answer = await fetch(`${url}/streams${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  const post = async (path: string, body: object = {}) =>
    JSON.parse(await send("POST", path, body));
  const get = async (path: string) => JSON.parse(await send("GET", `/${stream}${path}`));

  return {
    post: (path: string, body?: object) => post(`/${stream}${path}`, body),
    get,
    create: (settings: object) => post("", { name: stream, ...settings }),

    /** Reads from a place to the end, page by page. The events must follow one another. */
    async readOn(from: string, limit: number): Promise<ReadEvents> {
      const hash = createHash("sha256");
      const began = performance.now();
      let [events, pages, first, last] = [0, 0, 0, 0];
      for (let place = from; ; ) {
        const query = `limit=${limit}&from=${encodeURIComponent(place)}`;
        const text = await send("GET", `/${stream}/events?${query}`);
        const page: Page = JSON.parse(text);
        if (events > 0 && page.events.length > 0) hash.update(",");
        hash.update(text.slice(TEXT_BEFORE.length, text.lastIndexOf(TEXT_AFTER)));
        pages++;
        for (const { sequence } of page.events) {
          if (events > 0 && sequence !== last + 1) throw new Error(`${sequence} after ${last}`);
          if (events++ === 0) first = sequence;
          last = sequence;
        }
        if (page.caughtUp) {
          const seconds = (performance.now() - began) / 1_000;
          return { events, pages, first, last, sha256: hash.digest("hex"), seconds };
        }
        place = page.cursor;
      }
    },
  };
}

export type StreamClient = ReturnType<typeof openStreamClient>;

const TEXT_BEFORE = '{"events":[';
const TEXT_AFTER = '],"cursor":';
