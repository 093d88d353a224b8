import { simulate } from "./simulate.ts";
const r=await simulate(process.argv[2]??"0");
console.log(r.plan); console.log(r.violations);
console.log(r.history.map(l=>JSON.stringify(l)).join("\n"));
console.log(r.trace.join("\n"));
