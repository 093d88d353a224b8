import type { ParkingDeps } from "./change-parking.ts";
import { createParks } from "./park.ts";
import { createReleases } from "./release.ts";

/**
 * Parks keys and releases them. The events of a failing key wait in their order, and all other
 * events flow. Nothing is copied: a queue is the log itself from the parked event on, so it lasts
 * as long as the log does.
 */
export const createParking = (deps: ParkingDeps) => {
  return { ...createParks(deps), ...createReleases(deps) };
};

export type Parking = ReturnType<typeof createParking>;
