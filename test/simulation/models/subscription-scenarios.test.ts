import { it } from "vitest";
import { parkingScenarios } from "./subscription/parking-scenarios.ts";
import { positionScenarios } from "./subscription/position-scenarios.ts";

it.each([...parkingScenarios, ...positionScenarios])("$name", ({ play }) => play());
