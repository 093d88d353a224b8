import { afterSpace, type Member, membersOf } from "./scan.ts";

/**
 * Turns the `data` of each event of an answer into a string that contains the data as published,
 * byte for byte. The data of a tombstone stays null. Everything else stays unchanged.
 */
export function quoteData(answer: string): string {
  const start = afterSpace(answer, 0);
  if (answer[start] !== "{") return answer;
  const spans: Member[] = [];
  for (const member of membersOf(answer, start)) {
    if (isData(answer, member)) spans.push(member);
    const isList = member.name === '"events"' || member.name === '"items"';
    if (!isList || answer[member.start] !== "[") continue;
    for (const event of membersOf(answer, member.start)) {
      if (answer[event.start] !== "{") continue;
      for (const part of membersOf(answer, event.start)) {
        if (isData(answer, part)) spans.push(part);
      }
    }
  }
  let quoted = "";
  let at = 0;
  for (const { start: from, end } of spans) {
    quoted += answer.slice(at, from) + JSON.stringify(answer.slice(from, end));
    at = end;
  }
  return quoted + answer.slice(at);
}

const isData = (answer: string, { name, start, end }: Member): boolean =>
  name === '"data"' && answer.slice(start, end) !== "null";
