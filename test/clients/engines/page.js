import { smoke } from "./smoke.js";

/** The smoke checks in a page. It posts to its own server what passed. */
const given = Object.fromEntries(new URL(location.href).searchParams);
const result = await smoke(given).catch((error) => String(error));
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
