import { CreateStream, LIMITS, NewEvent, PollQuery } from "@eventledger/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemClock } from "../kernel/clock.ts";
import { newUid, systemRandom } from "../kernel/random.ts";
import { tenantOf } from "../model/names.ts";
import { createRowKinds, type RowKinds } from "./row-kinds.ts";

type Keys = { readonly pk: string; readonly sk: string };
type Composite = Readonly<Record<string, string | number>>;

/** A kind of rows: the parts of its keys, and their patterns. */
type Family = {
  readonly parts: Readonly<Record<string, fc.Arbitrary<string | number>>>;
  readonly pk: RegExp;
  readonly sk: RegExp;
};

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,12}$/);
const tenant = fc.oneof(fc.constant("default"), name);
const scoped = fc.oneof(
  name,
  fc.tuple(name, name).map((both) => both.join("/")),
);
const uid = fc.stringMatching(/^[A-Za-z0-9_-]{12}$/);
const life = fc.tuple(scoped, uid).map((both) => both.join("#"));
const partition = fc.nat(LIMITS.partitionsMax - 1);
const sequence = fc.integer({ min: 1, max: 99_999_999_999_999 });
const day = fc.stringMatching(/^2\d{3}-[01]\d-[0-3]\d$/);
/** Text that clients choose freely, including text that looks like a part of a different key. */
const free = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  fc.constantFrom("#", "META", "a#P0", "STREAM#a#b", "KEY#k", "\n", "SEQ#00000000000001"),
);

const NAME = "(?<name>[a-z0-9._/-]+)";
const LIFE = "(?<life>[a-z0-9._/-]+#[A-Za-z0-9_-]+)";
const keyOf = (pattern: string) => new RegExp(`^${pattern}$`, "su");

/** Every family of rows in the table. Add each new one here and to ARCHITECTURE.md. */
const FAMILIES: Record<keyof RowKinds, Family> = {
  stream: { parts: { name: scoped }, pk: keyOf(`STREAM#${NAME}`), sk: keyOf("META") },
  subscription: {
    parts: { stream: scoped, name },
    pk: keyOf("STREAM#(?<stream>[a-z0-9._/-]+)"),
    sk: keyOf(`SUB#${NAME}`),
  },
  directory: {
    parts: { tenant, name: scoped },
    pk: keyOf("TENANT#(?<tenant>[^#]+)"),
    sk: keyOf(`STREAM#${NAME}`),
  },
  batch: {
    parts: { life, partition, first: sequence },
    pk: keyOf(`STREAM#${LIFE}#P(?<partition>\\d+)`),
    sk: keyOf("SEQ#(?<first>\\d{14})"),
  },
  checkpoint: {
    parts: { life, partition },
    pk: keyOf(`STREAM#${LIFE}#P(?<partition>\\d+)`),
    sk: keyOf("CHECKPOINT"),
  },
  offset: {
    parts: { life, subscriptionUid: uid, partition },
    pk: keyOf(`STREAM#${LIFE}#SUB#(?<subscriptionUid>[^#]+)`),
    sk: keyOf("OFFSET#P(?<partition>\\d+)"),
  },
  member: {
    parts: {
      life,
      subscriptionUid: uid,
      consumer: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,12}$/),
    },
    pk: keyOf(`STREAM#${LIFE}#SUB#(?<subscriptionUid>[^#]+)`),
    sk: keyOf("MEMBER#(?<consumer>[^#]+)"),
  },
  compacted: {
    parts: { life, bucket: fc.nat(15), key: free },
    pk: keyOf(`STREAM#${LIFE}#COMPACT#(?<bucket>\\d{2})`),
    sk: keyOf("KEY#(?<key>.+)"),
  },
  changeList: {
    parts: { life, partition },
    pk: keyOf(`STREAM#${LIFE}#CHANGES#P(?<partition>\\d+)`),
    sk: keyOf("LIST"),
  },
  changes: {
    parts: { life, partition, id: uid },
    pk: keyOf(`STREAM#${LIFE}#CHANGES#P(?<partition>\\d+)`),
    sk: keyOf("CHUNK#(?<id>[A-Za-z0-9_-]+)"),
  },
  receipt: {
    parts: { life, key: free },
    pk: keyOf(`STREAM#${LIFE}#PUBLISH`),
    sk: keyOf("IDEMPOTENCY#(?<key>.+)"),
  },
  erasure: {
    parts: { life, id: fc.stringMatching(/^[0-9a-f]{24}$/) },
    pk: keyOf(`STREAM#${LIFE}#ERASED`),
    sk: keyOf("ERASURE#(?<id>[0-9a-f]+)"),
  },
  openErasure: {
    parts: { life, id: fc.stringMatching(/^[0-9a-f]{24}$/) },
    pk: keyOf("ERASURES"),
    sk: keyOf(`STREAM#${LIFE}#ERASURE#(?<id>[0-9a-f]+)`),
  },
  deletion: {
    parts: {
      of: fc.oneof(
        life.map((of) => `SUB#${of}`),
        tenant.map((of) => `KEY#${of}`),
      ),
      name,
    },
    pk: keyOf("DELETED#(?<of>SUB#[^#]+#[^#]+|KEY#[^#]+)"),
    sk: keyOf(`NAME#${NAME}`),
  },
  export: {
    parts: { life, id: fc.stringMatching(/^[0-9a-f]{18}$/) },
    pk: keyOf("EXPORTS"),
    sk: keyOf(`STREAM#${LIFE}#EXPORT#(?<id>[0-9a-f]{18})`),
  },
  push: {
    parts: { life, subscriptionUid: uid },
    pk: keyOf("PUSHES"),
    sk: keyOf(`STREAM#${LIFE}#SUB#(?<subscriptionUid>[^#]+)`),
  },
  pushBell: {
    parts: { life, subscriptionUid: uid },
    pk: keyOf(`STREAM#${LIFE}#SUB#(?<subscriptionUid>[^#]+)#PUSH`),
    sk: keyOf("BELL"),
  },
  pushRetry: {
    parts: { life, subscriptionUid: uid, key: free },
    pk: keyOf(`STREAM#${LIFE}#SUB#(?<subscriptionUid>[^#]+)#PUSH`),
    sk: keyOf("KEY#(?<key>.+)"),
  },
  pushFailure: {
    parts: { life, subscriptionUid: uid, place: fc.stringMatching(/^\d{14}\.[0-9a-f]{12}$/) },
    pk: keyOf(`STREAM#${LIFE}#SUB#(?<subscriptionUid>[^#]+)#PUSH`),
    sk: keyOf("FAILED#(?<place>[0-9a-f.]+)"),
  },
  segment: {
    parts: { life, partition, first: fc.nat(99_999) },
    pk: keyOf(`STREAM#${LIFE}#ARCHIVE#P(?<partition>\\d+)`),
    sk: keyOf("SEGMENT#(?<first>\\d{14})"),
  },
  quota: {
    parts: { tenant, of: fc.stringMatching(/^([a-z0-9]{12}|-)$/) },
    pk: keyOf("QUOTA#(?<tenant>[^#]+)"),
    sk: keyOf("OF#(?<of>[^#]+)"),
  },
  removal: { parts: { life }, pk: keyOf("REMOVAL"), sk: keyOf(`STREAM#${LIFE}`) },
  apiKey: {
    parts: { id: fc.stringMatching(/^[a-z0-9]{12}$/) },
    pk: keyOf("KEY#(?<id>[a-z0-9]+)"),
    sk: keyOf("META"),
  },
  keyDirectory: {
    parts: { tenant, id: fc.stringMatching(/^[a-z0-9]{12}$/) },
    pk: keyOf("TENANT#(?<tenant>[^#]+)"),
    sk: keyOf("KEY#(?<id>[a-z0-9]+)"),
  },
  published: {
    parts: { tenant, day, life, partition, span: fc.stringMatching(/^\d{6}-\d{6}$/) },
    pk: keyOf("USAGE#(?<tenant>[^#]+)#(?<day>[^#]+)"),
    sk: keyOf(`LOG#${LIFE}#P(?<partition>\\d+)#(?<span>[^#]+)`),
  },
  used: {
    parts: {
      tenant,
      day,
      keyId: fc.stringMatching(/^[a-z0-9]{12}$/),
      stream: name,
      hour: fc.nat(999_999),
    },
    pk: keyOf("USAGE#(?<tenant>[^#]+)#(?<day>[^#]+)"),
    sk: keyOf("KEY#(?<keyId>[^#]+)#(?<stream>[^#]+)#(?<hour>\\d+)"),
  },
  tenant: { parts: { name }, pk: keyOf("TENANTS"), sk: keyOf("TENANT#(?<name>[^#]+)") },
};

