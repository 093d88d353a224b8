import { settings } from "./stage.ts";

/**
 * The concurrency that waiting polls can never take from the compactor: one call for each shard of
 * the table's stream.
 */
const COMPACTOR = 10;
/** Two sweeps at the same time have no advantage over one. */
const SWEEPER = 1;
/** AWS refuses a reservation that leaves the account's other functions fewer than this. */
const UNRESERVED_MIN = 100;

/**
 * The concurrency that is reserved for the functions that keep the log going. By default, a stage
 * reserves it only if the account's limit has room. New accounts start with 10 concurrent calls and
 * cannot reserve any.
 */
export const reserved = {
  compactor: reserve(settings.reservedConcurrency ?? COMPACTOR),
  sweeper: reserve(SWEEPER),
};

function reserve(count: number) {
  if (settings.reservedConcurrency === 0) return {};
  if (settings.reservedConcurrency !== undefined) return { reserved: count };
  const quota = aws.servicequotas.getServiceQuotaOutput({
    serviceCode: "lambda",
    quotaCode: "L-B99A9384", // concurrent executions
  });
  return quota.value.apply((limit) =>
    limit - COMPACTOR - SWEEPER >= UNRESERVED_MIN ? { reserved: count } : {},
  );
}
