import { it } from "vitest";
import { fencingScenarios } from "./subscription/fencing-scenarios.ts";
import { idleScenarios } from "./subscription/idle-scenarios.ts";
import { parkingScenarios } from "./subscription/parking-scenarios.ts";
import { positionScenarios } from "./subscription/position-scenarios.ts";

it.each([...parkingScenarios, ...positionScenarios, ...fencingScenarios, ...idleScenarios])(
  "$name",
  ({ play }) => play(),
);
