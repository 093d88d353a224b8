export { type FakeLedger, type FakeOptions, type FakeRequest, fakeLedger } from "./fake-ledger.ts";
export type { FakeCode } from "./fake-problem.ts";
export { type StartedLedger, startLedger } from "./start-ledger.ts";
export { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";
