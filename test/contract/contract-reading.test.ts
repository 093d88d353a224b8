import { differenceContract } from "./difference.contract.ts";
import { followContract } from "./follow.contract.ts";
import { holdTarget } from "./hold.ts";
import { listCursorsContract } from "./list-cursors.contract.ts";
import { statsContract } from "./stats.contract.ts";

await holdTarget([differenceContract, followContract, listCursorsContract, statsContract]);
