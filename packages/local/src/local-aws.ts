/**
 * SDK client settings for an emulator. The credentials are made up, yet the same everywhere: a
 * DynamoDB Local without `-sharedDb` keeps one database per access key and region.
 */
export const localAws = (endpoint: string) => ({
  endpoint,
  region: LOCAL_REGION,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

export const LOCAL_REGION = "local";
