import { smoke } from "./smoke.js";

const [url, apiKey, stream] = (globalThis.Deno?.args ?? process.argv.slice(2)).slice(-3);
console.log(JSON.stringify(await smoke({ url, apiKey, stream })));
