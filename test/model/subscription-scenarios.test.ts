import { it } from "vitest";
import { parkingScenarios } from "./subscription/parking-scenarios.ts";

it.each(parkingScenarios)("$name", ({ play }) => play());
