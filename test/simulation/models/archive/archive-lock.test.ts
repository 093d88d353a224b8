import { describe, it } from "vitest";
import { lockScenarios } from "./lock-scenarios.ts";

describe("an archive with locks", () => {
  it.each(lockScenarios)("$name", ({ play }) => play());
});
