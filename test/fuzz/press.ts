import { pressApart } from "./press-server.ts";

/** `node test/fuzz/press.ts [seconds]`: slow, idle and vanishing clients against a server, with figures. */
const seconds = Number(process.argv[2] ?? 60);
const press = { seconds, idle: 5_000, slow: 200, earlyCloses: 50 };
const report = await pressApart(process.env.DYNAMODB_ENDPOINT, press);
console.log(JSON.stringify({ ...press, ...report }, null, 2));
process.exit(0);
