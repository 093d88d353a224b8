import { smoke } from "./smoke.js";

/** The smoke checks as a Worker. It answers with what passed. */
export default {
  async fetch(request) {
    const given = Object.fromEntries(new URL(request.url).searchParams);
    try {
      return Response.json(await smoke(given));
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};
