import { API_VERSION } from "@eventledger/protocol";

/** The part of the document about the API as a whole. */
export const INFO = {
  title: "EventLedger",
  version: API_VERSION,
  summary: "An ordered, immutable event log over plain REST.",
  description: [
    "An ordered, immutable event log over plain REST. Publish your bounded context's changes; subscribers bootstrap and follow.",
    "Every answer carries `X-Request-Id`, and every error is `application/problem+json` with a `code`: /docs/problems explains each of them. Members that a request's schema does not know are refused; answers may get further members at any time, so ignore those that you do not know.",
    "The body of a publish may have 4 MiB, and any other body 64 KiB.",
  ].join("\n\n"),
  contact: { name: "The operator of this installation" },
  license: { name: "MIT", identifier: "MIT" },
} as const;

/** The URL is relative, because a server may have any name and the client knows it. */
export const SERVERS = [
  { url: "/", description: "The server that this document comes from." },
  { url: "http://127.0.0.1:4000", description: "The local stack: npm start." },
] as const;

/** A client may use either. */
export const SECURITY_SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "The API key as `Authorization: Bearer <API key>`.",
  },
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "X-Api-Key",
    description: "The same API key in the header `X-Api-Key`.",
  },
} as const;
