import { clientOf, openDesign } from "./designs.ts";

export const open = async (endpoint: string) => openDesign("counter", clientOf(endpoint));
