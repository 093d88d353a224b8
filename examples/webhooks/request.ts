/** The address of a server, and the key for it. */
export type Door = { readonly url: string; readonly apiKey: string };

/**
 * Sends one request and returns its JSON. Throws an Error with the problem's title and detail when
 * the answer is not a success.
 */
export async function request<T>(
  { url, apiKey }: Door,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return answer;
  throw new Error(
    `${method} ${path}: ${response.status} ${answer?.title}. ${answer?.detail ?? ""}`,
  );
}
