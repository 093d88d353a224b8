import { describe } from "vitest";
import { firstUse } from "./first-use.ts";
import { portal } from "./portal.ts";
import { describeInBrowser } from "./suites.ts";

/** These suites need a stack of their own, without data. */
describeInBrowser("the console", () => {
  describe("first use", () => firstUse());
  describe("the portal", () => portal());
});
