import { describe, expect, it } from "vitest";
import { DEPTH } from "../../../support/depth.ts";
import { SEED } from "../../../support/seed.ts";
import { placesScenarios } from "./places-scenarios.ts";
import type { PlacesTally } from "./places-world.ts";
import { playPlaces } from "./play-places.ts";

const PROGRAMS = 12 * DEPTH;

describe("a cursor of a partition that its reader has not read", () => {
  it.each(placesScenarios)("$name", ({ play }) => play());

  it(`[cursor.unread] a reader misses nothing silently, in random programs (SEED=${SEED})`, {
    timeout: 20_000 * DEPTH + 60_000,
  }, async () => {
    const tally: PlacesTally = {};
    for (let program = 0; program < PROGRAMS; program++) {
      await playPlaces(SEED + program, tally);
    }
    // Cursors are read on and refused in these programs, so they prove something.
    const names = Object.keys(tally);
    expect(names.some((name) => name.endsWith("refused"))).toBe(true);
    expect(names.some((name) => !name.endsWith("refused"))).toBe(true);
  });
});
