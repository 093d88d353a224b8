import { describe, it } from "vitest";
import { SEED } from "../../support/seed.ts";
import { retentionScenarios } from "./retention-scenarios.ts";

describe("a stream whose retention changes", () => {
  it.each(retentionScenarios(SEED))("$name", ({ play }) => play());
});
