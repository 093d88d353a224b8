import { FakeRefusal, validationError } from "./aws-error.ts";
import {
  type Draft,
  getAt,
  overlaps,
  type Path,
  type PathExpression,
  parsePath,
  setAt,
} from "./path.ts";
import { type Reader, readExpression, type Scope } from "./tokens.ts";
import { parseSetValue, type SetValue, safeInteger, wrongType } from "./update-value.ts";
import { type AnySet, type Item, isSet, kindOf, type Value } from "./value.ts";

/** A parsed UpdateExpression. It is cached and used for every request. */
export type Update = {
  readonly names: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
  /** @throws ValidationException for overlapping paths and operands that can never fit */
  check(scope: Scope): void;
  /** Returns the item after the update. Every operand is read from the item before it. */
  apply(item: Item, scope: Scope): Item;
  /** Returns the paths that it writes. */
  paths(scope: Scope): readonly Path[];
};

type Action = {
  readonly clause: string;
  readonly path: PathExpression;
  readonly value: SetValue | undefined;
};

/**
 * @throws ValidationException for a syntax error, FakeRefusal for a feature of DynamoDB that the
 * fake lacks
 */
export const parseUpdate = (expression: string): Update => {
  const known = parsed.get(expression);
  if (known !== undefined) return known;
  const reader = readExpression(expression);
  const actions = parseActions(reader);
  const paths = (scope: Scope): Path[] => actions.map((action) => action.path(scope));
  const update: Update = {
    names: reader.names,
    values: reader.values,
    paths,
    check: (scope) => {
      refuseOverlaps(paths(scope));
      for (const action of actions) checkAction(action, scope);
    },
    apply: (item, scope) => {
      const draft: Draft = { ...item };
      for (const action of actions) applyAction(action, item, draft, scope);
      return draft;
    },
  };
  parsed.set(expression, update);
  return update;
};

const parsed = new Map<string, Update>();

const parseActions = (reader: Reader): Action[] => {
  const actions: Action[] = [];
  const clauses = new Set<string>();
  do {
    const clause = reader.take().text.toUpperCase();
    if (!["SET", "REMOVE", "ADD", "DELETE"].includes(clause) || clauses.has(clause)) reader.fail();
    clauses.add(clause);
    do actions.push(parseAction(reader, clause));
    while (reader.accept(","));
  } while (reader.peek().kind !== "end");
  return actions;
};

const parseAction = (reader: Reader, clause: string): Action => {
  const path = parsePath(reader);
  if (clause === "REMOVE") return { clause, path, value: undefined };
  if (clause === "SET") {
    reader.expect("=");
    return { clause, path, value: parseSetValue(reader) };
  }
  const { kind, text } = reader.peek();
  if (kind !== "value") reader.fail();
  reader.take();
  const value = { check: () => {}, get: (_: Item, { values }: Scope) => values[text] as Value };
  return { clause, path, value };
};

const refuseOverlaps = (paths: readonly Path[]): void => {
  paths.forEach((path, index) => {
    for (const other of paths.slice(index + 1)) {
      if (overlaps(path, other) || overlaps(other, path)) {
        throw validationError(`Two document paths overlap with each other: ${path}, ${other}`);
      }
    }
  });
};

const checkAction = ({ clause, value }: Action, scope: Scope): void => {
  value?.check(scope);
  if (clause !== "ADD" && clause !== "DELETE") return;
  const operand = value?.get({}, scope);
  if (isSet(operand) || (clause === "ADD" && typeof operand === "number")) return;
  throw validationError(`Incorrect operand type for operator or function; operator: ${clause}`);
};

const applyAction = (action: Action, before: Item, draft: Draft, scope: Scope): void => {
  const path = action.path(scope);
  const operand = action.value?.get(before, scope);
  const old = getAt(before, path);
  if (action.clause === "SET") setAt(draft, path, operand);
  else if (action.clause === "REMOVE") remove(draft, path, old);
  else if (action.clause === "ADD") setAt(draft, path, sum(old, operand as Value));
  else if (old !== undefined) setAt(draft, path, without(old, operand as Value));
};

const remove = (draft: Draft, path: Path, old: Value | undefined): void => {
  if (typeof path.at(-1) === "number") throw new FakeRefusal("REMOVE of a list element");
  if (old !== undefined || path.length > 1) setAt(draft, path, undefined);
};

const sum = (old: Value | undefined, operand: Value): Value => {
  if (old === undefined) return operand;
  if (typeof operand === "number" && typeof old === "number") return safeInteger(old + operand);
  if (!isSet(old) || !isSet(operand) || kindOf(old) !== kindOf(operand)) throw wrongType();
  return new Set([...old, ...operand]) as Value;
};

const without = (old: Value, operand: Value): Value | undefined => {
  if (!isSet(old) || !isSet(operand) || kindOf(old) !== kindOf(operand)) throw wrongType();
  const gone: AnySet = operand;
  const rest = new Set([...old].filter((member) => !gone.has(member)));
  return rest.size === 0 ? undefined : (rest as Value);
};
