import { runStack } from "./run-stack.ts";

await runStack({ env: process.env, command: "npm start" });
