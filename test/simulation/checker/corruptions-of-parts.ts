import { ACCESS_CORRUPTIONS } from "./access-corruptions.ts";
import type { Corruption } from "./corruptions.ts";
import { ERASURE_CORRUPTIONS } from "./erasure-corruptions.ts";
import { GROWTH_CORRUPTIONS } from "./growth-corruptions.ts";
import { LIST_CORRUPTIONS } from "./list-corruptions.ts";
import { METER_CORRUPTIONS } from "./meter-corruptions.ts";
import { TEAM_CORRUPTIONS } from "./team-corruptions.ts";

/** Ways to corrupt the histories of single parts of the product. */
export const CORRUPTIONS_OF_PARTS: readonly Corruption[] = [
  ...TEAM_CORRUPTIONS,
  ...ERASURE_CORRUPTIONS,
  ...METER_CORRUPTIONS,
  ...ACCESS_CORRUPTIONS,
  ...LIST_CORRUPTIONS,
  ...GROWTH_CORRUPTIONS,
];
