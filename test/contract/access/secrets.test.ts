import { randomUUID } from "node:crypto";
import { describe, expect, inject, it } from "vitest";
import { readConfig } from "../../../packages/functions/src/open-ledger.ts";
import { readSettings } from "../../../packages/local/src/settings.ts";
import { startStack } from "../../../packages/local/src/stack.ts";
import { StackError } from "../../../packages/local/src/stack-error.ts";
import { type Client, createClient } from "../client.ts";
import { refusal, send } from "../wire.ts";

const OLD = "an-old-secret-for-cursors";
const NEW = "a-new-secret-for-cursors";

describe("a server's secrets", () => {
  const read = (env: object, serves = true) => {
    const given = {
      TABLE_NAME: "t",
      EVENTLEDGER_ADMIN_KEY: "an-admin-key-for-a-server",
      EVENTLEDGER_CURSOR_KEYS: OLD,
      ...env,
    };
    return readConfig(given, { serves });
  };

  it.each([
    ["AdminKey", "EVENTLEDGER_ADMIN_KEY", ""],
    ["AdminKey", "EVENTLEDGER_ADMIN_KEY", "fifteen-letters"],
    ["AdminKey", "EVENTLEDGER_ADMIN_KEY", "sixteen letters!"],
    ["AdminKey", "EVENTLEDGER_ADMIN_KEY", "x".repeat(256)],
    ["CursorKey", "EVENTLEDGER_CURSOR_KEYS", ""],
    ["CursorKey", "EVENTLEDGER_CURSOR_KEYS", "fifteen-letters"],
    ["CursorKey", "EVENTLEDGER_CURSOR_KEYS", `2:${NEW},1:fifteen-letters`],
    ["CursorKey", "EVENTLEDGER_CURSOR_KEYS", `2:${NEW},`],
    ["CursorKey", "EVENTLEDGER_CURSOR_KEYS", `2:${NEW},2:${OLD}`],
    ["CursorKey", "EVENTLEDGER_CURSOR_KEYS", `1:${NEW},${OLD}`],
    ["CursorKey", "EVENTLEDGER_CURSOR_KEYS", `0:${NEW}`],
    ["CursorKey", "EVENTLEDGER_CURSOR_KEYS", `256:${NEW}`],
  ])("[auth.secrets] stop it in one line that names %s when %s is %j", (name, variable, value) => {
    let message = "";
    try {
      read({ [variable]: value });
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(new RegExp(`^Error: Set ${name} \\(or ${variable}\\) to .+\\.$`));
    if (value !== "") expect(message).not.toContain(value);
  });

  it("[auth.secrets] a server requires strong secrets, unless it serves no requests", () => {
    expect(read({})).toMatchObject({ cursorKey: OLD });
    expect(read({ EVENTLEDGER_CURSOR_KEYS: `255:${NEW}, ${OLD}` })).toBeDefined();
    const none = { EVENTLEDGER_ADMIN_KEY: "", EVENTLEDGER_CURSOR_KEYS: "" };
    expect(read(none, false).adminKey).toHaveLength(36);
  });

  it("[auth.secrets] the local stack checks secrets in the same way", () => {
    const keys = `2:${NEW},${OLD}`;
    expect(readSettings({ EVENTLEDGER_CURSOR_KEYS: keys }).cursorKey).toBe(keys);
    expect(readSettings({}).cursorKey).toBeUndefined();
    expect(() => readSettings({ EVENTLEDGER_CURSOR_KEYS: "short" })).toThrow(StackError);
  });

  it("[auth.key] an empty X-Api-Key counts as no key", async () => {
    const endpoint = inject("dynamoEndpoint");
    const stack = await startStack({ endpoint, tableName: `secrets-${randomUUID()}` });
    const headers = { authorization: "", "x-api-key": "" };
    const { body } = await send(
      { baseUrl: stack.url, apiKey: "" },
      { path: "/streams", headers },
    ).finally(() => stack.stop());
    expect(body).toMatchObject({ status: 401, detail: expect.stringMatching(/^Send the API key/) });
  });
});

describe("the keys of cursors", () => {
  const tableName = `cursor-keys-${randomUUID()}`;
  const adminKey = "the-admin-key-of-these-servers";

  /** Runs requests against a server with these keys. */
  async function under<T>(cursorKey: string, meet: (api: Client) => Promise<T>): Promise<T> {
    const endpoint = inject("dynamoEndpoint");
    const stack = await startStack({ endpoint, tableName, adminKey, cursorKey });
    const api = createClient({ baseUrl: stack.url, apiKey: adminKey });
    return meet(api).finally(() => stack.stop());
  }

  it("[cursor.rotation] [cursor.reason] the cursor keys can be replaced without an invalid cursor until the old key is removed", async () => {
    const { stream, old } = await under(OLD, async (api) => {
      const name = await api.newStream();
      await api.createSubscription(name, { name: "s" });
      const { body } = await api.publish(name, { key: "k", data: 1 });
      const page = await api.poll(name, "s");
      return { stream: name, old: { browse: body.cursor, poll: page.body.cursor } };
    });
    const works = async (api: Client, cursors: typeof old) => {
      await api.browse(stream, { from: cursors.browse });
      await api.poll(stream, "s", { after: cursors.poll });
    };
    // Every server accepts the new key before any server signs with it.
    await under(`1:${OLD},2:${NEW}`, (api) => works(api, old));
    const fresh = await under(`2:${NEW},1:${OLD}`, async (api) => {
      await works(api, old);
      const browse = (await api.browse(stream, { from: old.browse })).body.cursor;
      return { browse, poll: (await api.poll(stream, "s", { after: old.poll })).body.cursor };
    });
    await under(`1:${OLD},2:${NEW}`, (api) => works(api, fresh));
    await under(`2:${NEW}`, async (api) => {
      await works(api, fresh);
      const refused = [
        await refusal(api.browse(stream, { from: old.browse }), "invalid-cursor"),
        await refusal(api.poll(stream, "s", { after: old.poll }), "invalid-cursor"),
        await refusal(api.commit(stream, "s", old.poll), "invalid-cursor"),
      ];
      for (const { reason } of refused) expect(reason).toBe("key-retired");
      // Positions in the table are not signed, so they survive every change of keys.
      expect((await api.poll(stream, "s")).body.events).toHaveLength(1);
    });
    // When another secret has the same id, a cursor of the old key looks like a forgery.
    await under(`1:${NEW}`, async (api) => {
      const problem = await refusal(api.browse(stream, { from: old.browse }), "invalid-cursor");
      expect(problem.reason).toBe("malformed");
    });
  });
});
