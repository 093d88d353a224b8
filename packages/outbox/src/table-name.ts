/** Refuses a name that would need quotes, because it goes into the SQL as it is. */
export function tableName(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,50}(\.[a-z_][a-z0-9_]{0,50})?$/.test(name)) {
    throw new Error(
      `${JSON.stringify(name)} is not a table name of a-z, 0-9 and _, with or without a schema`,
    );
  }
  return name;
}
