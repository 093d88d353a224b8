import { settings } from "./stage.ts";

/** Calls at a time that no waiting poll can take: one for each shard of the table's stream. */
const COMPACTOR = 10;
/** A second sweep at the same time gains nothing. */
const SWEEPER = 1;
/** AWS refuses a reservation that leaves the account's other functions fewer than this. */
const UNRESERVED_MIN = 100;

/**
 * The reservations of the functions that keep the log going. By itself a stage reserves where the
 * account's limit has room for it: new accounts begin with 10 calls at a time and may reserve none.
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
