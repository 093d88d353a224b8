import "./alarms.ts";
import "./sweeper.ts";

export { url } from "./api.ts";
export { archive } from "./archive.ts";
export { deadBells } from "./bells.ts";
export { failures } from "./compactor.ts";
export { table } from "./storage.ts";