const kinds = createRowKinds({
  table: "t",
  clock: systemClock,
  random: systemRandom,
  client: { send: async () => ({}) } as never,
});

const keysOf = (family: string, composite: Composite): Keys => {
  const entity = Object.entries(kinds).find(([each]) => each === family)?.[1];
  const get = entity?.get as unknown as (key: Composite) => { params(): { Key: Keys } };
  return get.call(entity, composite).params().Key;
};

/** Returns the parts of a key, if the key is of that family. */
const readKeys = ({ pk, sk }: Family, keys: Keys): Composite | undefined => {
  const [inPk, inSk] = [pk.exec(keys.pk), sk.exec(keys.sk)];
  return inPk === null || inSk === null ? undefined : { ...inPk.groups, ...inSk.groups };
};

const families = Object.entries(FAMILIES);

describe("the keys of the table's rows", () => {
  it("every row kind has a listed family of keys", () => {
    expect(Object.keys(kinds).sort()).toEqual(Object.keys(FAMILIES).sort());
  });

  it.each(families)(
    "[tenant.isolated] the keys of %s differ from all others and can be parsed",
    (of, family) =>
      fc.assert(
        fc.property(fc.record(family.parts), (composite: Composite) => {
          const keys = keysOf(of, composite);
          const readers = families.filter(([, each]) => readKeys(each, keys) !== undefined);
          expect(readers.map(([reader]) => reader)).toEqual([of]);
          const read = Object.entries(readKeys(family, keys) ?? {});
          const texts = read.map(([part, text]) => [
            part,
            typeof composite[part] === "number" ? Number(text) : text,
          ]);
          expect(Object.fromEntries(texts)).toEqual(composite);
        }),
      ),
  );

  it("[tenant.isolated] keys consist of ids that contain no separator", () => {
    for (const separated of ["a#b", "#", "a/b", "a#P0", "a\n#"]) {
      expect(CreateStream.safeParse({ name: separated }).success).toBe(false);
      expect(PollQuery.safeParse({ consumer: separated }).success).toBe(false);
      expect(() => tenantOf(separated)).toThrow(RangeError);
    }
    for (let n = 0; n < 200; n++) expect(newUid(systemRandom)).toMatch(/^[A-Za-z0-9_-]{12}$/);
    // A key may contain separators, because the part with free text comes last.
    expect(NewEvent.safeParse({ key: "a#P0", data: 1 }).success).toBe(true);
  });
});
