import { describe, it } from "vitest";
import { archiveScenarios } from "./archive-scenarios.ts";

describe("a stream with an archive", () => {
  it.each(archiveScenarios)("$name", ({ play }) => play());
});
