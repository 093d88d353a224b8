import { browseContract } from "./browse.contract.ts";
import { compactedContract } from "./compacted.contract.ts";
import { followContract } from "./follow.contract.ts";
import { holdTarget } from "./hold.ts";
import { keysInUrlsContract } from "./keys-in-urls.contract.ts";
import { listCursorsContract } from "./list-cursors.contract.ts";
import { statsContract } from "./stats.contract.ts";

await holdTarget([
  browseContract,
  followContract,
  compactedContract,
  listCursorsContract,
  statsContract,
  keysInUrlsContract,
]);
