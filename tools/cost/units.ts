/** Capacity units, as DynamoDB counts them. */
export type Units = { readonly read: number; readonly write: number };
