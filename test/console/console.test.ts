import { describe } from "vitest";
import { accessible } from "./accessible.ts";
import { chromiumPath } from "./browser.ts";
import { data } from "./data.ts";
import { firstUse } from "./first-use.ts";
import { keyboard } from "./keyboard.ts";
import { live } from "./live.ts";
import { portal } from "./portal.ts";
import { push } from "./push.ts";
import { rights } from "./rights.ts";
import { scale } from "./scale.ts";
import { walk } from "./walk.ts";
import { openWorld } from "./world.ts";

const isThere = chromiumPath() !== undefined;
if (!isThere) {
  console.warn(
    "The console is not tested: no Chromium was found. Install Debian's `chromium`, or set CHROMIUM.",
  );
}

describe.runIf(isThere)("the console", () => {
  const world = openWorld();
  describe("access for everyone", () => accessible(world));
  describe("walk", () => walk(world));
  describe("keyboard", () => keyboard(world));
  describe("rights", () => rights(world));
  describe("data", () => data(world));
  describe("live", () => live(world));
  describe("push", () => push(world));
  describe("scale", () => scale(world));
  describe("first use", () => firstUse());
  describe("the portal", () => portal());
});
