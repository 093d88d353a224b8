import { describe, it } from "vitest";
import { growthScenarios } from "./growth-scenarios.ts";

describe("a change of partitions beside compaction and restores", () => {
  it.each(growthScenarios)("$name", ({ play }) => play());
});
