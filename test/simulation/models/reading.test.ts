import { describe, it } from "vitest";
import { SEED } from "../../support/seed.ts";
import { readingScenarios } from "./reading-scenarios.ts";

describe("a log whose rows have expired, or whose numbers a restore used up", () => {
  it.each(readingScenarios(SEED))("$name", ({ play }) => play());
});
