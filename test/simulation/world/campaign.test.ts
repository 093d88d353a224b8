import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type Campaign, loadCampaign, playFailedAgain, saveCampaign } from "./campaign.ts";
import { addTally, emptyTally, type SeedTally } from "./seed-tally.ts";

const folder = mkdtempSync(join(tmpdir(), "eventledger-campaign-"));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, "results/sim.json");
const ASKED = { prefix: "", from: 100, seeds: 1_000, workers: 2 };
const where = (commit: string) => ({ commit, node: "v24", electrodb: "3", processor: "any" });
const failed = (seed: string) => ({ seed, violations: ["lost-write: event 1"] });
const PLAYED: SeedTally = { ...emptyTally(), seeds: 6, failures: [failed("103"), failed("104")] };

function keepSome(): Campaign {
  const fresh = loadCampaign(undefined, ASKED, where("a"));
  expect(fresh.next).toEqual([100, 101]);
  const campaign = { ...fresh, next: [106, 107], total: addTally(fresh.total, PLAYED) };
  saveCampaign(path, campaign);
  return campaign;
}

it("a campaign continues where the file ends, and says with what", () => {
  const { total } = keepSome();
  const campaign = loadCampaign(path, ASKED, where("b"));
  expect(campaign).toMatchObject({ next: [106, 107], total });
  expect(campaign.stretches.map(({ commit, next }) => [commit, next])).toEqual([
    ["a", [100, 101]],
    ["b", [106, 107]],
  ]);
});

it("a campaign begins again when something else is requested", () => {
  keepSome();
  const campaign = loadCampaign(path, { ...ASKED, from: 0 }, where("b"));
  expect(campaign).toMatchObject({ next: [0, 1], total: emptyTally() });
  expect(campaign.stretches).toHaveLength(1);
});

it("a campaign separates fixed seeds from those that still fail", async () => {
  keepSome();
  const loaded = loadCampaign(path, ASKED, where("b"));
  const campaign = await playFailedAgain(loaded, async (seed) => seed === "103");
  expect(campaign.total.failures).toEqual([failed("104")]);
  expect(campaign.fixedSince).toEqual([{ ...failed("103"), commit: "b" }]);
});
