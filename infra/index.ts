import "./alarms.ts";
import "./sweeper.ts";

export { url } from "./api.ts";
export { failures } from "./compactor.ts";
export { table } from "./storage.ts";
