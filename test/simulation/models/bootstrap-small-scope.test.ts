import { expect, it } from "vitest";
import { count } from "../../proof/record.ts";
import { keepRecord } from "../../support/keep-record.ts";
import { explore, smallLogs } from "./bootstrap-small-scope.ts";

/** A length of 4 takes minutes and is for nightly runs. Every known fault already occurs at 3. */
const length = Number(process.env.BOOTSTRAP_LOG_LENGTH ?? 3);

it(`a bootstrap keeps its promises in every order of steps, over every log of ${length} events and 2 keys`, {
  timeout: 3_600_000,
}, () => {
  let states = 0;
  let logs = 0;
  const began = performance.now();
  for (const log of smallLogs(length)) {
    const result = explore(log);
    expect(result.violation, JSON.stringify(log)).toBeUndefined();
    states += result.states;
    logs++;
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(`${states} states of ${logs} logs in ${seconds} s`);
  expect(states).toBeGreaterThan(10_000);
  const ran = `${count(logs, "log")} of ${length} events on 2 keys, ${count(states, "state")}`;
  const said = { part: "Bootstrap, every order of steps", ran, found: "no violation" };
  keepRecord("small-scope", said, { length, keys: 2, logs, states, violations: 0, seconds });
});
